/* A slide that is taller than the screen is set in smaller type, down to a half, until it fits. */
(() => {
  const ROOM = 690;
  const fit = (slide) => {
    if (!slide || slide.querySelector("section")) return;
    slide.style.fontSize = "";
    for (let scale = 0.98; scale >= 0.5 && tall(slide); scale -= 0.02) slide.style.fontSize = `${scale}em`;
  };
  const tall = (slide) =>
    slide.scrollHeight > ROOM ||
    [...slide.querySelectorAll(".katex-display")].some((formula) => formula.scrollWidth > formula.clientWidth + 1);
  const fitCurrent = () => {
    fit(Reveal.getCurrentSlide());
    Reveal.layout();
  };
  const fitAll = () => document.querySelectorAll(".reveal .slides section").forEach(fit);
  const start = () => {
    Reveal.on("slidechanged", fitCurrent);
    Reveal.on("pdf-ready", fitAll);
    fitCurrent();
    document.documentElement.dataset.deck = "ready";
  };
  const wait = () => (window.Reveal?.isReady?.() && (document.documentElement.dataset.formulas || !document.querySelector(".math")) ? start() : setTimeout(wait, 30));
  wait();
})();
