"""The texts in scenarios: labels of lines, and expected hits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LABEL = re.compile(r"#:\s*(\S.*?)\s*$")


class ScenarioError(Exception):
    """A mistake in a file of the suite."""


class Hit(NamedTuple):
    """One hit, as a scenario expects it or a run gave it."""

    breakpoint: str
    #: What the hit names as its function.
    function: str
    #: None: threads make it undetermined.
    number: int | None
    #: The captured values, or the message of a logpoint.
    values: str


class Activation(NamedTuple):
    """The hits of one activation, in order."""

    function: str
    hits: tuple[Hit, ...]


def lines_of(text: str) -> list[str]:
    """The lines of a text as Python counts them: a form feed ends none."""
    return re.split(r"\r\n|\r|\n", text)


def spaced(text: str) -> str:
    """A text with one space where there are many."""
    return " ".join(text.split())


def labels(text: str) -> dict[str, int]:
    """The labels of a text (``#: name`` at the end of a line), and their lines."""
    found: dict[str, int] = {}
    for number, line in enumerate(lines_of(text), 1):
        match = _LABEL.search(line)
        if match:
            if match.group(1) in found:
                raise ScenarioError(
                    f"the label {match.group(1)!r} stands at lines {found[match.group(1)]} and {number}"
                )
            found[match.group(1)] = number
    return found


def parse_expected(text: str, names: Iterable[str]) -> tuple[Activation, ...]:
    """The activations of an ``expected`` text. `names`: of the breakpoints that may be hit."""
    found: list[tuple[str, list[Hit]]] = []
    by_length = sorted(names, key=len, reverse=True)
    for line in text.splitlines():
        if not line.strip():
            continue
        if not line[0].isspace():
            found.append((line.strip(), []))
        elif not found:
            raise ScenarioError(f"expected: the hit {line.strip()!r} has no activation above it")
        else:
            found[-1][1].append(_hit(line.strip(), found[-1][0], by_length))
    for function, hits in found:
        if not hits:
            raise ScenarioError(f"expected: the activation {function!r} has no hits")
    every = [hit for _, hits in found for hit in hits]
    for name in {hit.breakpoint for hit in every}:
        if len({hit.number is None for hit in every if hit.breakpoint == name}) > 1:
            raise ScenarioError(f"expected: {name!r} has hits with and without a number")
    return tuple(Activation(function, tuple(hits)) for function, hits in found)


def _hit(line: str, function: str, names: Sequence[str]) -> Hit:
    for name in names:
        match = re.fullmatch(rf"{re.escape(name)}(?:@(\S+))?(?:\s+#(\d+))?(?:\s+(.+))?", line)
        if match:
            number = None if match.group(2) is None else int(match.group(2))
            return Hit(name, match.group(1) or function, number, spaced(match.group(3) or ""))
    raise ScenarioError(f"expected: no breakpoint is called what {line!r} begins with; there are {sorted(names)}")
