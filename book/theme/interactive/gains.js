/* What depth does to the component u_r v_qᵀ of a gradient: the gains λ_rq = Σ_j σ_r^{2(N-j)/N} σ_q^{2(j-1)/N} of
   `lnn.preconditioner.gains` (prop-preconditioner), for a matrix of three rows and four columns. */
(() => {
  "use strict";
  const { show, spaced, axes, frame } = window.lnnPlots;

  /* The factor for one pair of singular values; 0^0 = 1. */
  const gain = (s, t, depth) =>
    Array.from({ length: depth }, (_, k) => s ** ((2 * (depth - 1 - k)) / depth) * t ** ((2 * k) / depth)).reduce((a, b) => a + b);

  /* Of all pairs: rows are the three left singular vectors, columns the four right ones, the last in the kernel. */
  const gains = ({ values, depth }) => values.map((s) => [...values, 0].map((t) => gain(s, t, depth)));

  /* A cell for each gain, the fuller its colour the greater it is: from 0.01, empty, to 20, on a logarithmic scale. */
  function map(svg, table) {
    const [left, top, width, height] = [54, 28, 68, 58];
    let inside = "";
    table.forEach((row, r) => {
      inside += `<text x="${left - 8}" y="${top + height * (r + 0.5) + 5}" text-anchor="end">u${"₁₂₃"[r]}</text>`;
      row.forEach((value, q) => {
        const [x, y] = [left + width * q, top + height * r];
        const share = value > 0 ? Math.min(1, Math.max(0.04, Math.log(value / 0.01) / Math.log(2000))) : 0;
        inside += `<rect class="cell" x="${x + 2}" y="${y + 2}" width="${width - 4}" height="${height - 4}" fill-opacity="${(0.45 * share).toFixed(3)}"/>`
          + `<text x="${x + width / 2}" y="${y + height / 2 + 5}" text-anchor="middle">${show(value, 2)}</text>`;
      });
    });
    table[0].forEach((_, q) => (inside += `<text x="${left + width * (q + 0.5)}" y="${top - 10}" text-anchor="middle">v${"₁₂₃₄"[q]}</text>`));
    svg.setAttribute("viewBox", `0 0 340 ${top + 3 * height + 10}`);
    svg.innerHTML = inside;
  }

  function draw({ depth, one, two, three }, [left, right]) {
    const values = [one, two, three];
    const table = gains({ values, depth });
    map(left, table);
    const at = spaced(0, 3, 121);
    const top = 1.1 * Math.max(1.5, gain(3, 3, depth));
    axes(right, { x: [0, 3], y: [0, top], xlabel: "singular value σ", ylabel: "gain" })
      .line([[0, 1], [3, 1]], "target")
      .line(at.map((s) => [s, gain(s, s, depth)]), "first").line(at.map((s) => [s, gain(s, 0, depth)]), "second")
      .dots(values.map((s) => [s, gain(s, s, depth)]), "goal", 4)
      .key([["first", "of σ with σ", "goal"], ["second", "of σ with 0"], ["target", "depth 1"]], 12).done();

    const all = table.flat();
    const [least, most] = [Math.min(...all), Math.max(...all)];
    const none = all.filter((value) => value === 0).length;
    const above = values.filter((s) => gain(s, s, depth) > 1).length;
    const border = depth ** (-depth / (2 * depth - 2));
    return {
      words: `Depth ${depth}, singular values ${values.map((s) => show(s)).join(", ")}. The twelve gains lie between ${show(least)} and ${show(most)}`
        + (none ? `; ${none} of them vanish, and what the gradient has there does not move. ` : "; none vanishes. ")
        + (depth === 1 ? "At depth 1 the gradient is left as it is." : `On the diagonal ${above} of 3 exceed 1, the gain without depth: those whose singular value is above ${show(border)}.`),
      head: ["gain", "v₁", "v₂", "v₃", "v₄"],
      rows: table.map((row, r) => [`u${"₁₂₃"[r]}, σ = ${show(values[r])}`, ...row.map((value) => show(value))]),
    };
  }

  window.lnnPlots.gains = { gain, gains };
  frame(document.currentScript.dataset, {
    title: "The gains of the preconditioner, at a depth and singular values of your choice",
    controls: [
      ["depth", "depth N", 1, 8, 1, 3],
      ["one", "σ₁", 0, 3, 0.05, 2],
      ["two", "σ₂", 0, 3, 0.05, 1],
      ["three", "σ₃", 0, 3, 0.05, 0.1],
    ],
    pictures: ["The gains of a matrix of three rows and four columns, one cell for each pair of singular vectors", "The gain over the singular value"],
    hint: "Raise the depth from 1 to 3: the gain of 2 with itself grows from 1 to 7.6, that of 0.1 falls to 0.14. Set σ₃ to 0: the gains of u₃ with v₃ and v₄ vanish. "
      + "Make all three equal: only v₄, which W maps to 0, stays behind.",
    draw,
  });
})();
