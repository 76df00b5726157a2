"""A displayed formula as tokens: its parts, and what it would be with a sign or a digit changed."""

import re
from functools import cache

PLAIN = (  # what stands for the same in the eyes of a reader
    (r"\\(?:bigl|bigr|Bigl|Bigr|big|Big|left|right|displaystyle|textstyle|square)(?![a-zA-Z])", " "),
    (r"(?<!\\)\\[,;! ]|(?<=\\\\)\[\w+\]|\{\s*\}", " "),
    (r"\\(?:operatorname|mathrm|mathcal|mathbb)\{(\w+)\}", r"\\\1 "),
    (r"\\begin\{(cases|pmatrix)\}", r"\\\1 "),
    (r"\\end\{(cases|pmatrix)\}", r"\\end "),
    (r"\\(?:begin|end)\{\w+\}", " "),
    (r"\\[td]frac(?![a-zA-Z])", r"\\frac "),
    (r"\\leq?(?![a-zA-Z])", r"\\le "),
    (r"\\geq?(?![a-zA-Z])", r"\\ge "),
    (r"\\(text|underset)\{[^{}]*\}", " "),
)
TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\d+(?:\.\d+)?|\S")
RELATIONS = {"=", "<", ">", r"\le", r"\ge", r"\ne", r"\neq", r"\approx", r"\equiv", r"\leftarrow"}
SETS = (r"\in", r"\to", r"\longrightarrow")
OPEN = {"(", "[", "{", r"\lvert", r"\lfloor", r"\lceil", r"\langle", r"\lVert", r"\cases", r"\pmatrix"}
CLOSE = {")", "]", "}", r"\rvert", r"\rfloor", r"\rceil", r"\rangle", r"\rVert", r"\end"}


class Unreadable(Exception):
    """A formula, or a name in it, that means nothing here."""


@cache
def tokens(latex):
    """The tokens of a formula, without what only makes it look better."""
    for pattern, plain in PLAIN:
        latex = re.sub(pattern, plain, latex)
    return tuple(TOKEN.findall(latex.replace(":=", "=")))


def split(found, *marks):
    """The stretches of tokens between some marks that are in no group."""
    depth, start = 0, 0
    for k, token in enumerate(found):
        depth += (token in OPEN) - (token in CLOSE)
        if token in marks and not depth:
            yield found[start:k]
            start = k + 1
    yield found[start:]


def parts(latex):
    """The parts of a display that state something, as tokens."""
    found, skipped, depth = list(tokens(latex)), 0, 0
    while found and found[-1] in (".", ",", ":", ";"):
        found.pop()
    joined = []  # a line that goes on is no new one
    for k, token in enumerate(found):
        after = next((t for t in found[k + 1 :] if t not in ("&", r"\quad", r"\qquad")), "")
        depth += (token in (r"\cases", r"\pmatrix")) - (token == r"\end")
        if token == r"\\" and not depth and (after in RELATIONS or after in "+-"):
            skipped = next(i for i in range(k + 1, len(found)) if found[i] == after)
            continue
        if k < skipped:
            continue
        joined.append("," if token in (r"\quad", r"\qquad") else token)
    lines = [part for line in split(joined, r"\\") for part in split(unconditional(line), ",")]
    stated = [part for part in map(plain, lines) if len(list(split(part, *RELATIONS))) > 1]
    return stated or [part for part in map(plain, lines) if part]


def unconditional(line):
    """A line without the condition that stands after two marks of alignment."""
    return line[: next((k for k in range(len(line) - 1) if line[k] == line[k + 1] == "&"), len(line))]


def plain(part):
    """A part without marks of alignment, punctuation, sets and limits; empty if it stands in parentheses."""
    depth, kept = 0, []
    for token in next(split(part, *SETS)):
        depth += (token in (r"\cases", r"\pmatrix")) - (token == r"\end")
        if token != "&" or depth:
            kept.append(token)
    while kept and kept[-1] in (".", ",", ":", ";"):
        kept.pop()
    enclosed = kept and (kept[0], kept[-1]) == ("(", ")") and len(list(split(kept[1:-1], ")"))) == 1
    return [] if enclosed else kept


def mutants(part):
    """A formula with a sign, a digit or an exponent changed: all that differ from it in one place."""
    small = {k for k, token in enumerate(part) if token in "Oo" and part[k + 1 :][:1] == ["("]}
    for k in sorted(small):  # what is only small stays
        small |= {k - 1, *range(k, k + 2 + len(next(split(part[k + 2 :], ")"))))}
    for k, token in enumerate(part):
        if k in small or (part[k + 1 :][:1] == ["0"] and token in RELATIONS):
            continue
        if token in "+-":
            yield [*part[:k], "-" if token == "+" else "+", *part[k + 1 :]]
        elif token.isdigit() and not (token == "0" and part[k - 1] in RELATIONS | {part[k]}):
            for place, digit in enumerate(token):
                yield [*part[:k], token[:place] + str((int(digit) + 1) % 10) + token[place + 1 :], *part[k + 1 :]]
        elif part[k - 1] == "^" and re.fullmatch(r"[a-zA-Z]|\\(?!top)[a-z]+", token):
            yield [*part[:k], "{", token, "+", "1", "}", *part[k + 1 :]]
        elif token in RELATIONS - {r"\ne", r"\neq"} and part[k + 1] not in ("+", "-"):
            yield [*part[: k + 1], "-", *part[k + 1 :]]
