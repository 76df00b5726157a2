/* The frame of a plot that moves: title, sliders, pictures, what they show in words, what to try, and the numbers.
   It stands below the static figure, which stays: for paper, and for readers without scripts. */
(() => {
  "use strict";
  const { make, show } = window.lnnPlots;

  /* figure: id of the static figure; plot: name of the script. controls: [name, label, least, greatest, step, value, say], where say(value)
     is how a value is spoken and shown, if not as other numbers. pictures: what each picture is. draw(values, pictures) draws them and
     returns { words, head, rows }: the text alternative and a table. */
  function frame({ figure, plot }, { title, controls, pictures, hint, draw }) {
    const below = document.getElementById(figure);
    const id = (name) => `try-${plot}-${name}`;
    const sliders = {};
    const settings = make("div", { class: "settings" });
    for (const [name, label, min, max, step, value] of controls) {
      const slider = make("input", { type: "range", id: id(name), min, max, step, value });
      const spoken = make("span", { class: "value", "aria-hidden": "true" });
      settings.append(make("div", {}, make("label", { for: slider.id }, label), spoken, slider));
      sliders[name] = { slider, spoken };
      slider.addEventListener("input", update);
    }
    const reset = make("button", { type: "button" }, "Reset");
    settings.append(reset);
    const drawn = pictures.map((label) =>
      make("svg", { role: "img", "aria-label": label, "aria-describedby": id("words") }));
    const words = make("p", { id: id("words"), class: "words", "aria-live": "polite" });
    const table = make("table");
    const root = make("div", { class: "lnn-try", id: id("frame"), role: "group", "aria-labelledby": id("title") },
      make("p", { class: "title", id: id("title") }, title), settings, make("div", { class: "pictures" }, ...drawn),
      words, make("p", { class: "hint" }, make("strong", {}, "Try: "), hint),
      make("details", {}, make("summary", {}, "The numbers"), make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Table of the numbers" }, table)));

    function values() {
      return Object.fromEntries(Object.entries(sliders).map(([name, { slider }]) => [name, Number(slider.value)]));
    }
    function update() {
      const chosen = values();
      for (const [name, , , , , , say = (v) => show(v)] of controls) {
        const { slider, spoken } = sliders[name];
        spoken.textContent = say(chosen[name], chosen);
        slider.setAttribute("aria-valuetext", spoken.textContent);
      }
      const { words: sentence, head, rows } = draw(chosen, drawn);
      words.textContent = sentence;
      const cells = (tag, row) => make("tr", {}, ...row.map((cell, i) =>
        tag === "th" || i === 0 ? make("th", { scope: tag === "th" ? "col" : "row" }, cell) : make("td", {}, cell)));
      table.replaceChildren(make("thead", {}, cells("th", head)), make("tbody", {}, ...rows.map((row) => cells("td", row))));
    }
    /* Move some sliders from elsewhere, as a click into a picture does. */
    function set(wanted) {
      for (const [name, value] of Object.entries(wanted)) sliders[name].slider.value = value;
      update();
    }
    reset.addEventListener("click", () => set(Object.fromEntries(controls.map(([name, , , , , value]) => [name, value]))));
    let place = below.closest(".cell") || below;
    while (place.nextElementSibling?.matches(".lnn-try")) place = place.nextElementSibling;
    place.after(root);
    const link = make("a", { href: `#${root.id}` }, title.charAt(0).toLowerCase() + title.slice(1));
    below.querySelector("figcaption").append(make("p", { class: "lnn-moves" }, "To move, below: ", link, "."));
    update();
    return { root, pictures: drawn, values, set };
  }
  window.lnnPlots.frame = frame;
})();
