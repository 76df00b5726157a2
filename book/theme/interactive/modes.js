/* Singular values over time: ṡ = N s^{2-2/N} (φ - s), the modes of `lnn.modes` (prop-saxe). */
(() => {
  "use strict";
  const { flow, show, spaced, geometric, axes, frame } = window.lnnPlots;

  /* For z = log(s / (φ - s)) the equation is ż = N φ s^{1-2/N}: as many digits for a mode far below the others as for
     them, and nothing stiff about one that has arrived. */
  const value = (z, target) => target / (1 + Math.exp(-z));
  const place = (s, target) => Math.log(s / (target - s));
  const speed = (z, depth, target) => depth * target * value(z, target) ** (1 - 2 / depth);

  /* Values at the given times of the mode with each target, all from `start`. */
  const solve = ({ depth, start, targets, times, rtol }) =>
    targets.map((target) => flow(([z]) => [speed(z, depth, target)], [place(start, target)], times, { rtol })
      .map(([z]) => value(z, target)));

  /* Times at which a mode reaches increasing values: the same equation, with z as the clock. */
  function reach({ depth, start, target, values, rtol }) {
    const places = [start, ...values].map((s) => place(s, target));
    return flow(([, z]) => [1 / speed(z, depth, target), 1], [0, places[0]], places, { rtol }).slice(1).map(([t]) => t);
  }

  /* Effective rank of a matrix with these singular values (def-effective-rank). */
  function rank(values) {
    const sum = values.reduce((a, b) => a + b, 0);
    return Math.exp(-values.reduce((h, v) => h + (v > 0 ? (v / sum) * Math.log(v / sum) : 0), 0));
  }

  function draw({ depth, start, one, two, three }, [left, right]) {
    const [from, targets] = [10 ** start, [one, two, three]];
    const clocks = targets.map((target) => reach({ depth, start: from, target, values: [0.1, 0.5, 0.9].map((q) => q * target) }));
    const end = 1.2 * Math.max(...clocks.map((t) => t[2]));
    const times = [0, ...geometric(end / 1e4, end / 50, 40), ...spaced(end / 50, end, 320).slice(1)];
    const values = solve({ depth, start: from, targets, times });
    const ranks = times.map((_, i) => rank(values.map((mode) => mode[i])));
    const x = [0, end];
    const picture = axes(left, { x, y: [0, 1.12 * Math.max(...targets)], xlabel: "time t", ylabel: "singular values" });
    targets.forEach((target, r) => {
      picture.line([[0, target], [end, target]], "target").line(times.map((t, i) => [t, values[r][i]]), `mode m${r + 1}`);
      picture.text(end, target, "σ" + "₁₂₃"[r], "end", -4, -6);
    });
    picture.done();
    const wanted = rank(targets);
    axes(right, { x, y: [1, 3.1], xlabel: "time t", ylabel: "effective rank" })
      .line([[0, wanted], [end, wanted]], "target").text(end, wanted, "of the target", "end", -4, -6)
      .line(times.map((t, i) => [t, ranks[i]]), "first").done();

    const at = solve({ depth, start: from, targets, times: [0, Math.max(clocks[0][1], 1e-12)] }).map((mode) => mode[1]);
    const order = [0, 1, 2].sort((a, b) => clocks[a][1] - clocks[b][1]);
    const wait = (r) => clocks[r][1] / (clocks[r][2] - clocks[r][0]);
    return {
      words: `Depth ${depth}, all singular values start at ${show(from)}. Half of its target is reached by `
        + order.map((r) => `σ${"₁₂₃"[r]} at time ${show(clocks[r][1])}`).join(", by ")
        + `. When σ₁ is half learned, σ₂ has come ${show((100 * at[1]) / two, 2)} % and σ₃ ${show((100 * at[2]) / three, 2)} % of its way, and the effective rank is ${show(rank(at))}. `
        + `σ₁ waits ${show(wait(0), 2)} times as long as it then takes to rise from 10 % to 90 %.`,
      head: ["mode", "target", "10 % at time", "50 %", "90 %"],
      rows: targets.map((target, r) => ["σ" + "₁₂₃"[r], show(target), ...clocks[r].map((t) => show(t))]),
    };
  }

  window.lnnPlots.modes = { solve, reach, rank };
  frame(document.currentScript.dataset, {
    title: "Singular values over time, at a depth, a start and targets of your choice",
    controls: [
      ["depth", "depth N", 1, 8, 1, 3],
      ["start", "initial scale", -6, -1.5, 0.25, -3, (v) => show(10 ** v, 2)],
      ["one", "target of σ₁", 0.5, 4, 0.1, 3],
      ["two", "target of σ₂", 0.5, 4, 0.1, 2],
      ["three", "target of σ₃", 0.5, 4, 0.1, 1],
    ],
    pictures: ["Three singular values over time, with their targets", "Effective rank over time"],
    hint: "Set the depth to 1: all three rise together. Raise it: they come one after the other, and the effective rank climbs in steps. "
      + "Make the initial scale smaller: from depth 2 on the waiting grows, and at depth 3 and beyond the steps become sharper and sharper.",
    draw,
  });
})();
