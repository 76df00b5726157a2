/* What the keyboard and a screen reader need beside the theme. */
(() => {
  /* A box that scrolls sideways is a stop of the Tab key, so that arrows can scroll it, and fades where there is more;
     any other is none. The theme does the first once for what it knows; formulas, and boxes in proofs that were closed
     then, are left to us. */
  const BOXES = "pre, .katex-display, .pst-scrollable-table-container, .cell_output > .output";
  const fade = (box) => box.classList.toggle("more", box.scrollLeft + box.clientWidth < box.scrollWidth - 1);
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth + 1) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
      fade(target);
    }
  });
  const observe = () => {
    for (const box of document.querySelectorAll(BOXES)) {
      observer.observe(box);
      box.addEventListener("scroll", () => fade(box), { passive: true });
    }
  };

  /* A toggle is called by what it opens: "Proof", and not "Toggle hidden content". */
  const nameToggles = () => {
    for (const button of document.querySelectorAll(".admonition-title > button.toggle-button")) {
      button.setAttribute("aria-label", button.parentElement.textContent.trim());
    }
    for (const summary of document.querySelectorAll(".bd-links li > details > summary")) {
      summary.setAttribute("aria-label", `Pages of ${summary.closest("li").querySelector("a").textContent.trim()}`);
    }
  };

  /* Paper is white: a page that is read dark is printed light. */
  const page = document.documentElement.dataset;
  let worn;
  window.addEventListener("beforeprint", () => {
    worn = page.theme;
    page.theme = "light";
  });
  window.addEventListener("afterprint", () => {
    page.theme = worn;
  });

  window.addEventListener("load", () => {
    nameToggles();
    observe();
  });
})();
