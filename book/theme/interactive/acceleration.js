/* Two coordinates under Σ (w_i - y_i)^p / p: the end-to-end rule of `lnn.end_to_end_descent` for one output,
   w ← w - η ‖w‖^{2-2/N} (∇L + (N-1) Pr_w ∇L), from w(0) = (ω, 0) with ω = y₂ = 1 (claim-acceleration). */
(() => {
  "use strict";
  const { show, axes, frame } = window.lnnPlots;
  const power = (v, p) => (p === 2 ? v : Math.abs(v) * power(v, p - 1)); // the derivative of |v|^p / p for whole p: much faster than **

  function step([a, b], y, { p, depth, size }) {
    const [g, h] = [power(a - y[0], p), power(b - y[1], p)];
    const square = a * a + b * b;
    const along = square > 0 ? ((depth - 1) * (a * g + b * h)) / square : 0;
    const moved = depth === 1 ? size : size * square ** (1 - 1 / depth);
    return [a - moved * (g + along * a), b - moved * (h + along * b)];
  }

  /* Runs until both errors are at most `accuracy`; keeps the first 200 points and then, ever more thinly, a few. */
  function run({ start, y, p, depth, size, steps, accuracy = 0.5, every = (k) => k < 200 || k % Math.ceil(k / 100) === 0 }) {
    const kept = [];
    let w = start;
    for (let k = 0; ; k++) {
      const near = Math.max(Math.abs(w[0] - y[0]), Math.abs(w[1] - y[1])) <= accuracy;
      const lost = !(Math.abs(w[0]) + Math.abs(w[1]) < 1e12);
      if (near || lost || k === steps || every(k)) kept.push([k, ...w]);
      if (near || lost || k === steps) return { kept, count: near ? k : Infinity, lost };
      w = step(w, y, { p, depth, size });
    }
  }

  const MOST = 60000; // steps, so that a slider does not stick

  /* From (ω, 0), with ω = 1 unless it is given: eq-acc-landing and eq-acc-lower. */
  const landing = ({ p, depth, ratio, omega = 1 }) => 1 / (depth * omega ** (2 - 2 / depth) * (ratio - omega) ** (p - 2));
  const bound = ({ p, ratio, omega = 1 }) => (p === 2 ? 0
    : ((1 - 2 / (ratio - omega) ** (p - 2)) ** (p - 1) * (2 ** (p - 2) - 1) * (ratio - omega) ** (p - 2)) / (2 * (p - 2)));
  const predicted = ({ depth, ratio }) => ratio ** (2 - 2 / depth) / (2 * depth); // eq-acc-prediction

  /* Gradient descent with the best of some step sizes up to its limit of stability: as they fall, the number of steps
     first falls (coordinate 1 swings less) and then rises (coordinate 2 crawls). */
  function plain({ p, ratio, omega = 1 }) {
    const limit = 2 / (ratio - omega) ** (p - 2);
    let best = null;
    for (const share of [0.99, 0.97, 0.94, 0.9, 0.8, 0.7, 0.6, 0.5]) {
      const found = run({ start: [omega, 0], y: [ratio, 1], p, depth: 1, size: share * limit, steps: Math.min(MOST, 4 * ratio ** (p - 2) + 100) });
      if (best && found.count > best.count) break;
      best = { ...found, size: share * limit };
      if (bound({ p, ratio, omega }) > MOST) break;
    }
    return best;
  }

  function draw({ p, depth, ratio, aim }, [left, right]) {
    const [y, size] = [[ratio, 1], aim * landing({ p, depth, ratio })];
    const gd = plain({ p, ratio });
    const deep = run({ start: [1, 0], y, p, depth, size, steps: Math.min(MOST, Math.max(2000, 2 * gd.count)) });
    const last = Math.max(10, Number.isFinite(gd.count) ? gd.count : MOST, Number.isFinite(deep.count) ? deep.count : 0) + 1;
    const error = ({ kept }) => kept.map(([k, a, b]) => [k + 1, Math.max(Math.abs(a - ratio), Math.abs(b - 1))]);
    const lines = [[gd, 1], [deep, depth]];
    const errors = axes(left, { x: [1, 1.5 * last], y: [0.3, 2 * ratio], xlog: true, ylog: true, xlabel: "1 + steps", ylabel: "largest error" })
      .line([[1, 0.5], [1.5 * last, 0.5]], "target").text(1, 0.5, "accuracy ½", "start", 4, 15);
    const plane = axes(right, { x: [0, 2.1 * ratio], y: [-0.3, 1.6], xlabel: "w₁", ylabel: "w₂" });
    for (const [path, n] of lines) {
      const points = path.kept.map(([, a, b]) => [a, b]);
      errors.line(error(path), `d${n}`).dots(error(path).slice(0, 12), `d${n}`, 2.2);
      plane.line(points, `d${n} thin`).dots(points.slice(0, 200), `d${n}`, 2.2);
    }
    errors.key([["d1", "gradient descent"], [`d${depth}`, `rule, depth ${depth}`]].slice(0, depth === 1 ? 1 : 2), 130).done();
    plane.text(ratio, 1, "minimum", "middle", 0, -10).dots([y], "goal", 5).text(1, 0, "start", "start", 2, 16).dots([[1, 0]], "start", 4).done();

    const steps = (path) => (Number.isFinite(path.count) ? `${path.count} step${path.count === 1 ? "" : "s"}` : path.lost ? "no finite number of steps: it diverges" : `more than ${show(path.kept[path.kept.length - 1][0])} steps`);
    const landed = deep.kept.length > 1 ? deep.kept[1][1] : 1;
    return {
      words: `p = ${p}, y₁/y₂ = ${ratio}. Gradient descent with its best step size needs ${steps(gd)}; the end-to-end rule of depth ${depth} with ${aim === 1 ? "" : `${show(aim)} times `}the aimed step size needs ${steps(deep)}. `
        + (deep.count < gd.count ? `The rule gains a factor ${gd.count < Infinity ? "" : "above "}${show(Math.min(gd.count, MOST) / deep.count, 2)}` : gd.count === Infinity && !deep.lost ? "Neither has arrived" : "The rule gains nothing")
        + (p > 2 && depth > 1 ? `; the prediction for an aimed step is ${show(predicted({ depth, ratio }), 2)}. ` : ". ")
        + `Its first step lands at w₁ = ${show(landed)}, where ${ratio} was wanted.`
        + (p > 2 ? ` Gradient descent needs at least ${Math.ceil(bound({ p, ratio }))} steps, whatever its step size.` : " At p = 2 one step of gradient descent is enough."),
      head: ["rule", "step size", "steps to accuracy ½", "w₁ after one step", "step of w₂ at the end"],
      rows: [["gradient descent", show(gd.size), steps(gd), show(gd.kept.length > 1 ? gd.kept[1][1] : 1), show(gd.size)],
        [`rule, depth ${depth}, ${show(aim)} × aimed`, show(size), steps(deep), show(landed), show(size * ratio ** (2 - 2 / depth))]],
    };
  }

  window.lnnPlots.acceleration = { power, step, run, landing, bound, predicted, plain };
  frame(document.currentScript.dataset, {
    title: "Steps to accuracy ½, by gradient descent and by the end-to-end rule",
    controls: [
      ["p", "exponent p", 2, 6, 2, 4],
      ["depth", "depth N", 1, 4, 1, 3],
      ["ratio", "ratio y₁/y₂", 4, 24, 1, 16],
      ["aim", "step size, aimed = 1", 0.25, 1.5, 0.05, 1],
    ],
    pictures: ["Largest error over steps, on logarithmic axes", "The two runs in the plane of w₁ and w₂"],
    hint: "Raise the ratio y₁/y₂ at p = 4: with every doubling gradient descent needs more than four times as many steps, the aimed rule of depth 2 about twice, that of depth 4 about one and a half times. Gradient descent over the layers gains less. "
      + "Set p = 2: nothing is left to gain. Then move the step size off the aimed one: the gain depends on where the first step lands.",
    draw,
  });
})();
