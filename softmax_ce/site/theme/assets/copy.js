// A copied selection holds its formulas as LaTeX, as the page's source writes them, and of a figure
// what it shows.
document.addEventListener("copy", (event) => {
  const selection = getSelection();
  if (selection.isCollapsed) return;
  const range = selection.getRangeAt(0);
  const around = range.commonAncestorContainer;
  const whole = (around.closest ? around : around.parentElement).closest("[data-tex], figure svg");
  const copy = document.createElement("div");
  copy.append(whole ? whole.cloneNode(true) : range.cloneContents());
  const parts = copy.querySelectorAll("[data-tex], svg[aria-label]");
  if (!parts.length) return;
  for (const el of parts) {
    const { tex } = el.dataset;
    if (!tex) el.replaceWith(`\n${el.getAttribute("aria-label")}\n`);
    else el.replaceWith(el.localName === "div" ? `\n$$\n${tex}\n$$\n` : `$${tex}$`);
  }
  event.clipboardData.setData("text/plain", copy.textContent.trim());
  event.preventDefault();
});
