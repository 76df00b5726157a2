/* The graph of statements: one stop of the Tab key, in which arrows lead on; the lines of the mark one is at stand out. */
(() => {
  const svg = document.querySelector(".dependencies svg");
  if (!svg) return;
  const marks = [...svg.querySelectorAll("a[data-label]")];
  const lines = [...svg.querySelectorAll("path.uses")];
  const at = (mark) => mark.transform.baseVal.getItem(0).matrix;

  const light = (mark) => {
    for (const line of lines) line.classList.toggle("lit", line.dataset.ends.split(" ").includes(mark?.dataset.label));
  };
  const MOVES = { ArrowDown: [0, 1], ArrowUp: [0, -1], ArrowRight: [1, 0], ArrowLeft: [-1, 0] };
  const next = (mark, [right, down]) => {
    const { e, f } = at(mark);
    const ahead = marks.filter((other) => (right ? (at(other).e - e) * right > 0 : at(other).e === e && (at(other).f - f) * down > 0));
    const distance = (other) => Math.abs(at(other).e - e) * 100 + Math.abs(at(other).f - f);
    return ahead.sort((one, other) => distance(one) - distance(other))[0];
  };
  svg.addEventListener("keydown", (event) => {
    const mark = event.target.closest("a[data-label]");
    const there = mark && MOVES[event.key] && next(mark, MOVES[event.key]);
    if (!there) return;
    event.preventDefault();
    mark.setAttribute("tabindex", "-1");
    there.setAttribute("tabindex", "0");
    there.focus();
  });
  for (const kind of ["focusin", "pointerover"]) svg.addEventListener(kind, (event) => light(event.target.closest("a[data-label]")));
  for (const kind of ["focusout", "pointerleave"]) svg.addEventListener(kind, () => light(null));
})();
