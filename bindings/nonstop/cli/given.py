"""Breakpoints as users write them on the command line: ``FILE:LINE if COND``, ``FILE:LINE: text {expr}``."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from nonstop.errors import ArgumentError, TemplateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nonstop.breakpoint import Breakpoint
    from nonstop.debugger import Debugger

# A line or a (dotted) function, as src/location/parse.rs reads them. What follows tells where a location ends: paths
# may hold blanks, colons and the word `if`, conditions and messages any of them.
_TARGET = r"(?<=.):(?:\d+|[^\W\d]\w*(?:\.[^\W\d]\w*)*)"
_BEFORE_CONDITION = re.compile(_TARGET + r"(?=\s+if(?:\s|$))", re.DOTALL)
_BEFORE_REST = re.compile(_TARGET + r"(?=\s+if\s|:)", re.DOTALL)
_IF = re.compile(r"\s+if\b\s*")

#: What only a snapshot has.
_SNAPSHOT_ONLY = frozenset({"capture"})
#: What counting has no use for: it takes nothing.
_NOT_FOR_COUNTERS = frozenset({"capture", "limits"})


class Given(NamedTuple):
    """One breakpoint that was asked for."""

    #: As the user gave it, for messages.
    text: str
    #: The method of :class:`nonstop.Debugger` that sets it.
    action: str
    location: str
    condition: str | None = None
    template: str | None = None
    #: Its hit rules, named like the parameters of that method.
    rules: Mapping[str, Any] = {}

    def with_defaults(self, rules: Mapping[str, Any]) -> Given:
        """The same with rules for what it does not say itself.

        >>> Given("-b a.py:1", "counter", "a.py:1", rules={"rate": 5}).with_defaults({"rate": 1, "max_hits": 9}).rules
        {'rate': 5, 'max_hits': 9}
        """
        unfit = {"breakpoint": frozenset(), "logpoint": _SNAPSHOT_ONLY, "counter": _NOT_FOR_COUNTERS}[self.action]
        fitting = {name: value for name, value in rules.items() if name not in unfit}
        return self._replace(rules={**self.rules, **{k: v for k, v in fitting.items() if k not in self.rules}})

    def set_on(self, debugger: Debugger) -> Breakpoint:
        """Set it. Raises the :class:`~nonstop.errors.NonstopError` that tells why it cannot be."""
        arguments = [self.location] if self.template is None else [self.location, self.template]
        made: Breakpoint = getattr(debugger, self.action)(*arguments, condition=self.condition, **self.rules)
        return made


def breakpoint_from(text: str, *, option: str = "-b", action: str = "breakpoint") -> Given:
    """Read ``LOCATION`` or ``LOCATION if CONDITION``.

    The location ends at the first ``if`` that follows a line or function. What is no location is left for the engine
    to refuse: it says how one is written.

    >>> breakpoint_from("shop.py:42 if total > 100")[2:4]
    ('shop.py:42', 'total > 100')
    >>> breakpoint_from("my if file.py:3 if x == ':'")[2:4]
    ('my if file.py:3', "x == ':'")
    """
    text = text.strip()
    shown = f"{option} {text!r}"
    found = _BEFORE_CONDITION.search(text)
    if found is None:
        return Given(shown, action, text)
    location, condition = text[: found.end()], _IF.sub("", text[found.end() :], count=1)
    if not condition:
        raise ArgumentError(f"{shown}: nothing follows 'if'; write a condition, as in '{location} if x > 3'")
    return Given(shown, action, location, condition)


def counter_from(text: str) -> Given:
    """Read ``LOCATION`` or ``LOCATION if CONDITION`` for a counter."""
    return breakpoint_from(text, option="--count", action="counter")


def logpoint_from(text: str) -> Given:
    """Read ``LOCATION: MESSAGE`` or ``LOCATION if CONDITION: MESSAGE``.

    The condition ends at the first colon before which it is an expression.

    >>> logpoint_from("shop.py:42: total={total:>6}")[2:5]
    ('shop.py:42', None, 'total={total:>6}')
    >>> logpoint_from("shop.py:42 if d[1:2] == ':': got {d}")[2:5]
    ('shop.py:42', "d[1:2] == ':'", 'got {d}')
    """
    text = text.strip()
    shown = f"--log {text!r}"
    found = _BEFORE_REST.search(text)
    if found is None:
        raise TemplateError(f"{shown}: there is no message; write FILE:LINE: text {{expression}}")
    location, rest = text[: found.end()], text[found.end() :]
    condition = None
    if not rest.startswith(":"):
        condition, rest = _condition_and_rest(_IF.sub("", rest, count=1), shown)
    message = rest[1:].strip()
    if not message:
        raise TemplateError(f"{shown}: the message is empty; write FILE:LINE: text {{expression}}")
    return Given(shown, "logpoint", location, condition, message)


def _condition_and_rest(text: str, shown: str) -> tuple[str, str]:
    colons = [found.start() for found in re.finditer(":", text)]
    if not colons:
        raise TemplateError(f"{shown}: there is no message; write FILE:LINE if CONDITION: text {{expression}}")
    for colon in colons:
        if _is_expression(text[:colon]):
            return text[:colon].strip(), text[colon:]
    # No expression at all: what stands before the first message-like colon is refused with the parser's own words.
    colon = next((colon for colon in colons if text[colon + 1 : colon + 2].isspace()), colons[0])
    return text[:colon].strip(), text[colon:]


def _is_expression(text: str) -> bool:
    try:
        ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
