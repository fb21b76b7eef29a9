"""The hit rules as users give them, checked, in the terms of the engine."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from nonstop import core
from nonstop.errors import ArgumentError
from nonstop.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping

_NS = 1_000_000_000


class Rules(NamedTuple):
    """When a hit is taken; see :meth:`nonstop.Debugger.breakpoint`."""

    hit_condition: str | None
    max_hits: int | None
    rate: float | tuple[float, float] | None
    expires: float | None
    thread: str | int | threading.Thread | None
    limits: Limits | None

    def spec(self, action: int, template: str) -> core.Spec:
        """The rules of a breakpoint with this action, without its location."""
        if self == _NO_RULES:
            return core.Spec(action, b"", "", template)
        per_second, burst = _rate(self.rate)
        thread_id, thread_name = _thread(self.thread)
        return core.Spec(
            action,
            b"",
            _text("hit_condition", self.hit_condition),
            template,
            thread_name,
            thread_id,
            _max_hits(self.max_hits),
            per_second,
            burst,
            _expires(self.expires),
            limits=self.limits,
        )


#: In a batch of thousands most have none.
_NO_RULES = Rules(None, None, None, None, None, None)


def limits(given: Mapping[str, int] | Limits | None) -> Limits:
    """The limits of a capture; a mapping changes some of the defaults.

    >>> limits({"depth": 5}).depth
    5
    >>> limits({"deepness": 5})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    nonstop.errors.ArgumentError: limits has no 'deepness'; it has depth, items, named_items, ...
    """
    if given is None:
        return Limits()
    if isinstance(given, Limits):
        return given
    names = list(Limits.__annotations__)
    for name, value in given.items():
        if name not in names:
            raise ArgumentError(f"limits has no {name!r}; it has {', '.join(names)}")
        if type(value) is not int or not 0 < value < 2**32:
            raise ArgumentError(f"limits[{name!r}] is {value!r}; it must be an int from 1 on")
    return Limits(**given)


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ArgumentError(f"{name} is {value!r}; it must be text, such as '>= 10'")
    return value


def _max_hits(value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 2**64:
        return int(value)
    raise ArgumentError(f"max_hits is {value!r}; it must be an int from 1 on, or None for no maximum")


def _rate(value: Any) -> tuple[float, float]:
    if value is None:
        return 0.0, 0.0
    pair = value if isinstance(value, tuple) else (value, 0.0)
    if len(pair) == 2 and all(_is_number(number) for number in pair):
        per_second, burst = float(pair[0]), float(pair[1])
        if per_second > 0 and (burst >= 1 or not isinstance(value, tuple)):
            return per_second, burst
    raise ArgumentError(
        f"rate is {value!r}; it must be hits a second, above 0, or (hits a second, burst) with a burst of at least 1"
    )


def _expires(value: Any) -> int:
    if value is None:
        return 0
    if not _is_number(value) or value <= 0 or value * _NS >= 2**63:
        raise ArgumentError(f"expires is {value!r}; it must be seconds from now, above 0, or None for never")
    return max(1, int(value * _NS))


def _thread(value: Any) -> tuple[int, str]:
    if value is None:
        return 0, ""
    if isinstance(value, threading.Thread):
        if value.ident is None:
            raise ArgumentError(f"thread {value.name!r} was not started; start it first, or give its name")
        return value.ident, ""
    if isinstance(value, str) and value:
        return 0, value
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**64:
        return value, ""
    raise ArgumentError(f"thread is {value!r}; it must be a thread, its name, or its ident (threading.get_ident())")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
