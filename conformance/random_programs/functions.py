"""Nodes for definitions, and the program as a whole."""

from __future__ import annotations

from typing import Any, NamedTuple, Tuple

from conformance.random_programs.statements import Body, write_block
from conformance.random_programs.writer import Pieces, Writer, Written, nested


def decorated(writer: Writer, decorators: Tuple[Any, ...]) -> Pieces:
    """The lines of decorators."""
    return [piece for one in decorators for piece in ("@", *one.pieces(writer), "\n")]


class Signature(NamedTuple):
    """Decorators, and the default of the last parameter."""

    decorators: Tuple[Any, ...] = ()
    default: Any = None
    lines: bool = False

    def pieces(self, writer: Writer, word: str, name: str, parameters: Tuple[str, ...]) -> Pieces:
        found = decorated(writer, self.decorators)
        before, between, after = ("\n    ", ",\n    ", ",\n)") if self.lines else ("", ", ", ")")
        found += [f"{word} {name}({before}", between.join(parameters)]
        if self.default is not None:
            found += ["=", *self.default.pieces(writer)]
        else:
            found.append("=3")
        return [*found, after]


class Function(NamedTuple):
    """A function of the module."""

    #: "plain", "generator", "coroutine" or "asyncgen".
    kind: str
    signature: Signature
    body: Body
    #: Its body where that stands on the line of the `def`.
    line: Any = None

    def write(self, writer: Writer) -> None:
        name = writer.name(self.kind[0])
        if self.kind == "plain":
            writer.functions["self"] = [name]
        word = "async def" if self.kind in ("coroutine", "asyncgen") else "def"
        unit = writer.unit()
        header = self.signature.pieces(writer, word, name, ("v0", "v1", "v2"))
        if self.line is not None:
            inner = writer.inner("lambda", name)
            writer.write(unit, [*header, ": return ", *nested(inner, self.line.pieces(writer))])
        else:
            writer.write(unit, [*header, ":"])
            with writer.within(name, function=True):
                write_block(writer, self.body)
        writer.functions.pop("self", None)
        writer.functions.setdefault(self.kind, []).append(name)


class NestedDef(NamedTuple):
    """A function inside of what is around, and a call of it."""

    signature: Signature
    #: Whether it writes the variable v2 of the function around.
    writes: bool
    body: Body
    line: Any
    argument: Any

    def write(self, writer: Writer) -> None:
        name = writer.name("h")
        around = writer.in_function
        unit = writer.unit()
        # Each outermost function binds v2, so that those inside of it can declare it.
        header = self.signature.pieces(writer, "def", name, ("v0", "v1") if around else ("v0", "v1", "v2"))
        if self.line is not None:
            inner = writer.inner("lambda", name)
            writer.write(unit, [*header, ": return ", *nested(inner, self.line.pieces(writer))])
        else:
            writer.write(unit, [*header, ":"])
            with writer.within(name, function=True), writer.block():
                if self.writes and around:
                    writer.simple(["nonlocal v2"], no_code=True)
                for statement in self.body:
                    statement.write(writer)
        writer.simple([f"use({name}(", *self.argument.pieces(writer), ", 2))"])


class Class(NamedTuple):
    """A class with a method, and a call of that."""

    decorators: Tuple[Any, ...]
    body: Body
    signature: Signature
    method: Body
    argument: Any

    def write(self, writer: Writer) -> None:
        name = writer.name("C")
        unit = writer.unit()
        writer.write(unit, [*decorated(writer, self.decorators), f"class {name}:"])
        with writer.within(name), writer.block():
            for statement in self.body:
                statement.write(writer)
            unit = writer.unit()
            header = self.signature.pieces(writer, "def", "m", ("self", "v0", "v1", "v2"))
            writer.write(unit, [*header, ":"])
            with writer.within("m", function=True):
                write_block(writer, self.method)
        writer.simple([f"use({name}().m(", *self.argument.pieces(writer), ", 2))"])


class Program(NamedTuple):
    functions: Tuple[Function, ...]
    body: Body
    bits: Tuple[bool, ...]

    def written(self, edits: int) -> Written:
        """Its texts."""
        writer = Writer(edits)
        writer.prelude("from support import *")
        writer.simple([f"begin({list(map(int, self.bits))})"])
        writer.simple(["v0 = v1 = v2 = 1"])
        for function in self.functions:
            function.write(writer)
            name = writer.functions[function.kind][-1]
            writer.simple([f"attempt({name}, 1, 2)"])
        for statement in self.body:
            statement.write(writer)
        return writer.written()
