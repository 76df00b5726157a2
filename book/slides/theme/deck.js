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
  // Printed, every slide is a page, which reveal.js has laid out with the formulas as they were then.
  const fitPages = () => {
    for (const page of document.querySelectorAll(".pdf-page")) {
      const slide = page.querySelector("section");
      fit(slide);
      slide.style.top = `${Math.max(0, (page.clientHeight - slide.scrollHeight) / 2)}px`;
    }
    document.documentElement.dataset.deck = "ready";
  };
  const start = () => {
    if (Reveal.isPrintView()) return document.querySelector(".pdf-page") ? fitPages() : Reveal.on("pdf-ready", fitPages);
    Reveal.on("slidechanged", fitCurrent);
    fitCurrent();
    document.documentElement.dataset.deck = "ready";
  };
  // Sizes are known when the formulas are set and the images are there.
  const set = () => document.documentElement.dataset.formulas || !document.querySelector(".math");
  const wait = () => (window.Reveal?.isReady?.() && document.readyState === "complete" && set() ? start() : setTimeout(wait, 30));
  wait();
})();
