/* What a reference leads to, shown beside it: on hovering, on focus, and on the first tap, where a second one follows
   it. Escape closes it, and the pointer may go into it. The pieces come from scripts that book/extensions/previews.py
   has made, one for each page, loaded when they are first wanted. */
(() => {
  const ROOT = new URL(document.documentElement.dataset.content_root, location.href);
  const KNOWN = /^#((def|thm|prop|lem|cor|rem|conj|claim|ex)-|equation-|fig-|id\d+$)/;
  const WAIT = 250;
  const loaded = {};
  const load = (address) =>
    (loaded[address] ??= new Promise((done) => {
      const script = document.createElement("script");
      script.src = new URL(address, ROOT).href;
      script.onload = script.onerror = done;
      document.head.append(script);
    }));

  const box = document.createElement("div");
  box.id = "preview";
  box.hidden = true;
  box.setAttribute("role", "tooltip");
  let shown, timer;

  const target = (link) => {
    const url = new URL(link.getAttribute("href"), location.href);
    if (!KNOWN.test(url.hash) || !url.href.startsWith(ROOT.href)) return null;
    const page = url.href.slice(ROOT.href.length).replace(/\.html.*$/, "");
    return { url, page, id: decodeURIComponent(url.hash.slice(1)) };
  };

  const place = (link) => {
    const at = link.getClientRects()[0] ?? link.getBoundingClientRect();
    const width = Math.min(640, document.documentElement.clientWidth - 16);
    box.style.width = `${width}px`;
    box.style.left = `${scrollX + Math.max(8, Math.min(at.left, document.documentElement.clientWidth - width - 8))}px`;
    const below = innerHeight - at.bottom > box.offsetHeight + 8 || at.top < box.offsetHeight + 8;
    box.style.top = `${scrollY + (below ? at.bottom + 4 : at.top - box.offsetHeight - 4)}px`;
  };

  const hide = () => {
    clearTimeout(timer);
    box.hidden = true;
    shown?.removeAttribute("aria-describedby");
    shown = null;
  };

  const show = async (link) => {
    const { url, page, id } = target(link);
    hide();
    shown = link;
    await load(`_static/previews/${page}.js`);
    const piece = window.previews?.[page]?.[id];
    if (!piece || shown !== link) return;
    box.innerHTML = piece;
    for (const name of ["href", "src"]) {
      for (const part of box.querySelectorAll(`[${name}]`)) part[name] = new URL(part.getAttribute(name), url).href;
    }
    for (const part of box.querySelectorAll("a")) part.tabIndex = -1; // the reference itself is the stop of the Tab key
    box.hidden = false;
    link.setAttribute("aria-describedby", "preview");
    place(link);
    if (box.querySelector(".math")) {
      if (!window.setFormulas) {
        const style = Object.assign(document.createElement("link"), { rel: "stylesheet" });
        style.href = new URL("_static/katex/katex.min.css", ROOT).href;
        document.head.append(style);
        await Promise.all([load("_static/formulas.js"), new Promise((done) => document.addEventListener("formulas", done))]);
      } else window.setFormulas(box);
      if (shown === link) place(link); // its height is another now
    }
  };

  const reference = (event) => {
    const link = event.target.closest?.("article a[href], main svg a[href]");
    return link && !link.matches(".headerlink") && target(link) ? link : null;
  };
  const later = (act) => {
    clearTimeout(timer);
    timer = setTimeout(act, WAIT);
  };

  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const link = reference(event);
    if (link && link !== shown) later(() => show(link));
    else if (link || box.contains(event.target)) clearTimeout(timer);
    else if (shown && shown !== document.activeElement) later(hide);
    else if (!shown) clearTimeout(timer);
  });
  document.addEventListener("focusin", (event) => {
    const link = reference(event);
    if (link?.matches(":focus-visible")) show(link);
    else if (!box.contains(event.target)) hide();
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  let finger = false;
  document.addEventListener("pointerdown", (event) => (finger = event.pointerType === "touch"));
  document.addEventListener("click", (event) => {
    if (box.contains(event.target)) return;
    const link = reference(event);
    if (finger && link && link !== shown) {
      event.preventDefault();
      show(link);
    } else hide();
  });
  document.addEventListener("DOMContentLoaded", () => document.body.append(box));
})();
