"""The part of the grammar that makes statements, functions and whole programs."""

from __future__ import annotations

import sys
from typing import Any, Callable, List

from hypothesis import strategies as st

from conformance.random_programs import functions as fn
from conformance.random_programs import statements as sm
from conformance.random_programs.drawing import (
    YES,
    Around,
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
from conformance.random_programs.values import called, expression, flat, iterable, live

#: What interpreters may lack.
HAS_MATCH = HAS_BRACKETED_WITH = sys.version_info >= (3, 10)
HAS_GROUPS = sys.version_info >= (3, 11)

#: PyPy 3.11: the compiler ends the process at a `return` in the body or `else` of a `try` with `except*`.
_RETURN_FROM_GROUP_CRASHES = sys.implementation.name == "pypy"

_KINDS = ("ValueError", "KeyError", "LookupError", "(ValueError,\n        KeyError)", "Exception")
_PATTERNS = [
    "0",
    "1 | 2",
    "int(v1)",
    "[v0, *_]",
    "[1, v1]",
    "Point(x=1)",
    "Point(\n        v0,\n        1 | 2,\n    )",
] + ["{0: v2}", "None", "str() as v2", "Codes.ONE"]


def value(around: Around) -> Any:
    return expression(min(around.depth, 2), around.awaits)


# Simple statements


def part(draw: Draw, around: Around) -> Any:
    """A simple statement that may share its line."""
    makers: List[Callable[[], Any]] = [
        lambda: joined("use(", ")")(draw(value(around))),
        lambda: joined("", " = ", "")(name(draw), draw(value(around))),
        lambda: joined("", " += ", "")(name(draw), draw(value(around))),
        lambda: joined("box[", "] = ", "")(draw(flat(around.awaits)), draw(value(around))),
        lambda: joined("box[\n    ", "\n] += ", "")(draw(flat(around.awaits)), draw(flat(around.awaits))),
        lambda: joined("v1: int = ", "")(draw(value(around))),
        lambda: joined("v0, v1 = ", ", ", "")(draw(flat(around.awaits)), draw(value(around))),
        lambda: joined("assert ", " is not None, ", "")(live(draw(value(around))), draw(flat(around.awaits))),
        lambda: text(pick(draw, ["del box[0]", "del v2", "del v0"])),
    ]
    if around.kind in ("generator", "asyncgen"):
        makers.append(lambda: joined("yield ", "")(draw(value(around))))
        makers.append(lambda: joined("", " = use((yield ", "))")(name(draw), draw(value(around))))
        makers.append(lambda: joined("use(\n    (yield ", "),\n    ", "\n)")(draw(flat(around.awaits)), name(draw)))
    if around.kind == "generator":
        makers.append(lambda: joined("", " = use((yield from ", "))")(name(draw), iterable(draw)))
    if around.awaits:
        makers.append(lambda: joined("", " = await wait(", ")")(name(draw), draw(value(around))))
    return pick(draw, makers)()


def leaving(draw: Draw, around: Around) -> Any:
    """A statement after which the block does not go on."""
    options = ["raise ValueError(1)", "raise KeyError", "raise"]
    if around.loop:
        options = ["break", "continue", *options]
    if around.returns:
        options.insert(0, "return")
    chosen = pick(draw, options)
    if chosen == "return" and around.kind != "asyncgen":
        return joined("return ", "")(draw(value(around)))
    return text(chosen)


@strategy
def flat_part(draw: Draw, around: Around) -> Any:
    """A simple statement on a line of its own or of a header."""
    around = around._replace(depth=0)
    return leaving(draw, around) if number(draw, 3) == 3 else part(draw, around)


@strategy
def leaving_statement(draw: Draw, around: Around) -> Any:
    return sm.Simple(leaving(draw, around))


# Bodies and statements


@strategy
def block(draw: Draw, around: Around, most: int = 3) -> sm.Body:
    """A body: statements, and perhaps one that leaves it."""
    body = some(draw, statement(around), 1, most, 2)
    if number(draw, 3) == 3:
        body = (*body, draw(leaving_statement(around)))
    return (*body[:-1], sm.Commented("end", body[-1])) if number(draw, 5) == 5 else body


def orelse(draw: Draw, around: Around) -> sm.Body:
    return draw(optional(block(around, 2))) or ()


@strategy
def statement(draw: Draw, around: Around) -> Any:
    """Any statement."""
    if around.depth > 0 and draw(YES):
        return pick(draw, _compounds(around))(draw, around)
    kind = number(draw, 8)
    if kind <= 4:
        return sm.Simple(part(draw, around))
    if kind == 5:
        return one_line(draw, around)
    if kind == 6:
        first = draw(flat_part(around))
        return sm.Simple(joined("", "; ", "")(first, part(draw, around._replace(depth=0))))
    if kind == 7:
        return sm.Edit(pick(draw, ["add", "remove", "disable", "enable"]), number(draw, 5))
    return sm.Simple(text(pick(draw, ["pass", "...", '"""A text\nof two lines."""'])), True)


def one_line(draw: Draw, around: Around) -> Any:
    part = flat_part(around)
    kind = number(draw, 4)
    if kind == 0:
        return sm.OneLine(joined("if ", "")(live(draw(flat(around.awaits)))), draw(part), draw(optional(part)))
    if kind == 1:
        return sm.OneLine(joined("for v0 in items(", ")")(small(draw)), draw(flat_part(around._replace(loop=True))))
    if kind == 2:
        return sm.OneLine(joined("with Manager(", ")")(draw(flat(around.awaits))), draw(part))
    if kind == 3:
        caught = pick(draw, ["ValueError", "Exception", None])
        return sm.TryOneLine(draw(part), caught, draw(part), draw(optional(part)))
    return sm.OneLine(text("if deeper()"), called(draw, "self", "use(", ")", flat(around.awaits)))


def _compounds(around: Around) -> List[Callable[[Draw, Around], Any]]:
    found = [if_, for_, while_, while_true, with_, try_, commented, nested_def, class_, session]
    if HAS_MATCH:
        found.append(match)
    if HAS_GROUPS:
        found.append(try_group)
    if around.awaits:
        found += [async_for, async_with]
    return found


def commented(draw: Draw, around: Around) -> Any:
    return sm.Commented(pick(draw, ["", "# a comment"]), draw(statement(around.inside())))


def session(draw: Draw, around: Around) -> Any:
    steps = some(draw, st.sampled_from(["next", "send", "throw", "close"]), 1, 3)
    return sm.Session(number(draw, 3), steps)


@strategy
def _branch(draw: Draw, around: Around) -> Any:
    return live(draw(value(around))), draw(block(around))


def if_(draw: Draw, around: Around) -> Any:
    inside = around.inside()
    test, body = live(draw(value(around))), draw(block(inside))
    return sm.If(test, body, some(draw, _branch(inside), 0, 2), orelse(draw, inside), draw(YES))


def for_(draw: Draw, around: Around, awaits: bool = False) -> Any:
    inside = around.inside()
    target = text(pick(draw, ["v0", "v1", "box[use(0)]"]))
    source = iterable(draw, "asyncgen" if awaits else "generator", around.awaits)
    return sm.For(target, source, draw(block(inside._replace(loop=True))), orelse(draw, inside), awaits)


def async_for(draw: Draw, around: Around) -> Any:
    return for_(draw, around, True)


def while_(draw: Draw, around: Around) -> Any:
    inside = around.inside()
    body = draw(block(inside._replace(loop=True)))
    return sm.While(number(draw, 3), live(draw(optional(value(around)))), draw(YES), body, orelse(draw, inside))


def while_true(draw: Draw, around: Around) -> Any:
    body = draw(block(around.inside(loop=True)))
    return sm.WhileTrue(number(draw, 3), draw(YES), pick(draw, ["True", "1"]), body)


@strategy
def _manager(draw: Draw, around: Around) -> Any:
    texts = pick(
        draw,
        [
            ("Manager(", ")"),
            ("Manager(", ", True)"),
            ("Manager(\n        ", ",\n        fails='exit')"),
            ("Manager(", ", fails='enter')"),
        ],
    )
    manager = joined(*texts)(draw(expression(min(around.depth - 1, 1), around.awaits)))
    return manager, text("v1") if draw(YES) else None


def with_(draw: Draw, around: Around, awaits: bool = False) -> Any:
    style = pick(draw, ["", "backslash", "brackets"] if HAS_BRACKETED_WITH else ["", "backslash"])
    return sm.With(some(draw, _manager(around), 1, 3), style, draw(block(around.inside())), awaits)


def async_with(draw: Draw, around: Around) -> Any:
    return with_(draw, around, True)


@strategy
def _handler(draw: Draw, around: Around, star: bool = False) -> Any:
    return sm.Handler(pick(draw, _KINDS), draw(YES), star, draw(block(around, 2)))


def try_(draw: Draw, around: Around) -> Any:
    inside = around.inside()
    body = draw(block(inside))
    handlers = some(draw, _handler(inside), 0, 2)
    if number(draw, 3) == 3:
        handlers = (*handlers, sm.Handler(None, False, False, draw(block(inside, 2))))
    following = orelse(draw, inside) if handlers else ()
    final = orelse(draw, inside) if handlers else draw(block(inside, 2))
    return sm.Try(body, handlers, following, final, draw(YES))


def try_group(draw: Draw, around: Around) -> Any:
    inside = around.inside()
    grouped = inside._replace(loop=False, group=True)
    around_body = grouped if _RETURN_FROM_GROUP_CRASHES else inside
    body = draw(block(around_body))
    handlers = some(draw, _handler(grouped, True), 1, 2)
    return sm.Try(body, handlers, orelse(draw, around_body), orelse(draw, inside), draw(YES))


@strategy
def _case(draw: Draw, around: Around) -> Any:
    pattern, guard = pick(draw, [*_PATTERNS, "_"]), live(draw(optional(flat(around.awaits))))
    if pattern == "_" and guard is None:
        guard = text("flag()")
    return sm.Case(pattern, guard, draw(block(around, 2)))


def match(draw: Draw, around: Around) -> Any:
    one, two = flat(around.awaits), flat(around.awaits)
    kind = number(draw, 3)
    if kind == 0:
        subject: Any = live(draw(value(around)))
    elif kind == 1:
        subject = joined("[", ", ", "]")(draw(one), draw(two))
    elif kind == 2:
        subject = joined("Point(\n    ", ",\n    ", ")")(draw(one), draw(two))
    else:
        subject = text(pick(draw, ["box", "nothing()"]))
    inside = around.inside()
    cases = some(draw, _case(inside), 1, 3)
    if draw(YES):
        cases = (*cases, sm.Case("_", None, draw(block(inside, 2))))
    return sm.Match(subject, cases)


# Definitions


def _decorators(draw: Draw, most: int) -> Any:
    return some(draw, _decorator(), 0, most)


@strategy
def _decorator(draw: Draw) -> Any:
    return text("same") if draw(YES) else joined("mark(", ")")(draw(flat()))


def signature(draw: Draw, depth: int) -> fn.Signature:
    return fn.Signature(_decorators(draw, 2), draw(optional(expression(min(depth, 1), False))), draw(YES))


def nested_def(draw: Draw, around: Around) -> Any:
    depth = around.depth - 1
    head = signature(draw, depth)
    if number(draw, 3) == 3:
        return fn.NestedDef(head, False, (), draw(flat()), draw(flat()))
    return fn.NestedDef(head, draw(YES), draw(block(Around("plain", depth), 2)), None, draw(flat()))


def class_(draw: Draw, around: Around) -> Any:
    depth = around.depth - 1
    # No comment at the end: the method follows.
    body = some(draw, statement(Around("class", depth)), 1, 2)
    head = signature(draw, depth)
    return fn.Class(_decorators(draw, 1), body, head, draw(block(Around("plain", depth), 2)), draw(flat()))


@strategy
def function(draw: Draw) -> fn.Function:
    """A function of the module."""
    kind = pick(draw, ["plain", "generator", "coroutine", "asyncgen"])
    head = signature(draw, 1)
    if kind == "plain" and number(draw, 9) == 9:
        return fn.Function(kind, head, (), draw(flat()))
    body = draw(block(Around(kind, 3)))
    if kind in ("generator", "asyncgen"):
        body = (sm.Simple(text("yield v0")), *body)
    return fn.Function(kind, head, body)


@strategy
def programs(draw: Draw) -> fn.Program:
    """A whole program."""
    functions = some(draw, function(), 0, 3, 3)
    body = draw(optional(block(Around("module", 2)))) or ()
    return fn.Program(functions, body, some(draw, YES, 1, 8))
