/* Statements are found as themselves: those whose kind, number and title have all the words of the question stand above
   what the search finds in the pages. */
(() => {
  /* Excerpts and titles show formulas without their commands. */
  const SIGNS = { top: "ᵀ", cdots: "⋯", dots: "…", ldots: "…", sigma: "σ", lambda: "λ", eta: "η", varphi: "φ", phi: "φ", ell: "ℓ" };
  Object.assign(SIGNS, { delta: "δ", alpha: "α", times: "×", le: "≤", ge: "≥", in: "∈", mapsto: "↦", to: "→", lVert: "‖", rVert: "‖" });
  const readable = (text) =>
    text.replace(/\\([a-zA-Z]+) ?/g, (_, name) => SIGNS[name] ?? "").replace(/\\.|[{}$&]/g, "").replace(/([^\x00-\x7f])_(\w)/g, "$1$2");
  const plain = Search.htmlToText;
  Search.htmlToText = (...page) => readable(plain(...page));
  new MutationObserver(() => {
    for (const link of document.querySelectorAll("#search-results li a")) {
      if (/[\\$]/.test(link.textContent)) link.textContent = readable(link.textContent);
    }
  }).observe(document.getElementById("search-results"), { childList: true, subtree: true });

  const words = (text) => text.toLowerCase().match(/[\p{L}\p{N}.]+/gu) ?? [];
  const question = words(new URLSearchParams(location.search).get("q") ?? "");
  const found = (window.statements ?? []).filter(([name, title]) => {
    const its = words(`${name} ${title}`);
    return question.every((word) => its.some((own) => (/\d/.test(word) ? own === word : own.startsWith(word))));
  });
  if (!question.length || !found.length) return;
  const section = document.createElement("section");
  section.className = "statements";
  section.append(Object.assign(document.createElement("h2"), { textContent: "Statements" }));
  const list = document.createElement("ul");
  for (const [name, title, address] of found) {
    const link = Object.assign(document.createElement("a"), { href: address, textContent: name });
    const item = document.createElement("li");
    item.append(link, ` ${readable(title)}`);
    list.append(item);
  }
  section.append(list);
  document.getElementById("search-results").before(section);
})();
