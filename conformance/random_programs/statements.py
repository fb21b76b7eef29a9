"""Nodes for statements. `write` gives their lines to the writer, with the probes where the contract has entries."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple, Optional, Tuple

from conformance.random_programs.expressions import Each
from conformance.random_programs.writer import Both, Pieces, Writer, entered

#: bpo-2506: up to 3.9 a jump to `break`, `continue` or a `pass` that ends a loop may go straight to where that leads, and
#: what leads to the next instruction is left out.
_SKIPS_JUMPS = sys.version_info < (3, 10)

#: PyPy 3.11: a `return` without a value leaves nothing before the `finally` body on the line of its `try`.
_RETURN_LACKS_CODE = sys.implementation.name == "pypy"

Body = Tuple[Any, ...]


def write_body(writer: Writer, body: Body) -> None:
    for statement in body:
        statement.write(writer)


def write_block(writer: Writer, body: Body) -> None:
    with writer.block():
        write_body(writer, body)


def write_else(writer: Writer, body: Body) -> None:
    """`else:`, if it has a body."""
    if body:
        writer.clause("else:")
        write_block(writer, body)


class Simple(NamedTuple):
    """A simple statement, or several that share a line."""

    parts: Any
    no_code: bool = False

    def write(self, writer: Writer) -> None:
        pieces = self.parts.pieces(writer)
        unit = writer.simple(pieces, no_code=self.no_code)
        if "".join(map(str, pieces)).startswith(("break", "continue")):
            unit.elusive = _SKIPS_JUMPS
        elif self.no_code:
            # On the way of an exception it may have nothing but the instruction that raises that again.
            unit.elusive = writer.in_final or _SKIPS_JUMPS


class Edit(NamedTuple):
    """A call that adds, removes, enables or disables one of the breakpoints."""

    what: str
    pick: int

    def write(self, writer: Writer) -> None:
        if writer.edits:
            writer.simple([f'{self.what}("b{self.pick % writer.edits}")'])
        else:
            writer.simple(["use()"])


class Commented(NamedTuple):
    """Lines without a unit before a statement, or after the last one of a block."""

    text: str
    statement: Any

    def write(self, writer: Writer) -> None:
        if self.text == "end":
            self.statement.write(writer)
            writer.last_comment()
        else:
            writer.comment(self.text)
            self.statement.write(writer)


class Session(NamedTuple):
    """A generator that is resumed, thrown into and closed."""

    pick: int
    steps: Tuple[str, ...]

    def write(self, writer: Writer) -> None:
        name = writer.name("g")
        callee = writer.callee("generator", self.pick) or "counting"
        writer.simple([f"{name} = keep({callee}(v0))"])
        for step in self.steps:
            writer.simple([_STEPS[step].format(name)])


_STEPS = {
    "next": "use(next({}, None))",
    "send": "use({}.send(v1))",
    "throw": "use({}.throw(KeyError))",
    "close": "{}.close()",
}


class OneLine(NamedTuple):
    """A compound statement on one line."""

    header: Any
    body: Any
    orelse: Any = None

    def write(self, writer: Writer) -> None:
        writer.simple([*self.header.pieces(writer), ": ", *self.body.pieces(writer)])
        if self.orelse is not None:
            write_clause(writer, "else", self.orelse)


def write_clause(writer: Writer, word: str, body: Any) -> None:
    """`else: ...` or `finally: ...` on one line."""
    with writer.block(indented=False):
        unit = writer.unit()
        writer.probes(f"{word}:")
        writer.probes(f"    p({unit.number})")
        writer.write(unit, [Both(f"{word}: ", "    "), *body.pieces(writer)], probe=False)


class TryOneLine(NamedTuple):
    """Each part of a `try` on one line."""

    body: Any
    kind: Optional[str]
    handler: Any
    final: Any

    def write(self, writer: Writer) -> None:
        body = self.body.pieces(writer)
        writer.simple(["try: ", *body], no_code=_RETURN_LACKS_CODE and "".join(map(str, body)) == "return")
        if self.kind is not None:
            with writer.block(indented=False):
                unit = writer.unit()
                kind = entered(unit, [self.kind])
                writer.write(unit, ["except ", *kind, ": ", *self.handler.pieces(writer)], probe=False)
        if self.kind is None or self.final is not None:
            write_clause(writer, "finally", self.final or self.handler)


class If(NamedTuple):
    test: Any
    body: Body
    #: Pairs of a test and a body.
    elifs: Tuple[Tuple[Any, Body], ...]
    orelse: Body
    comment: bool

    def write(self, writer: Writer) -> None:
        unit = writer.unit()
        writer.write(unit, ["if ", *self.test.pieces(writer), ":"])
        write_block(writer, self.body)
        for test, body in self.elifs:
            if self.comment:
                writer.comment("# or else")
            with writer.block(indented=False):
                unit = writer.unit()
                writer.write(unit, ["elif ", *entered(unit, test.pieces(writer)), ":"], probe=False)
            write_block(writer, body)
        if self.comment and self.orelse:
            writer.comment("# otherwise")
        write_else(writer, self.orelse)


class For(NamedTuple):
    target: Any
    source: Any
    body: Body
    orelse: Body
    awaits: bool

    def write(self, writer: Writer) -> None:
        unit = writer.unit()
        word, function = ("async for", "async_each") if self.awaits else ("for", "each")
        source = Each(unit, self.source, function)
        writer.write(unit, [f"{word} ", *self.target.pieces(writer), " in ", *source.pieces(writer), ":"], probe=False)
        write_block(writer, self.body)
        write_else(writer, self.orelse)


class While(NamedTuple):
    """Bounded by a countdown; the test may ask for more."""

    count: int
    test: Any
    lines: bool
    body: Body
    orelse: Body

    def write(self, writer: Writer) -> None:
        name = writer.name("n")
        writer.simple([f"{name} = Countdown({self.count})"])
        unit = writer.unit()
        test: Pieces = [f"{name}.more()"]
        if self.test is not None:
            gap = "\n    " if self.lines else " "
            test = ["(", *test, f"{gap}and ", *self.test.pieces(writer), ")"]
        writer.write(unit, ["while ", *entered(unit, test), ":"], probe=False)
        write_block(writer, self.body)
        write_else(writer, self.orelse)


class WhileTrue(NamedTuple):
    """Its first statement ends it when the countdown is over."""

    count: int
    breaks: bool
    constant: str
    body: Body

    def write(self, writer: Writer) -> None:
        name = writer.name("n")
        writer.simple([f"{name} = Countdown({self.count})"])
        unit = writer.unit(no_code=True)
        writer.write(unit, ["while ", *entered(unit, [self.constant]), ":"], probe=False)
        with writer.block():
            if self.breaks:
                writer.simple([f"if not {name}.more(): break"])
            else:
                writer.simple([f"{name}.step()"])
            write_body(writer, self.body)


class With(NamedTuple):
    #: Pairs of an expression and a target or None.
    items: Tuple[Tuple[Any, Any], ...]
    #: What stands around the items: nothing, backslashes between them, or brackets.
    style: str
    body: Body
    awaits: bool

    def write(self, writer: Writer) -> None:
        unit = writer.unit()
        brackets = self.style == "brackets"
        pieces: Pieces = ["async with " if self.awaits else "with "]
        if brackets:
            pieces.append(Both("(\n    ", ""))
        for number, (manager, target) in enumerate(self.items):
            expression = manager.pieces(writer)
            if number:
                pieces.append(Both(_BETWEEN[self.style], ", "))
            pieces += expression if number else entered(unit, expression)
            if target is not None:
                pieces += [" as ", *target.pieces(writer)]
        pieces.append(Both(",\n):", ":") if brackets else ":")
        writer.write(unit, pieces, probe=False)
        write_block(writer, self.body)


_BETWEEN = {"": ", ", "backslash": ", \\\n    ", "brackets": ",\n    "}


class Handler(NamedTuple):
    #: None: `except:`.
    kind: Optional[str]
    name: bool
    star: bool
    body: Body

    def write(self, writer: Writer) -> None:
        unit = writer.unit()
        word = "except*" if self.star else "except"
        if self.kind is None:
            pieces: Pieces = [Both("except", f"except (p({unit.number}), BaseException)[-1]")]
        else:
            pieces = [f"{word} ", *entered(unit, [self.kind])]
        writer.write(unit, [*pieces, " as e:" if self.name else ":"], probe=False)
        write_block(writer, self.body)


class Try(NamedTuple):
    body: Body
    handlers: Tuple[Handler, ...]
    orelse: Body
    final: Body
    comment: bool

    def write(self, writer: Writer) -> None:
        writer.simple(["try:"], no_code=True)
        write_block(writer, self.body)
        if self.handlers:
            if self.comment:
                writer.comment("# what may happen")
            with writer.block(indented=False):
                for handler in self.handlers:
                    handler.write(writer)
            write_else(writer, self.orelse)
        if self.comment and self.final:
            writer.comment()
        if self.final:
            writer.clause("finally:")
            with writer.final():
                write_block(writer, self.final)


class Case(NamedTuple):
    pattern: str
    guard: Any
    body: Body

    def write(self, writer: Writer) -> None:
        # `case _:` makes no code on some interpreters.
        unit = writer.unit(no_code=self.pattern == "_" and self.guard is None)
        writer.probes(f"case _ if p({unit.number}): pass")
        guard = [] if self.guard is None else [" if ", *self.guard.pieces(writer)]
        writer.write(unit, [f"case {self.pattern}", *guard, ":"], probe=False)
        write_block(writer, self.body)


class Match(NamedTuple):
    subject: Any
    cases: Tuple[Case, ...]

    def write(self, writer: Writer) -> None:
        unit = writer.unit()
        writer.write(unit, ["match ", *self.subject.pieces(writer), ":"])
        with writer.block():
            for case in self.cases:
                case.write(writer)
