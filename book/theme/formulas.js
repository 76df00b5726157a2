/* Set the formulas with KaTeX: TeX in, HTML and MathML for screen readers out. Where a line of text can break inside a
   formula, at relations, KaTeX lets it; what it must not do is part a formula from the comma behind it, so punctuation
   moves into the formula's last piece, and a bracket before it into the first. */
(() => {
  const DELIMITED = /^\s*\\[[(]([^]*)\\[\])]\s*$/;
  const BEHIND = /^[,.;:!?)\]’”]+/;
  const BEFORE = /[(\[“‘]+$/;

  const beside = (neighbour, pattern, piece, place) => {
    const found = neighbour?.nodeType === Node.TEXT_NODE && neighbour.data.match(pattern);
    if (!found || !piece) return;
    neighbour.data = neighbour.data.replace(pattern, "");
    const mark = document.createElement("span");
    mark.className = "beside";
    mark.textContent = found[0];
    piece[place](mark);
  };

  const set = (math) => {
    const text = [...math.childNodes].find((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const tex = text.data.match(DELIMITED)?.[1] ?? text.data; // an environment of its own has no delimiters
    const displayMode = math.tagName === "DIV";
    const formula = document.createElement("span");
    text.replaceWith(formula);
    window.katex.render(tex, formula, { displayMode, throwOnError: false, strict: "ignore" });
    if (displayMode) return;
    const pieces = formula.querySelectorAll(".katex-html > .katex-base");
    beside(math.nextSibling, BEHIND, pieces[pieces.length - 1], "append");
    beside(math.previousSibling, BEFORE, pieces[0], "prepend");
  };

  /* A display that is too wide shrinks by up to a fifth; what is wider still scrolls in its box, whose faded edge says
     so. Both are found out again when the box changes, also when it comes out of a closed proof, and when a font has
     come. First all are read, then all written: each change from one to the other costs a layout of the page. */
  const fitAll = (displays) => {
    for (const display of displays) display.style.fontSize = "";
    const ratios = displays.map((display) => display.clientWidth / display.scrollWidth);
    displays.forEach((display, i) => {
      if (ratios[i] < 1) display.style.fontSize = `${Math.max(0.8, Math.floor(ratios[i] * 100) / 100)}em`;
    });
    document.dispatchEvent(new CustomEvent("fitted", { detail: displays }));
  };
  const fit = new ResizeObserver((entries) => fitAll(entries.map(({ target }) => target)));
  document.fonts.addEventListener("loadingdone", () => fitAll([...document.querySelectorAll(".katex-display")]));

  /* What comes to the page later, a preview, is set by whoever brings it. */
  window.setFormulas = (box) => {
    if (!window.katex) return;
    box.querySelectorAll(".math").forEach(set);
    box.querySelectorAll(".katex-display").forEach((display) => fit.observe(display));
  };

  const setAll = () => {
    if (!window.katex) return;
    const begun = performance.now();
    window.setFormulas(document);
    document.documentElement.dataset.formulas = `set in ${Math.round(performance.now() - begun)} ms`;
    document.dispatchEvent(new Event("formulas"));
  };

  /* From a server KaTeX comes packed, a third of its size; from a file, or in a browser that cannot unpack, as it is. */
  const address = new URL("katex/katex.min.js", document.currentScript.src).href;
  const run = (source) =>
    new Promise((done) => {
      const script = document.createElement("script");
      script.src = source;
      script.onload = script.onerror = done;
      document.head.append(script);
    });
  const packed = async () => {
    const answer = await fetch(`${address}.gz`);
    if (!answer.ok) throw new Error(`not there: ${address}.gz`);
    const code = await new Response(answer.body.pipeThrough(new DecompressionStream("gzip"))).text();
    await run(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  };
  const canUnpack = location.protocol !== "file:" && "DecompressionStream" in window;
  (canUnpack ? packed().catch(() => run(address)) : run(address)).then(setAll);
})();
