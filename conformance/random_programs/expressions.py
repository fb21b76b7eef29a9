"""Nodes for expressions. Where one has more than a line it stands in brackets of its own.

`pieces` gives the text; nodes are plain data, made by :mod:`.grammar`.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Tuple

from conformance.random_programs.writer import Begin, Both, End, Pieces, Writer, entered, nested


class Name(NamedTuple):
    """One of the variables that every scope knows."""

    number: int

    def pieces(self, writer: Writer) -> Pieces:
        return [f"v{self.number}"]


class Number(NamedTuple):
    value: int

    def pieces(self, writer: Writer) -> Pieces:
        return [str(self.value)]


class Text(NamedTuple):
    """An expression without anything inside: `flag()` and the like."""

    text: str

    def pieces(self, writer: Writer) -> Pieces:
        return [self.text]


class Joined(NamedTuple):
    """Expressions between pieces of text, such as `use(`, `, `, `)`; a newline among them is one of the program's."""

    texts: Tuple[str, ...]
    parts: Tuple[Any, ...]

    def pieces(self, writer: Writer) -> Pieces:
        found: Pieces = [self.texts[0]]
        for text, part in zip(self.texts[1:], self.parts):
            found += [*part.pieces(writer), text]
        return found


class Call(NamedTuple):
    """A call of a function of the program."""

    kind: str
    pick: int
    before: str
    arguments: Tuple[Any, ...]
    lines: bool
    after: str

    def pieces(self, writer: Writer) -> Pieces:
        callee = writer.callee(self.kind, self.pick) or _INSTEAD[self.kind]
        return [f"{self.before}{callee}", *arguments(writer, self.arguments, self.lines), self.after]


#: What stands for a function where the program has none of that kind.
_INSTEAD = {"plain": "use", "self": "use", "generator": "some", "coroutine": "waits", "asyncgen": "some"}


def arguments(writer: Writer, parts: Tuple[Any, ...], lines: bool) -> Pieces:
    """The arguments of a call, on one line or each on its own."""
    found: Pieces = ["("]
    for number, part in enumerate(parts):
        if lines:
            found.append("\n    ")
        elif number:
            found.append(", ")
        found += part.pieces(writer)
        if lines:
            found.append(",")
    return [*found, "\n)" if lines and parts else ")"]


class Lambda(NamedTuple):
    """A lambda, called at once or by `call`."""

    body: Any
    argument: Any
    later: bool
    lines: bool
    brackets: bool

    def pieces(self, writer: Writer) -> Pieces:
        unit = writer.inner("lambda", "<lambda>")
        inside = entered(unit, self.body.pieces(writer))
        if self.brackets:
            inside = ["(\n    ", *inside, "\n)"]
        body = ["lambda a: ", Begin(unit), *inside, End(unit)]
        gap = "\n    " if self.lines else ""
        end = "\n" if self.lines else ""
        if self.later:
            return [f"call({gap}", *body, f",{gap or ' '}", *self.argument.pieces(writer), f"{end})"]
        return [f"({gap}", *body, f"{end})(", *self.argument.pieces(writer), ")"]


class Comprehension(NamedTuple):
    """A list, set or dictionary comprehension, or a generator expression; `lines` says what has lines of its own."""

    kind: str
    element: Any
    source: Any
    condition: Any
    inner: Any
    element_line: bool
    clause_line: bool
    condition_line: bool
    word: str = "for"

    def pieces(self, writer: Writer) -> Pieces:
        opening, closing, scope = _BRACKETS[self.kind]
        found: Pieces = [opening]
        element = self.element.pieces(writer)
        value = [": ", *self.element.pieces(writer)] if self.kind == "dict" else []
        if self.element_line:
            unit = writer.inner("element", scope)
            *key, end = nested(unit, element)
            found += ["\n    ", *key, *value, end]
        else:
            found += [*element, *value]
        found += [self._gap(self.element_line or self.clause_line), f"{self.word} x in ", *self.source.pieces(writer)]
        if self.inner is not None:
            found += [self._gap(self.clause_line), "for y in ", *self.inner.pieces(writer)]
        if self.condition is not None:
            test = self.condition.pieces(writer)
            if self.condition_line:
                unit = writer.inner("element", scope)
                begin, *test, end = nested(unit, test)
                found += ["\n    ", begin, "if ", *test, end]
            else:
                found += [" if ", *test]
        lines = self.element_line or self.clause_line or self.condition_line
        return [*found, ("\n" if lines else "") + closing]

    @staticmethod
    def _gap(line: bool) -> str:
        return "\n    " if line else " "


_BRACKETS = {
    "list": ("len([", "])", None),
    "set": ("len({", "})", None),
    "dict": ("len({", "})", None),
    "generator": ("drain(keep((", ")))", "<genexpr>"),
}


class Each(NamedTuple):
    """The iterable of a `for` loop: a probe at its evaluation, and at each next but the first."""

    unit: Any
    source: Any
    function: str = "each"

    def pieces(self, writer: Writer) -> Pieces:
        number = self.unit.number
        before = Both("", f"{self.function}({number}, (p({number}), ")
        return [before, *self.source.pieces(writer), Both("", ")[-1])")]
