/* What the keyboard and a screen reader need beside the theme. */
(() => {
  /* A box that scrolls sideways is a stop of the Tab key, so that arrows can scroll it, and fades where there is more;
     any other is none. The theme does the first once for what it knows; formulas, and boxes in proofs that were closed
     then, are left to us. */
  const BOXES = "pre, .drawn, .katex-display, .pst-scrollable-table-container, .cell_output > .output";
  const fade = (box) => box.classList.toggle("more", box.scrollLeft + box.clientWidth < box.scrollWidth - 1);
  const stop = (box) => {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
    fade(box);
  };
  const observer = new ResizeObserver((entries) => entries.forEach(({ target }) => stop(target)));
  document.addEventListener("fitted", ({ detail }) => detail.forEach(stop)); // formulas whose size may have changed
  const scrolled = ({ target }) => fade(target); // one function: added again to a box, it still listens once
  const observe = () => {
    for (const box of document.querySelectorAll(BOXES)) {
      observer.observe(box);
      box.addEventListener("scroll", scrolled, { passive: true });
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

  /* Statements are headings, so that a screen reader can go from one to the next, and each has a link to itself. */
  const nameStatements = () => {
    for (const title of document.querySelectorAll(".proof > .admonition-title, .exercise > .admonition-title")) {
      title.setAttribute("role", "heading");
      title.setAttribute("aria-level", "4");
      const link = Object.assign(document.createElement("a"), { className: "headerlink", textContent: "#" });
      link.href = `#${title.parentElement.id}`;
      link.setAttribute("aria-label", `Link to ${title.textContent.trim()}`);
      title.append(link);
    }
  };

  /* One button opens all proofs, hints and solutions of a page, and closes them again. */
  const unfoldAll = () => {
    const folded = () => [...document.querySelectorAll(".admonition.dropdown button.toggle-button")];
    const bar = document.querySelector("nav.launch ul");
    if (!bar || folded().length < 2) return;
    const button = Object.assign(document.createElement("button"), { type: "button", className: "unfold", textContent: "Unfold all proofs" });
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-pressed") === "false";
      for (const one of folded()) {
        if (one.closest(".admonition").classList.contains("toggle-hidden") === open) one.click();
      }
      button.setAttribute("aria-pressed", `${open}`);
      button.textContent = open ? "Fold all proofs" : "Unfold all proofs";
    });
    const item = document.createElement("li");
    item.append(button);
    bar.append(item);
  };

  /* A citation is copied with the address of what it cites, unless that is a file. */
  document.addEventListener("click", async ({ target }) => {
    const button = target.closest?.("button[data-copy]");
    if (!button) return;
    const address = new URL(`#${button.closest(".proof[id]")?.id ?? ""}`, location.href).href.replace(/#$/, "");
    const text = button.dataset.copy + (location.protocol === "file:" ? "" : ` ${address}`);
    const done = await (navigator.clipboard?.writeText(text) ?? Promise.reject()).then(() => "copied", () => text);
    button.textContent = done;
    button.setAttribute("aria-live", "polite");
  });

  /* A figure that is clicked on opens as large as it was drawn, or as wide as the window; without this it opens alone. */
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a.vector");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const box = Object.assign(document.createElement("dialog"), { className: "enlarged" });
    box.setAttribute("aria-label", "Figure, enlarged");
    const close = Object.assign(document.createElement("button"), { type: "button", textContent: "Close" });
    const image = link.firstElementChild.cloneNode();
    image.style.minWidth = `${image.getAttribute("width")}px`;
    const drawn = document.createElement("div");
    drawn.className = "drawn";
    drawn.append(image);
    box.append(close, drawn);
    box.addEventListener("click", () => box.close());
    box.addEventListener("close", () => box.remove());
    drawn.addEventListener("scroll", scrolled, { passive: true });
    document.body.append(box);
    box.showModal();
    stop(drawn);
  });

  /* Who comes by a link to something inside a closed proof finds it open. */
  const unfold = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let box = target; box; box = box.parentElement?.closest(".toggle-hidden, details:not([open])")) {
      if (box.matches("details")) box.open = true;
      else box.querySelector(":scope > .admonition-title > button.toggle-button, :scope > button.toggle-button")?.click();
    }
    target.scrollIntoView();
  };

  /* Paper is white: a page that is read dark is printed light. */
  const page = document.documentElement.dataset;
  let worn;
  window.addEventListener("beforeprint", () => {
    worn = page.theme;
    page.theme = "light";
    for (const code of document.querySelectorAll("details.code")) code.open = true;
  });
  window.addEventListener("afterprint", () => {
    page.theme = worn;
  });

  document.addEventListener("formulas", () => {
    if (document.readyState === "complete") observe();
  });

  window.addEventListener("load", () => {
    nameToggles();
    nameStatements();
    unfoldAll();
    observe();
    if (document.querySelector(".toggle-hidden")) unfold();
    window.addEventListener("hashchange", unfold);
  });
})();
