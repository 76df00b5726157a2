r"""The value of a formula as it stands in LaTeX, at numbers and matrices given for its names.

A name is what is printed: `\sigma_r`, `\ell(W)`, `\frac{\partial\varphi}{\partial W_j}`, the longest one first. A name
that ends in "_" or "^" stands for a function of what is written below it, or in parentheses above: "W_" is given as
lambda i, j: … and read in W_{j+1:N}. A column is a matrix of one column, and a matrix of one entry a number.
"""

import re

import numpy as np

from displays import blocks, relations
from displays.algebra import FUNCTIONS, GROUPS, mp, plus, power, times, valued
from displays.latex import CLOSE, RELATIONS, Unreadable, tokens

ENDS = {None, *CLOSE, *RELATIONS, ",", "+", "-", "&", ":", r"\}", r"\\"}
BLOCKS = {
    r"\sum": blocks.repeated, r"\prod": blocks.repeated, r"\int": blocks.integral, r"\pmatrix": blocks.matrix,
    r"\cases": blocks.case, r"\frac": blocks.fraction, r"\binom": blocks.fraction, r"\sqrt": blocks.root,
    r"\lVert": blocks.norm, r"\langle": blocks.inner, "O": blocks.small, "o": blocks.small,
}  # fmt: skip
CONSTANTS = {"e": mp.e, "I": mp.mpf(1), r"\pi": mp.pi}


class Formula:
    """Tokens that are read from left to right, with the values of their names."""

    def __init__(self, found, names, keys=None):
        self.tokens, self.names, self.at, self.keys = list(found), names, 0, keys
        self.inside_bars = False
        if keys is None:  # the names by their first token, long ones first
            self.keys = {}
            for key in sorted(names, key=len, reverse=True):
                spelled = tokens(key.rstrip("_^"))
                self.keys.setdefault(spelled[0], []).append((list(spelled), key))

    @property
    def next(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, wanted=None):
        token = self.next
        if token is None or wanted not in (None, token):
            raise Unreadable(f"{wanted or 'something'} is missing after {' '.join(self.tokens[: self.at])}")
        self.at += 1
        return token

    def inside(self):
        r"""The tokens of the next group, or the next token: one digit of a number, as in \frac12."""
        token = self.take()
        if token != "{":
            if token.isdigit() and len(token) > 1:
                self.at -= 1
                self.tokens[self.at] = token[1:]
            if token == r"\frac":
                start = self.at
                self.inside(), self.inside()
                return [token, *self.tokens[start : self.at]]
            return [token[0] if token.isdigit() else token]
        start, depth = self.at, 1
        while depth:
            depth += {"{": 1, "}": -1}.get(self.take(), 0)
        return self.tokens[start : self.at - 1]

    def read(self, found):
        """Value of other tokens with the same names."""
        part = Formula(found, self.names, self.keys)
        value = part.sum()
        if part.next is not None:
            raise Unreadable(f"{part.next} in {' '.join(found)}")
        return value

    def sum(self):
        """Terms with + and -."""
        total = None
        while True:
            sign = -1 if self.next == "-" else 1
            if self.next in ("+", "-"):
                self.take()
            elif total is not None:
                return total
            term = times(mp.mpf(sign), self.term())
            total = term if total is None else plus(total, term)

    def term(self):
        """Factors beside each other, or with a sign of multiplication or division between them."""
        value = self.factor()
        while self.next not in ENDS and not (self.next == "|" and self.inside_bars):
            sign = self.take() if self.next in (r"\cdot", "/", r"\otimes", r"\odot", r"\times") else None
            other = self.factor()
            if sign == r"\otimes":
                value = np.kron(value, other)
            elif sign == r"\odot":
                value = value * other
            else:
                value = times(value, 1 / other if sign == "/" else other)
        return value

    def factor(self):
        """One thing with its powers."""
        value = self.thing()
        while self.next in ("^", "'"):
            if self.take() == "'":
                raise Unreadable("a prime")
            above = self.inside()
            value = np.transpose(value) if above == [r"\top"] else power(value, self.read(above))
        return value

    def arguments(self, close, mark=","):
        found = [self.sum()]
        while self.next == mark:
            self.take()
            found.append(self.sum())
        self.take(close)
        return found

    def name(self):
        """A name, or None: the longest that fits; with its index or argument if it stands for a function."""
        for key, written in self.keys.get(self.next, ()):
            if self.tokens[self.at : self.at + len(key)] != key:
                continue
            after = self.tokens[self.at + len(key) : self.at + len(key) + 3]
            if written[-1] in "_^":
                if after[:1] != [written[-1]] or (written[-1] == "^" and after[2:] != ["("]):
                    continue
                self.at += len(key) + 1
                index = self.inside()
                if written[-1] == "^":
                    index = index[1:-1]
                if all(
                    re.fullmatch(r"[a-z]|\d+|\\[a-z]+", t) for t in index
                ):  # each by itself, as in w_{12} and c_{kl}
                    given = [self.read([t]) for token in index for t in (token if token.isdigit() else [token])]
                else:
                    part = Formula(index, self.names, self.keys)
                    given = [part.sum()]
                    while part.next in (",", ":"):
                        part.take()
                        given.append(part.sum())
                value = self.names[written](*(int(x) for x in given))
                return valued(value(int(self.read(self.inside()))) if callable(value) and self.take("^") else value)
            self.at += len(key)
            value = valued(self.names[written])
            if callable(value):
                return valued(value(*self.arguments(")") if self.next == "(" and self.take() else [self.factor()]))
            return value
        return None

    def thing(self):
        """A name, a number, a group, a function of what follows."""
        known = self.name()
        if known is not None:
            return known
        token = self.take()
        if re.fullmatch(r"\d+(\.\d+)?", token):
            return mp.mpf(token)
        if token in GROUPS:
            close, function = GROUPS[token]
            part = Formula(self.tokens[self.at :], self.names, self.keys)
            part.inside_bars = token == "|"
            (value,) = part.arguments(close)
            self.at += part.at
            return function(value)
        if token in FUNCTIONS:
            above = self.inside() if self.next == "^" and self.take() else None
            given = self.arguments(")") if self.next == "(" and self.take() else [self.factor()]
            value = valued(FUNCTIONS[token](*given))
            return power(value, self.read(above)) if above else value
        if token in BLOCKS:
            return BLOCKS[token](self, token)
        if token in CONSTANTS:
            return +CONSTANTS[token]
        raise Unreadable(f"{token} in {' '.join(self.tokens)}")

    def wrong(self, part, names):
        """What is wrong with a condition."""
        return relations.wrong([token for token in part if token not in ",.;:"], names)
