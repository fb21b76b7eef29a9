"""The part of the grammar that makes expressions."""

from __future__ import annotations

from typing import Any

from conformance.random_programs.drawing import (
    YES,
    Draw,
    joined,
    name,
    number,
    optional,
    pick,
    small,
    some,
    strategy,
    text,
)
from conformance.random_programs.expressions import Call, Comprehension, Lambda, Number


def atom(draw: Draw) -> Any:
    return name(draw) if draw(YES) else small(draw)


@strategy
def flat(draw: Draw, awaits: bool = False, anywhere: bool = False) -> Any:
    """An expression on one line, with no unit inside; `anywhere`: fit for comprehensions and f-strings too."""
    kinds = 6 + 2 * (not anywhere) + awaits
    kind = number(draw, kinds - 1)
    if awaits and kind == kinds - 1:
        return joined("await wait(", ")")(small(draw))
    if kind == 0:
        return atom(draw)
    if kind == 1:
        return joined("use(", ")")(atom(draw))
    if kind == 2:
        return text("flag()")
    if kind == 3:
        return joined("", " + ", "")(name(draw), atom(draw))
    if kind == 4:
        return joined("use(", ") < ", " < use(", ")")(atom(draw), atom(draw), atom(draw))
    if kind == 5:
        return joined("(use(", ") if flag() else ", ")")(atom(draw), atom(draw))
    if kind == 6:
        return joined("(v0 := use(", "))")(atom(draw))
    return text('len(f"{use(v1)} {v2!r}")')


def bare(draw: Draw, awaits: bool = False) -> Any:
    """A flat expression that may stand anywhere."""
    return draw(flat(awaits, True))


def live(part: Any) -> Any:
    """An expression that the compiler does not know the value of: what it does with a test that it knows is no matter
    here, since interpreters differ in which code they leave out.
    """
    return joined("use(", ")")(part) if isinstance(part, Number) else part


def called(draw: Draw, kind: str, before: str, after: str, argument: Any) -> Any:
    """A call of a function of the program."""
    return Call(kind, number(draw, 3), before, some(draw, argument, 1, 2), draw(YES), after)


def iterable(draw: Draw, kind: str = "generator", awaits: bool = False) -> Any:
    """What a `for` may go over."""
    if draw(YES):
        return called(draw, kind, "keep(", ")", flat(awaits, True))
    return joined("items(", ")")(small(draw))


@strategy
def comprehension(draw: Draw, awaits: bool) -> Any:
    # A generator expression that waits would be an asynchronous generator.
    kind = pick(draw, ["list", "set", "dict", "list" if awaits else "generator"])
    asynchronous = awaits and draw(YES)
    element = joined("use(", ")")(bare(draw, awaits) if draw(YES) else text("x"))
    source = iterable(draw, "asyncgen" if asynchronous else "generator")
    condition = live(draw(optional(flat(awaits, True))))
    inner = joined("items(", ")")(small(draw)) if draw(YES) else None
    lines = draw(YES), draw(YES), draw(YES)
    return Comprehension(kind, element, source, condition, inner, *lines, "async for" if asynchronous else "for")


#: Texts around parts over several lines: any, a flat one, and one that may stand in an f-string. Of three parts the first
#: is a test.
_LINES = [
    (("use(\n    ", ",\n    ", "\n)"), "any", "any"),
    (("(", "\n    and ", "\n    or ", ")"), "any", "any", "flat"),
    (("(", "\n    if ", "\n    else ", ")"), "any", "flat", "any"),
    (("(", "\n    < ", "\n    <= ", ")"), "flat", "any", "flat"),
    (("(\n    ", " +\n    ", "\n)"), "any", "flat"),
    (("[\n    ", ",\n    1,\n    ", ",\n][0]"), "any", "flat"),
    (("{\n    1: ", ",\n    2: ", ",\n}[1]"), "any", "flat"),
    (("(Chain()\n    .add(", ")\n    .add(\n        ", "\n    ).end())"), "any", "flat"),
    (('len(f"{', '}"\n    f"{v0}")'), "bare"),
    (('len(f"""{', '}\n{use(v0)}""")'), "bare"),
]


@strategy
def expression(draw: Draw, depth: int, awaits: bool) -> Any:
    """Any expression."""
    if depth <= 0 or not draw(YES):
        return draw(flat(awaits))
    part = expression(depth - 1, awaits)
    kind = number(draw, len(_LINES) + 4)
    if kind < len(_LINES):
        texts, *parts = _LINES[kind]
        makers = {"any": part, "flat": flat(awaits), "bare": flat(awaits, True)}
        drawn = [draw(makers[one]) for one in parts]
        return joined(*texts)(*(map(live, drawn) if len(parts) == 3 else drawn))
    kind -= len(_LINES)
    if kind == 0:
        return called(draw, "plain", "use(", ")", part)
    if kind == 1:
        return called(draw, "generator", "drain(keep(", "))", part)
    if kind == 2:
        return called(draw, "coroutine", "use(await " if awaits else "use(run(", ")" if awaits else "))", part)
    if kind == 3:
        return Lambda(draw(flat()), draw(flat(awaits)), draw(YES), draw(YES), draw(YES))
    return draw(comprehension(awaits and draw(YES)))
