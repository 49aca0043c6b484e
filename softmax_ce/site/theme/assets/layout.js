// What is not in view is laid out piece by piece, while the browser has nothing else to do.
const waiting = [...document.querySelectorAll(".md-content__inner > h1 ~ *, .md-nav--primary")];
window.requestIdleCallback?.(function layOut() {
  const start = performance.now();
  do {
    const part = waiting.shift();
    part.classList.add("laid-out");
    part.getBoundingClientRect();
  } while (waiting.length && performance.now() - start < 3);
  if (waiting.length) requestIdleCallback(layOut);
});

// A formula or a table that scrolls by itself is reached by keyboard.
const sized = new ResizeObserver((entries) => {
  for (const { target } of entries)
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
});
document
  .querySelectorAll("div.arithmatex, .md-typeset__scrollwrap")
  .forEach((box) => sized.observe(box));
