"""How the grammar draws: a `draw` of Hypothesis, with what may stand in a place.

What is simpler comes first in each choice: shrinking goes there. A choice among nodes is a number drawn, no strategy with
all of them in it: a grammar made of strategies takes Hypothesis seconds to check.
"""

from __future__ import annotations

import functools
from typing import Any, Callable, List, NamedTuple, Sequence, Tuple, TypeVar

from hypothesis import strategies as st

from conformance.random_programs.expressions import Joined, Name, Number, Text

T = TypeVar("T")
Draw = Callable[[Any], Any]


def strategy(function: Any) -> Any:
    """A strategy from a function of a `draw` and more arguments; one object for equal arguments, to be checked once."""
    return functools.lru_cache(maxsize=None)(st.composite(function))


YES = st.booleans()
_SMALL = st.integers(0, 3)
_VARIABLE = st.integers(0, 2)
_CHOICES = [st.integers(0, most) for most in range(40)]


class Around(NamedTuple):
    """What may stand in a place."""

    #: "module", "class", "plain", "generator", "coroutine" or "asyncgen".
    kind: str
    #: How many compound statements may stand inside of each other.
    depth: int
    loop: bool = False
    #: In a handler of `except*`: no `return`.
    group: bool = False

    @property
    def awaits(self) -> bool:
        return self.kind in ("coroutine", "asyncgen")

    @property
    def returns(self) -> bool:
        return self.kind not in ("module", "class") and not self.group

    def inside(self, **changes: Any) -> Around:
        return self._replace(depth=self.depth - 1, **changes)


def number(draw: Draw, most: int) -> int:
    return draw(_CHOICES[most])


def pick(draw: Draw, options: Sequence[T]) -> T:
    """One of them; the first is the simplest."""
    return options[draw(_CHOICES[len(options) - 1])]


def small(draw: Draw) -> Number:
    return Number(draw(_SMALL))


def name(draw: Draw) -> Name:
    return Name(draw(_VARIABLE))


def some(draw: Draw, of: Any, least: int, most: int, often: int = 1) -> Tuple[Any, ...]:
    """Some of what a strategy gives. Each is drawn together with the choice to have it, so that it can be left out."""
    found: List[Any] = [draw(of) for _ in range(least)]
    maybe = optional(of, often)
    while len(found) < most:
        one = draw(maybe)
        if one is None:
            break
        found.append(one)
    return tuple(found)


@strategy
def optional(draw: Draw, of: Any, often: int = 1) -> Any:
    """None, or what the strategy gives: so often against once."""
    return draw(of) if draw(_CHOICES[often]) else None


def joined(*texts: str) -> Callable[..., Joined]:
    """A maker of expressions that stand between these texts."""
    return lambda *parts: Joined(texts, parts)


def text(value: str) -> Text:
    return Text(value)
