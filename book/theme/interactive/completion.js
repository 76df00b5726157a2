/* The completion of (* 1; 1 0) under the end-to-end flow of `lnn.end_to_end_flow`, from symmetric starts
   α (1-m, m; m, 1-m): at m = 0 a multiple of the identity, at m = 1 of the permutation, and det < 0 from m > ½. */
(() => {
  "use strict";
  const { flow, show, small, geometric, axes, frame } = window.lnnPlots;

  /* ½ [(w₁₂ - 1)² + (w₂₁ - 1)² + w₂₂²] at w = (w₁₁, w₁₂ = w₂₁, w₂₂). */
  const loss = ([, b, c]) => (b - 1) ** 2 + 0.5 * c * c;

  const entries = ([one, two, angle]) => {
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    return [one * c * c + two * s * s, (one - two) * c * s, one * s * s + two * c * c];
  };

  /* The larger and the smaller eigenvalue. */
  function eigenvalues([a, b, c]) {
    const [mean, half] = [(a + c) / 2, Math.hypot((a - c) / 2, b)];
    return [mean + half, mean - half];
  }

  /* eq-log-flow, with a sign before each exponential: the determinant cannot change its sign by rounding. */
  function solve({ depth, scale, place, times, rtol }) {
    const start = [scale * (1 - place), scale * place, scale * (1 - place)];
    if (depth === 1) {
      const fixed = flow(([, b, c]) => [0, 1 - b, -c], start, times, { rtol });
      return fixed.map((w) => ({ w, values: eigenvalues(w) }));
    }
    const [one, two] = [scale, scale * (1 - 2 * place)];
    const sign = [1, Math.sign(Math.round(two * 1e12))];
    const values = ([x, y]) => [Math.exp(x), sign[1] * Math.exp(y)];
    const field = ([x, y, angle]) => {
      const [p, q] = values([x, y]);
      const [, b, c] = entries([p, q, angle]);
      const [u, v] = [Math.cos(angle), Math.sin(angle)];
      const [g, h] = [b - 1, c]; // the gradient is (0, g; g, h)
      const first = 2 * u * v * g + v * v * h;
      const second = -2 * u * v * g + u * u * h;
      const mixed = (u * u - v * v) * g + u * v * h;
      let gain = 0;
      for (let j = 1; j <= depth; j++) gain += Math.abs(q) ** ((2 * (depth - j)) / depth) * p ** ((2 * (j - 1)) / depth);
      const rate = (value) => -depth * Math.sign(value) * Math.abs(value) ** (1 - 2 / depth);
      return [rate(p) * first, sign[1] && Math.max(y, -700) === y ? rate(q) * second : 0, (-gain * mixed) / (p - q)];
    };
    const found = flow(field, [Math.log(one), sign[1] ? Math.log(Math.abs(two)) : 0, Math.PI / 4], times, { rtol });
    return found.map(([x, y, angle]) => ({ w: entries([...values([x, y]), angle]), values: values([x, y]) }));
  }

  function rank([p, q]) {
    const share = Math.min(Math.abs(p), Math.abs(q)) / (Math.abs(p) + Math.abs(q));
    return share > 0 ? Math.exp(-share * Math.log(share) - (1 - share) * Math.log1p(-share)) : 1;
  }
  const nuclear = ([p, q]) => Math.abs(p) + Math.abs(q);

  const LAST = 300;
  function draw({ depth, scale, place }, [plane, chart]) {
    const times = [0, ...geometric(0.01, 100, 201), ...geometric(100, LAST, 25).slice(1)];
    const path = solve({ depth, scale, place, times, rtol: 1e-7 });
    const there = axes(plane, { x: [0, 9], y: [-2, 0.8], xlabel: "larger eigenvalue", ylabel: "smaller eigenvalue" });
    there.line([[0, 0], [9, 0]], "wall").text(8.9, 0, "determinant 0", "end", 0, -6);
    there.line(geometric(0.3, 9, 80).map((x) => [x, -1 / x]), "target").text(1.1, -1 / 1.1, "completions", "start", 8, 14);
    there.line(path.map(({ values }) => values), "first").dots([path[0].values], "start", 5).done();

    const curves = [["first", "hidden entry w₁₁", ({ w }) => w[0]], ["second", "nuclear norm", ({ values }) => nuclear(values)], ["third", "effective rank", ({ values }) => rank(values)]];
    const top = Math.max(3, ...path.map(({ values }) => nuclear(values)));
    const bottom = Math.min(0, ...path.map(({ w }) => w[0]));
    const picture = axes(chart, { x: [0.01, LAST], y: [1.1 * bottom, 1.35 * top], xlog: true, xlabel: "time t", ylabel: "entry, norm, rank" });
    for (const [kind, , value] of curves) picture.line(path.map((at, i) => [times[i], value(at)]).slice(1), kind);
    picture.key(curves.map(([kind, name]) => [kind, name]), 12).done();

    const entry = (w) => show(Math.abs(w[0]) < 1e-9 ? 0 : w[0]);
    const [start, end] = [path[0], path[path.length - 1]];
    const det = start.values[0] * start.values[1];
    const side = Math.abs(det) < 1e-12 ? "zero" : det > 0 ? "positive" : "negative";
    const now = `At time ${LAST} the loss is ${small(loss(end.w))}, the hidden entry ${entry(end.w)}, the nuclear norm ${show(nuclear(end.values))} and the effective rank ${show(rank(end.values))}. `;
    const told = depth === 1 ? "A single layer never moves the hidden entry."
      : side === "negative" ? `The determinant stays negative: ${loss(end.w) < 1e-6 ? "the flow has settled at a completion, with finite norms." : "the flow is still on its way."}`
        : `The determinant stays ${side}, and completions have determinant −1: the loss can tend to zero only as the hidden entry and every norm grow without bound.`;
    return {
      words: `Depth ${depth}, start ${show(scale)}·(${show(1 - place)}, ${show(place)}; ${show(place)}, ${show(1 - place)}) with ${side} determinant. ${now}${told}`,
      head: ["time", "loss", "w₁₁", "nuclear norm", "Frobenius norm", "effective rank", "determinant"],
      rows: [0, ...[0.1, 1, 10, 100, LAST].map((t) => times.findIndex((s) => s >= t * (1 - 1e-9)))].map((i) => {
        const { w, values } = path[i];
        return [show(times[i]), small(loss(w)), entry(w), show(nuclear(values)), show(Math.hypot(...values)), show(rank(values)), show(values[0] * values[1])];
      }),
    };
  }

  window.lnnPlots.completion = { solve, loss, rank, nuclear };
  frame(document.currentScript.dataset, {
    title: "The two sides of the wall: completing a 2×2 matrix from a start of your choice",
    controls: [
      ["depth", "depth N", 1, 4, 1, 3],
      ["place", "start m", 0.05, 1, 0.05, 0.3, (v) => `${show(v)}: det ${v === 0.5 ? "= 0" : v < 0.5 ? "> 0" : "< 0"}`],
      ["scale", "scale α", 0.1, 1, 0.05, 0.3],
    ],
    pictures: ["Path of the two eigenvalues, with the completions and the wall of determinant zero", "Hidden entry, nuclear norm and effective rank over time, on a logarithmic axis"],
    hint: "The start is W = α(1−m, m; m, 1−m), a multiple of the identity at m = 0 and of the permutation at m = 1. Move m across ½, where the determinant of the start changes its sign. On one side the path runs along the wall and every norm grows; on the other it ends on the dashed completions. "
      + "At depth 1 the wall holds nobody up.",
    draw,
  });
})();
