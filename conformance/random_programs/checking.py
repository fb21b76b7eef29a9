"""Compares what breakpoints told with what the oracle tells, and what a program did with and without them."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from hypothesis import reject
from hypothesis import strategies as st

from conformance.random_programs.drawing import Draw, number, pick, some, strategy
from conformance.random_programs.functions import Program
from conformance.random_programs.grammar import programs
from conformance.random_programs.running import (
    EDITS,
    MAX_HITS,
    Hit,
    Observed,
    Probed,
    Runner,
    Wanted,
    run_probed,
    run_text,
)
from conformance.random_programs.writer import Unit, Written

#: Programs with more entries are left alone: the queue of snapshots holds 1000.
_MOST_EVENTS = 600

KINDS = ("snapshot", "condition", "log", "count", "limited")


class OracleError(Exception):
    """The generator is wrong: its two texts do different things, or one does not compile."""


class Pick(NamedTuple):
    """Which breakpoint to set; `line` is counted among the lines that can carry one, round and round."""

    line: int
    kind: str
    initial: bool


class Example(NamedTuple):
    program: Program
    picks: Tuple[Pick, ...]
    #: Whether there is a breakpoint on every line instead.
    everywhere: bool


@strategy
def _pick(draw: Draw) -> Pick:
    return Pick(draw(st.integers(0, 80)), pick(draw, KINDS), number(draw, 4) > 0)


@strategy
def examples(draw: Draw) -> Example:
    """A program with breakpoints."""
    return Example(draw(programs()), some(draw, _pick(), 1, 10, 5), number(draw, 2) == 2)


class Difference(AssertionError):  # noqa: N818 (what it is called here)
    """What nonstop did is not what the contract says."""

    def __init__(self, what: str, case: Case) -> None:
        super().__init__(what)
        self.case = case
        self.backend = case.backend


class Case:
    """An example, written and run with probes; then what its breakpoints did."""

    def __init__(self, example: Example) -> None:
        self.written: Written = example.program.written(len(example.picks))
        self.wanted: List[Wanted] = _wanted(example, sorted(self.written.places))
        #: The backend of the last run and what was observed there.
        self.backend = ""
        self.observed: Optional[Observed] = None
        #: Where breakpoints stand, and the units that they are bound to there.
        self.lines: Dict[str, Optional[int]] = {}
        self.bound: Dict[str, Set[int]] = {}
        nothing = {what: (lambda name: None) for what in EDITS}
        try:
            self.outcome = run_text(self.written.plain, "<plain>", **nothing)
            self.probed: Probed = run_probed(self.written.probed)
        except SyntaxError as error:
            raise OracleError(f"{error}\n{self.written.plain}\n{self.written.probed}") from error
        if self.probed.outcome != self.outcome:
            raise OracleError(f"{self.outcome}\n{self.probed.outcome}\n{self.written.plain}\n{self.written.probed}")
        if len(self.probed.events) > _MOST_EVENTS:
            reject()
        self._entered: Set[Any] = {unit for unit, _ in self.probed.events}

    def check(self, backend: str, observed: Observed) -> None:
        """Compare one run with the oracle; raises :class:`Difference`."""
        self.backend, self.observed = backend, observed
        self.lines = {one.name: self._stands(one) for one in self.wanted}
        found = {one.name: self._bound(one, self.lines[one.name]) for one in self.wanted}
        self.bound = {name: units or set() for name, units in found.items()}
        if observed.problems:
            raise Difference("; ".join(observed.problems), self)
        if observed.outcome != self.outcome:
            raise Difference(f"the program does something else:\n  {self.outcome}\n  {observed.outcome}", self)
        for one in self.wanted:
            line = self.lines[one.name]
            if found[one.name] is None and (line is not None or one.initial):
                raise Difference(f"{one.name} on line {one.line} {self._where(one)}, but stands at {line}", self)
        self._compare(self.expected(self.bound), observed)

    def _stands(self, one: Wanted) -> Optional[int]:
        placed = {} if self.observed is None else self.observed.placed
        return placed[one.name].line if one.name in placed else None

    def _bound(self, one: Wanted, line: Optional[int]) -> Optional[Set[int]]:
        """The units that a breakpoint is bound to, when it stands at a line; None: it should not stand there."""
        place = self.written.places[one.line]
        if place is None:
            return set() if line is None else None
        for unit in self.written.following(place.around):
            if line == unit.first or any(line == inner.first for inner in place.lambdas):
                return {unit.number, *(inner.number for inner in place.lambdas)}
            if not self._may_lack_code(unit):
                return None
        return set() if line is None else None

    def _may_lack_code(self, unit: Unit) -> bool:
        # What never ran may be code that can never run. Of a jump that others skip nothing may be left.
        return unit.no_code or unit.elusive or unit.number not in self._entered

    def _elusive(self, name: str) -> bool:
        return any(self.written.units[unit].elusive for unit in self.bound[name])

    def _shares_its_line(self, name: str) -> bool:
        """Whether its line may be that of the end of a function, to which others jump: a `pass` that leaves no code."""
        return any(self.written.units[unit].elusive and self.written.units[unit].no_code for unit in self.bound[name])

    def _where(self, one: Wanted) -> str:
        place = self.written.places[one.line]
        return "has no place" if place is None else f"belongs to {place.around}"

    def expected(self, units: Dict[str, Set[int]]) -> Expected:
        """The hits, when breakpoints are bound to these units."""
        order = [one.name for one in self.wanted if one.initial]
        seen, disabled = set(order), set()
        left = {one.name: MAX_HITS for one in self.wanted if one.kind == "limited"}
        hits: List[Tuple[int, Hit]] = []
        for what, value in self.probed.events:
            if what == "add" and value not in seen:
                seen.add(value)
                order.append(value)
            elif what == "remove" and value in order:
                order.remove(value)
            elif what == "disable" and value in order:
                disabled.add(value)
            elif what == "enable":
                disabled.discard(value)
            elif isinstance(what, int):
                scope = self.written.units[what].scope
                for name in order:
                    if what in units[name] and name not in disabled and left.get(name, 1):
                        hits.append((what, Hit(name, scope, value)))
                        if name in left:
                            left[name] -= 1
        return Expected(hits, {one.name for one in self.wanted if one.kind == "count"})

    def _compare(self, expected: Expected, observed: Observed) -> None:
        elusive = set(filter(self._elusive, self.bound))
        wanted = _of_others([hit for _, hit in expected.hits], elusive | expected.counted)
        found = _of_others(observed.hits, elusive)
        if wanted != found:
            raise Difference(_first_difference(wanted, found), self)
        for name, placed in observed.placed.items():
            own = [(unit, hit) for unit, hit in expected.hits if hit.breakpoint == name]
            too_many = placed.hits > len(own) and not self._shares_its_line(name)
            if too_many or (placed.hits < len(own) and name not in elusive):
                raise Difference(f"{name}: {placed.hits} hits, not {len(own)}", self)
            for (unit, hit), (line, function) in zip(own, () if name in elusive else placed.snapshots):
                lines = self.written.units[unit]
                if function != hit.function or not lines.first <= line <= lines.last:
                    raise Difference(f"{name}: a hit says line {line} in {function}, and not {lines}", self)


def _of_others(hits: Sequence[Hit], names: Set[str]) -> List[Hit]:
    """The hits of other breakpoints than these, with numbers for the activations as they see them."""
    numbers: Dict[int, int] = {}
    others = [hit for hit in hits if hit.breakpoint not in names]
    return [hit._replace(activation=numbers.setdefault(hit.activation, len(numbers))) for hit in others]


def _wanted(example: Example, lines: Sequence[int]) -> List[Wanted]:
    found = [
        Wanted(f"b{number}", lines[pick.line % len(lines)], pick.kind, pick.initial)
        for number, pick in enumerate(example.picks)
    ]
    if example.everywhere:
        kinds = [pick.kind for pick in example.picks]
        taken = {one.line for one in found}
        found += [Wanted(f"line {line}", line, kinds[line % len(kinds)], True) for line in lines if line not in taken]
    return found


class Expected(NamedTuple):
    #: All hits with the units entered.
    hits: List[Tuple[int, Hit]]
    #: The breakpoints that only count theirs.
    counted: Set[str]

    @property
    def told(self) -> List[Hit]:
        """The hits that are told one by one."""
        return _of_others([hit for _, hit in self.hits], self.counted)


def _first_difference(wanted: Sequence[Hit], found: Sequence[Hit]) -> str:
    for at, (one, other) in enumerate(zip(wanted, found), 1):
        if one != other:
            return f"hit {at} is {tuple(other)}, not {tuple(one)}"
    if len(wanted) > len(found):
        return f"hit {len(found) + 1} should be {tuple(wanted[len(found)])}, but there is none"
    return f"hit {len(wanted) + 1} is {tuple(found[len(wanted)])}, but there should be none"


def check(example: Example, runners: Sequence[Runner]) -> None:
    """Run an example under each backend and compare."""
    case = Case(example)
    first: Optional[Observed] = None
    for runner in runners:
        observed = runner.run(case.written.plain, case.wanted)
        case.check(runner.backend, observed)
        if first is not None and observed != first:
            raise Difference(f"it is another result than that of {runners[0].backend}", case)
        first = first or observed
