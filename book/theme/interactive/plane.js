/* The landscape φ(w₁, w₂) = ½ (w₂ w₁ - 1)², with `lnn.gradient_flow` and `lnn.gradient_descent` from where the reader
   clicks: a network of two scalar layers (def-gf, def-gd, prop-conservation). */
(() => {
  "use strict";
  const { flow, show, small, spaced, axes, under, frame } = window.lnnPlots;
  const SIDE = [-2.1, 2.1];
  const LAST = 12;

  const field = ([a, b]) => [(1 - a * b) * b, (1 - a * b) * a];
  const loss = ([a, b]) => 0.5 * (a * b - 1) ** 2;
  const conserved = ([a, b]) => b * b - a * a;

  /* Steps of gradient descent, the first one included; ends early where they leave floating point. */
  function descent(start, size, steps) {
    const found = [start];
    for (let k = 0; k < steps; k++) {
      const [a, b] = found[k];
      const [u, v] = field([a, b]);
      const next = [a + size * u, b + size * v];
      if (!next.every((x) => Math.abs(x) < 1e6)) break;
      found.push(next);
    }
    return found;
  }

  /* A level line w₂ w₁ = c, or w₂² - w₁² = c, as one or two branches. */
  const product = (c) => [1, -1].map((sign) => spaced(-4, 4, 81).map((s) => [sign * Math.exp(s), (sign * c) / Math.exp(s)]));
  const hyperbola = (c) => [1, -1].map((sign) => spaced(-2, 2, 41).map((s) => {
    const [x, y] = [Math.sqrt(Math.abs(c)) * Math.sinh(s), sign * Math.sqrt(Math.abs(c)) * Math.cosh(s)];
    return c >= 0 ? [x, y] : [y, x];
  }));

  function draw({ a, b, size }, [picture, chart]) {
    const start = [a, b];
    const steps = Math.round(LAST / size);
    const run = descent(start, size, steps);
    const times = spaced(0, LAST, 241);
    const path = flow(field, start, times);
    const there = axes(picture, { H: 334, x: SIDE, y: SIDE, xlabel: "w₁", ylabel: "w₂" });
    for (const level of [0.05, 0.12, 0.25, 0.45, 1, 2, 4, 8]) {
      for (const sign of [1, -1]) product(1 + sign * Math.sqrt(2 * level)).forEach((line) => there.line(line, "level"));
    }
    product(1).forEach((line) => there.line(line, "target"));
    const c = conserved(start);
    if (Math.abs(c) > 1e-9) hyperbola(c).forEach((line) => there.line(line, "kept"));
    else [1, -1].forEach((sign) => there.line([[-3, -3 * sign], [3, 3 * sign]], "kept"));
    there.line(run, "hop").dots(run, "second", 2.6).line(path, "first").dots([start], "start", 6).text(a, b, "start", a > 1.4 ? "end" : "start", a > 1.4 ? -9 : 9, -7).done();
    const floor = (v) => Math.max(v, 1e-12);
    axes(chart, { H: 334, x: [0, LAST], y: [1e-8, 1e2], ylog: true, xlabel: "time t, for descent η times steps", ylabel: "loss" })
      .line(run.map((w, k) => [k * size, floor(loss(w))]), "hop").dots(run.map((w, k) => [k * size, floor(loss(w))]), "second", 2.6)
      .line(times.map((t, i) => [t, floor(loss(path[i]))]), "first").key([["first", "flow"], ["hop", "descent", "second"], ["target", "minimizers"], ["kept", "w₂² − w₁² kept"]], 120).done();

    const [end, last] = [path[path.length - 1], run[run.length - 1]];
    const at = (w) => `(${w.map((v) => show(Number(v.toFixed(2)))).join(", ")})`;
    const sharp = end[0] ** 2 + end[1] ** 2;
    const caught = loss(end) > 0.4 && Math.hypot(...end) < 0.3;
    const verdict = run.length <= steps ? `diverges after ${run.length - 1} steps`
      : loss(last) > 1e-3 && Math.hypot(...last) > 0.3 ? `is at ${at(last)} and has not settled`
        : loss(last) > 0.4 ? "is still near the saddle at the origin"
          : `ends near ${at(last)}${last[0] * end[0] < 0 ? ", on the other branch of minimizers" : ""}`;
    return {
      words: loss(start) < 1e-20 ? `${at(start)} is a minimizer: neither moves.` : `From ${at(start)} gradient flow ${caught ? "is caught by the saddle at the origin" : `ends near ${at(end)}`}, with loss ${small(loss(end))}, and keeps w₂² − w₁² = ${show(c)}. `
        + `Gradient descent with step size ${show(size)} ${verdict}; its w₂² − w₁² is ${show(conserved(last))}. `
        + (caught ? "" : `The curvature where the flow ends is ${show(sharp)}, so descent can settle there ${size * sharp < 2 ? "" : "only "}with step sizes below ${show(2 / sharp)}.`),
      head: ["place", "w₁", "w₂", "loss", "w₂² − w₁²"],
      rows: [["start", start], ["flow at t = 12", end], [`descent, step ${run.length - 1}`, last]]
        .map(([name, w]) => [name, ...w.map((v) => show(v)), small(loss(w)), show(conserved(w))]),
    };
  }

  window.lnnPlots.plane = { field, loss, conserved, descent };
  const made = frame(document.currentScript.dataset, {
    title: "Gradient flow and gradient descent from where you click",
    controls: [
      ["a", "start w₁", -2, 2, 0.05, 1.9],
      ["b", "start w₂", -2, 2, 0.05, -1],
      ["size", "step size η", 0.05, 1.2, 0.05, 0.35],
    ],
    pictures: ["Landscape of half the square of w₂w₁ − 1: click, or use the arrow keys, to move the start", "Loss over time"],
    hint: "Start on the antidiagonal, w₂ = −w₁: the flow runs into the saddle. One step beside it: it escapes, late. "
      + "Then raise the step size: descent leaves the dotted hyperbola, to which the flow keeps, and jumps across the dashed minimizers; where they are too curved it cannot stay.",
    draw,
  });

  /* The picture itself takes clicks and arrow keys, and says so to a screen reader. */
  const map = made.pictures[0];
  map.setAttribute("tabindex", "0");
  map.setAttribute("role", "application");
  map.classList.add("map");
  const snap = (v) => Math.max(-2, Math.min(2, Math.round(v * 20) / 20));
  const move = (a, b) => made.set({ a: snap(a), b: snap(b) });
  map.addEventListener("pointerdown", (event) => move(...under(map, event, SIDE, SIDE)));
  map.addEventListener("pointermove", (event) => {
    if (event.buttons && event.pointerType === "mouse") move(...under(map, event, SIDE, SIDE));
  });
  map.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!by) return;
    const [now, far] = [made.values(), event.shiftKey ? 0.5 : 0.05];
    move(now.a + far * by[0], now.b + far * by[1]);
    event.preventDefault();
  });
})();
