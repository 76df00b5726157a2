/* What the keyboard and a screen reader need beside the theme. */
(() => {
  /* A box that scrolls sideways is a stop of the Tab key, so that arrows can scroll it; any other is none. The theme
     does this once for what it knows; formulas, and boxes in proofs that were closed then, are left to us. */
  const BOXES = 'pre, mjx-container[display="true"], .pst-scrollable-table-container, .cell_output > .output';
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth + 1) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  const observe = () => document.querySelectorAll(BOXES).forEach((box) => observer.observe(box));

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

  window.addEventListener("load", async () => {
    nameToggles();
    observe();
    while (window.MathJax && !window.MathJax.startup?.promise) await new Promise((again) => setTimeout(again, 50));
    await window.MathJax?.startup.promise;
    observe();
  });
})();
