/* What the plots that move share: an integrator, axes in SVG, and a frame with sliders, words and a table.
   Each plot is a file of its own, adds its mathematics to window.lnnPlots, and calls `frame`. */
(() => {
  "use strict";
  const STAGES = [
    [1 / 5], [3 / 40, 9 / 40], [44 / 45, -56 / 15, 32 / 9],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
    [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
  ];
  const ERROR = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40];

  /* States at the given times of ẏ = field(y): Dormand and Prince's pair, steps cut to land on every time.
     Ends early, with the states so far, where the solution leaves floating point or `most` steps were not enough. */
  function flow(field, start, times, { rtol = 1e-8, atol = 1e-10, most = 2e5 } = {}) {
    let [y, t, k, tries] = [start.slice(), times[0], [field(start)], 0];
    const size = Math.max(...k[0].map((v, i) => Math.abs(v) / (atol + rtol * Math.abs(y[i]))));
    let h = Math.min(times[times.length - 1] - t, 0.1 / (size ** 0.2 + 1e-12));
    const found = [y];
    for (const end of times.slice(1)) {
      while (t < end) {
        const step = Math.min(h, end - t);
        let next = y;
        STAGES.forEach((row, s) => {
          next = y.map((v, i) => v + step * row.reduce((sum, a, j) => sum + a * k[j][i], 0));
          k[s + 1] = field(next);
        });
        const error = Math.sqrt(y.reduce((sum, v, i) => {
          const scale = atol + rtol * Math.max(Math.abs(v), Math.abs(next[i]));
          return sum + (step * ERROR.reduce((e, c, j) => e + c * k[j][i], 0) / scale) ** 2;
        }, 0) / y.length);
        if (error <= 1) {
          [y, t] = [next, step < h ? end : t + step];
          k[0] = k[6];
        }
        const factor = Number.isFinite(error) ? Math.min(5, Math.max(0.2, 0.9 * (error + 1e-12) ** -0.2)) : 0.2;
        h = error <= 1 && step < h ? Math.max(h, step * factor) : step * factor;
        if (++tries > most || h < 1e-14 * (1 + Math.abs(t))) return found;
      }
      found.push(y);
    }
    return found;
  }

  const raised = (n) => String(n).replace(/./g, (c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] || "⁻");
  /* A number for people: three digits, a true minus sign, powers of ten only where they are needed. */
  function show(v, digits = 3) {
    if (!Number.isFinite(v)) return v > 0 ? "∞" : v < 0 ? "−∞" : "–";
    const size = Math.abs(v);
    if (size && (size < 1e-3 || size >= 1e6)) {
      const [head, power] = v.toExponential(1).split("e");
      return (head === "1.0" ? "" : head.replace("-", "−").replace(".0", "") + "·") + "10" + raised(Number(power));
    }
    return String(Number(size >= 100 ? v.toFixed(0) : v.toPrecision(digits))).replace("-", "−");
  }

  const small = (v) => (v < 1e-10 ? "below 10⁻¹⁰" : show(v, 2));

  const spaced = (low, high, count) => Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));
  const geometric = (low, high, count) => spaced(Math.log(low), Math.log(high), count).map(Math.exp);
  const [W, L, T, R, B] = [340, 54, 10, 10, 42];

  function ticks([low, high], log) {
    if (log) {
      const [a, b] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
      const stride = Math.ceil((b - a + 1) / 6);
      return spaced(a, b, b - a + 1).filter((p) => p % stride === 0).map((p) => [10 ** p, p > -2 && p < 4 ? String(10 ** p) : "10" + raised(p)]);
    }
    const power = 10 ** Math.floor(Math.log10((high - low) / 3));
    const step = [5, 2, 1].map((m) => m * power).find((s) => (high - low) / s >= 3);
    const first = Math.ceil(low / step - 1e-9);
    return spaced(0, 9, 10).map((i) => (first + i) * step).filter((v) => v <= high + step * 1e-6).map((v) => [v, show(v)]);
  }

  /* Axes on an <svg>: `line`, `dots`, `text` and `key` add to the picture, `done` puts it in place; what leaves the
     axes is cut off. */
  function axes(svg, { x, y, xlabel, ylabel, xlog = false, ylog = false, H = 250 }) {
    const place = (v, [a, b], log) => (log ? Math.log(Math.max(v, 1e-300) / a) / Math.log(b / a) : (v - a) / (b - a));
    const cap = (v) => Math.max(-2e3, Math.min(2e3, v)).toFixed(1);
    const X = (v) => cap(place(v, x, xlog) * (W - L - R));
    const Y = (v) => cap((1 - place(v, y, ylog)) * (H - T - B));
    let [inside, outside] = ["", ""];
    for (const [v, name] of ticks(x, xlog)) {
      inside += `<path class="grid" d="M${X(v)} 0V${H}"/>`;
      outside += `<text x="${L + +X(v)}" y="${H - B + 17}" text-anchor="middle">${name}</text>`;
    }
    for (const [v, name] of ticks(y, ylog)) {
      inside += `<path class="grid" d="M0 ${Y(v)}H${W}"/>`;
      outside += `<text x="${L - 6}" y="${T + +Y(v) + 4}" text-anchor="end">${name}</text>`;
    }
    outside += `<path class="frame" d="M${L} ${T}V${H - B}H${W - R}"/>`
      + `<text x="${(L + W - R) / 2}" y="${H - 6}" text-anchor="middle">${xlabel}</text>`
      + `<text transform="translate(13 ${(T + H - B) / 2}) rotate(-90)" text-anchor="middle">${ylabel}</text>`;
    const here = {
      line(points, kind) {
        const path = points.filter((p) => p.every(Number.isFinite)).map(([a, b]) => `${X(a)} ${Y(b)}`).join("L");
        if (path) inside += `<path class="line ${kind}" d="M${path}"/>`;
        return here;
      },
      dots(points, kind, r = 3) {
        for (const [a, b] of points) inside += `<circle class="${kind}" cx="${X(a)}" cy="${Y(b)}" r="${r}"/>`;
        return here;
      },
      text(a, b, words, anchor = "start", dx = 4, dy = -5) {
        inside += `<text x="${+X(a) + dx}" y="${+Y(b) + dy}" text-anchor="${anchor}" class="name">${words}</text>`;
        return here;
      },
      key(rows, across = W - L - R - 110) {
        rows.forEach(([kind, words, dot], i) => {
          inside += `<path class="line ${kind}" d="M${across} ${12 + 17 * i}h26"/>`;
          if (dot) inside += `<circle class="${dot}" cx="${across + 13}" cy="${12 + 17 * i}" r="2.6"/>`;
          inside += `<text x="${across + 32}" y="${16 + 17 * i}" class="name">${words}</text>`;
        });
        return here;
      },
      done() {
        svg.setAttribute("viewBox", `0 0 ${W} ${H}`);
        svg.innerHTML = `<svg x="${L}" y="${T}" width="${W - L - R}" height="${H - T - B}">${inside}</svg>${outside}`;
      },
    };
    return here;
  }

  /* The numbers under a pointer, on axes with the given linear ranges. */
  function under(svg, event, x, y) {
    const box = svg.getBoundingClientRect();
    const scale = W / box.width;
    const [a, b] = [(event.clientX - box.left) * scale - L, (event.clientY - box.top) * scale - T];
    return [x[0] + (a / (W - L - R)) * (x[1] - x[0]), y[1] - (b / (box.height * scale - T - B)) * (y[1] - y[0])];
  }

  function make(tag, attributes = {}, ...inside) {
    const holder = document.createElement("div");
    holder.innerHTML = "<svg></svg>"; // the parser knows the namespace of SVG
    const node = tag === "svg" ? holder.firstChild : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...inside);
    return node;
  }
  window.lnnPlots = { flow, show, small, spaced, geometric, axes, under, make };
})();
