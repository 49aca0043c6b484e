// A copied selection holds its formulas as LaTeX, as the page's source writes them.
document.addEventListener("copy", (event) => {
  const selection = getSelection();
  if (selection.isCollapsed) return;
  const range = selection.getRangeAt(0);
  const around = range.commonAncestorContainer;
  const formula = (around.closest ? around : around.parentElement).closest("[data-tex]");
  const copy = document.createElement("div");
  copy.append(formula ? formula.cloneNode(true) : range.cloneContents());
  const formulas = copy.querySelectorAll("[data-tex]");
  if (!formulas.length) return;
  for (const el of formulas) {
    const { tex } = el.dataset;
    el.replaceWith(el.localName === "div" ? `\n$$\n${tex}\n$$\n` : `$${tex}$`);
  }
  event.clipboardData.setData("text/plain", copy.textContent.trim());
  event.preventDefault();
});
