/* Two coordinates over N layers of hidden width 1: gradient descent on L(W_N⋯W_1), L = Σ (w_i - y_i)^p / p, from
   W_1 = (ω^{1/N}, 0) and all other factors ω^{1/N} (thm-acceleration-layers), y₂ = 1. */
(() => {
  "use strict";
  const { show, axes, frame, acceleration } = window.lnnPlots;

  const product = ({ u, v, z }, depth) => [u, v].map((part) => z ** (depth - 1) * part);

  /* The row W_1 = (u, v) and the common value z of the other factors after one step. */
  function step({ u, v, z }, y, { p, depth, size }) {
    const w = product({ u, v, z }, depth);
    const g = w.map((value, i) => acceleration.power(value - y[i], p));
    const moved = size * z ** (depth - 1);
    return { u: u - moved * g[0], v: v - moved * g[1], z: z - (size * (w[0] * g[0] + w[1] * g[1])) / z };
  }

  /* Runs until both errors are at most `accuracy`: the states, and the number of steps. */
  function run({ omega, y, p, depth, size, steps, accuracy = 0.5 }) {
    const z = omega ** (1 / depth);
    const states = [{ u: z, v: 0, z }];
    for (let k = 0; ; k++) {
      const w = product(states[k], depth);
      if (w.every((value, i) => Math.abs(value - y[i]) <= accuracy)) return { states, count: k };
      const lost = !(Math.abs(w[0]) + Math.abs(w[1]) < 1e12);
      if (lost || k === steps) return { states, count: Infinity, lost };
      states.push(step(states[k], y, { p, depth, size }));
    }
  }

  /* The step that puts coordinate 1 on y₁ at once, the γ that it leaves for coordinate 2, the gain that is predicted. */
  const landing = ({ p, depth, ratio, omega }) =>
    ((ratio / omega) ** (1 / depth) - 1) / (omega ** (1 - 2 / depth) * (ratio - omega) ** (p - 1));
  const gamma = (given) => landing(given) * given.ratio ** (2 - 2 / given.depth);
  const predicted = ({ depth, ratio, omega }) => {
    const q = ratio / omega;
    return (0.5 * (q ** (1 - 1 / depth) - q ** (1 - 2 / depth))) / (1 - 1 / q);
  };

  function draw({ p, depth, ratio, q, aim }, [left, right]) {
    const omega = ratio / 2 ** q;
    const [y, given] = [[ratio, 1], { p, depth, ratio, omega }];
    const gd = acceleration.plain({ p, ratio, omega });
    const steps = Math.min(20000, Math.max(2000, 2 * gd.count));
    const size = aim * landing(given);
    const deep = run({ omega, y, p, depth, size, steps });
    const rule = acceleration.run({ start: [omega, 0], y, p, depth, size: acceleration.landing(given), steps });
    const last = Math.max(10, ...[gd, deep, rule].map(({ count }) => (Number.isFinite(count) ? count : 0))) + 1;
    const error = ([k, a, b]) => [k + 1, Math.max(Math.abs(a - ratio), Math.abs(b - 1))];
    const states = deep.states.map((state, k) => ({ k, ...state })).filter(({ k }) => k < 200 || k % 20 === 0 || k === deep.states.length - 1);
    const layers = states.map((state) => error([state.k, ...product(state, depth)]));
    axes(left, { x: [1, 1.5 * last], y: [0.3, 3 * ratio], xlog: true, ylog: true, xlabel: "1 + steps", ylabel: "largest error" })
      .line([[1, 0.5], [1.5 * last, 0.5]], "target").text(1, 0.5, "accuracy ½", "start", 4, 15)
      .line(gd.kept.map(error), "d1").line(rule.kept.map(error), "third").line(layers, "first").dots(layers.slice(0, 12), "goal", 2.2)
      .key([["d1", "gradient descent"], ["third", "rule, aimed"], ["first", "layers"]], 128).done();
    const root = ratio ** (1 / depth);
    const end = Math.max(3, deep.states.length);
    const top = 1.7 * root;
    axes(right, { x: [1, end], y: [-0.3, top], xlog: true, xlabel: "1 + steps", ylabel: "factors" })
      .line([[1, root], [end, root]], "target").text(1, root, "y₁ to the power 1/N", "start", 4, -6)
      .line(states.map(({ k, z }) => [k + 1, z]), "first").line(states.map(({ k, u }) => [k + 1, u]), "second").line(states.map(({ k, v }) => [k + 1, v]), "third")
      .key([["first", "z, layers 2 to N"], ["second", "W₁, coordinate 1"], ["third", "W₁, coordinate 2"]], 130).done();

    const said = ({ count, lost }) => (Number.isFinite(count) ? `${count} step${count === 1 ? "" : "s"}` : lost ? "no number of steps: it diverges" : "more steps than are run here");
    const gain = gd.count / deep.count;
    const landed = product(deep.states[1], depth)[0];
    return {
      words: `Depth ${depth}, p = ${p}, y₁/y₂ = ${ratio}, from ω = ${show(omega)}. Accuracy ½ takes the layers, with ${aim === 1 ? "" : `${show(aim)} times `}their landing step, ${said(deep)}; `
        + `the aimed rule ${said(rule)}; gradient descent over w ${said(gd)}. `
        + (Number.isFinite(deep.count) && Number.isFinite(gd.count) ? `The layers gain a factor ${show(gain, 2)}; the prediction for an aimed step is ${show(predicted(given), 2)}. ` : "")
        + `Their first step lands at w₁ = ${show(landed)}, where ${ratio} was wanted; γ is ${show(gamma(given), 2)}, and the theorem asks for at most ${show(1 / (2 * depth), 2)}.`,
      head: ["method", "step size", "steps to accuracy ½", "w₁ after one step"],
      rows: [["gradient descent", show(gd.size), said(gd), show(gd.kept[1][1])],
        ["rule, aimed", show(acceleration.landing(given)), said(rule), show(rule.kept[1][1])],
        [`layers, ${show(aim)} × aimed`, show(size), said(deep), show(landed)]],
    };
  }

  window.lnnPlots.layers = { step, run, landing, gamma, predicted };
  frame(document.currentScript.dataset, {
    title: "Steps to accuracy ½, by gradient descent over the layers",
    controls: [
      ["p", "exponent p", 3, 6, 1, 4],
      ["depth", "depth N", 2, 5, 1, 3],
      ["ratio", "ratio y₁/y₂", 4, 24, 1, 16],
      ["q", "start, y₁/ω", 1, 9, 0.5, 4, (v) => show(2 ** v)],
      ["aim", "step size, aimed = 1", 0.25, 1.5, 0.05, 1],
    ],
    pictures: ["Largest error over steps, on logarithmic axes", "The factors over steps, with the value that they all are to have"],
    hint: "Start nearer to the origin: at depth 2, a y₁/ω four times as large gives about twice the gain, and deeper networks gain more. Start at a quarter of y₁: at depth 2 nothing is gained. "
      + "Set y₁/ω back to 16 and the step size to 1.5: the first step goes too far, and the run diverges.",
    draw,
  });
})();
