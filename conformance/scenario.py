"""Scenarios as the suite knows them: programs, breakpoints, and what must come of them; `reading` makes them of TOML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance.texts import Activation, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: The file that holds the program.
PROGRAM = "program.py"

#: Of a breakpoint, in the order in which the contract has them.
COUNTERS = ("arrivals", "skipped", "false", "errors", "hits", "passed", "limited", "captured", "dropped")


@dataclass(frozen=True)
class Outcome:
    """What one breakpoint must be after the run."""

    #: None: not checked.
    resolves: int | None
    state: str
    #: A text that its reason contains.
    reason: str
    counters: Mapping[str, int]
    #: Lines that its hits may report; empty: the one that it resolved to.
    lines: frozenset[int]


@dataclass(frozen=True)
class Expectation:
    """What a run must give."""

    activations: tuple[Activation, ...]
    outcomes: Mapping[str, Outcome]
    #: None: not checked.
    output: str | None
    #: Name of the exception that leaves the program; empty: none may.
    raises: str
    #: Whether nonstop may log warnings, as it does where a condition raises.
    errors: bool

    @property
    def unnumbered(self) -> frozenset[str]:
        """The breakpoints whose hits have no numbers."""
        return frozenset(hit.breakpoint for one in self.activations for hit in one.hits if hit.number is None)


@dataclass(frozen=True)
class Breakpoint:
    """A breakpoint of a scenario."""

    name: str
    file: str
    #: 0: `function` is given instead.
    line: int
    function: str
    kind: str
    template: str
    captures: tuple[str, ...]
    #: Keyword arguments of nonstop's API.
    rules: Mapping[str, Any]
    #: Whether it is added before the program starts.
    initial: bool


@dataclass(frozen=True)
class Alternative:
    """What must come of a scenario in some places instead: a variant that the contract allows, or a gap."""

    where: tuple[str, ...]
    reason: str
    expectation: Expectation


@dataclass(frozen=True)
class Need:
    """Something that not every interpreter has."""

    name: str
    lacking: tuple[str, ...]
    reason: str
    #: A program that fails where it is lacking, and nowhere else.
    check: str


@dataclass(frozen=True)
class Scenario:
    """One program with its breakpoints and what must come of it."""

    #: ``"loops/for_else"``.
    name: str
    title: str
    rules: tuple[str, ...]
    needs: tuple[str, ...]
    program: str
    #: ``"file"``, ``"absent"`` or ``"stale"``; for the last, `disk` is what the file holds.
    source: str
    disk: str
    files: Mapping[str, str]
    breakpoints: tuple[Breakpoint, ...]
    expectation: Expectation
    variants: tuple[Alternative, ...]

    @property
    def topic(self) -> str:
        """The folder that it is in."""
        return self.name.rpartition("/")[0]

    def variant(self, interpreter: str, backend: str) -> Alternative | None:
        """The variant that the contract allows there."""
        return _at(self.variants, interpreter, backend)

    def breakpoint(self, name: str) -> Breakpoint:
        """The breakpoint of that name."""
        return next(one for one in self.breakpoints if one.name == name)

    def line_text(self, file: str, line: int) -> str:
        """The text of a line, to be shown."""
        lines = lines_of(self.program if file == PROGRAM else self.files.get(file, ""))
        return lines[line - 1].strip() if 0 < line <= len(lines) else ""


@dataclass(frozen=True)
class Suite:
    """Scenarios with the reviewed list of what is lacking and what differs."""

    scenarios: Mapping[str, Scenario]
    needs: Mapping[str, Need]
    #: By scenario.
    gaps: Mapping[str, tuple[Alternative, ...]]

    def lacking(self, scenario: Scenario, interpreter: str, backend: str) -> list[Need]:
        """The needs of a scenario that are lacking there."""
        needs = [self.needs[name] for name in scenario.needs]
        return [need for need in needs if is_at(need.lacking, interpreter, backend)]

    def gap(self, scenario: Scenario, interpreter: str, backend: str) -> Alternative | None:
        """The gap that is recorded for a scenario there."""
        return _at(self.gaps.get(scenario.name, ()), interpreter, backend)

    def expectation(self, scenario: Scenario, interpreter: str, backend: str) -> Expectation:
        """What must come of a scenario there; gaps do not count."""
        variant = scenario.variant(interpreter, backend)
        return scenario.expectation if variant is None else variant.expectation


def is_at(where: Iterable[str], interpreter: str, backend: str) -> bool:
    """Whether a list of places (``python3.9``, ``python3.9/settrace``) names this one."""
    return any(one in (interpreter, f"{interpreter}/{backend}") for one in where)


def _at(alternatives: Iterable[Alternative], interpreter: str, backend: str) -> Alternative | None:
    found = [one for one in alternatives if is_at(one.where, interpreter, backend)]
    return found[0] if found else None
