"""Runs the texts of a program: alone, with probes, or with breakpoints."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import nonstop
from nonstop.errors import LocationError

from conformance.random_programs import support

#: The frames that some interpreters make for comprehensions: rule 1.7.
_INLINED = {"<listcomp>", "<setcomp>", "<dictcomp>"}
#: Of breakpoints that are limited.
MAX_HITS = 2
#: A snapshot is looked at for where it was taken.
_LIMITS = {"frames": 1}
#: Those of breakpoints that count or write nothing.
_UNTOLD = ("condition", "count")
#: What a hit may take to be delivered.
_SECONDS = 10.0


class Outcome(NamedTuple):
    """What a program did: what it raised, or its variables, and its trace."""

    end: str
    trace: Tuple[str, ...]


class Activations:
    """Numbers for the activations of a run, in the order of their first hits."""

    def __init__(self) -> None:
        self._numbers: Dict[int, int] = {}
        #: Kept alive: addresses are used again.
        self._frames: List[Any] = []

    def of(self, frame: Any) -> int:
        number = self._numbers.get(id(frame))
        if number is None:
            number = self._numbers[id(frame)] = len(self._frames)
            self._frames.append(frame)
        return number


def around(frame: Any) -> Any:
    """The frame that a comprehension's frame is a part of."""
    while frame.f_code.co_name in _INLINED:
        frame = frame.f_back
    return frame


def run_text(text: str, name: str, **extra: Any) -> Outcome:
    """Run a program; `extra`: more names that it knows."""
    namespace: Dict[str, Any] = {"__name__": "random_program", **extra}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 3.14 warns of `return` in `finally`
        code = compile(text, name, "exec", dont_inherit=True)
    sys.modules["support"] = support
    support.begin()
    try:
        exec(code, namespace)
        end = " ".join(support.shown(namespace.get(f"v{number}", "deleted")) for number in range(3))
    except (Exception, support.OutOfFuel, GeneratorExit) as error:
        end = type(error).__name__
        error.__traceback__ = None
    support.finish()
    del sys.modules["support"]
    return Outcome(end, tuple(support.trace))


class Probed(NamedTuple):
    """What the oracle tells: entries of units, and edits of breakpoints, in order."""

    outcome: Outcome
    #: (unit, activation), or (what, breakpoint).
    events: List[Tuple[Any, Any]]


#: What a program may do with a breakpoint, by its name.
EDITS = ("add", "remove", "disable", "enable")


def run_probed(text: str) -> Probed:
    """Run the text with probes."""
    events: List[Tuple[Any, Any]] = []
    numbers = Activations()

    def probe(unit: int) -> None:
        events.append((unit, numbers.of(around(sys._getframe(1)))))

    class Each:
        """An iterator that probes at each next but the first, whose probe came before its iterable was evaluated."""

        def __init__(self, unit: int, source: Any) -> None:
            self._unit, self._source, self._first = unit, iter(source), True

        def __iter__(self) -> Any:
            return self

        def __next__(self) -> Any:
            self.probe(sys._getframe(1))
            return next(self._source)

        def probe(self, frame: Any) -> None:
            if not self._first:
                events.append((self._unit, numbers.of(around(frame))))
            self._first = False

    class AsyncEach(Each):
        def __init__(self, unit: int, source: Any) -> None:
            self._unit, self._source, self._first = unit, source.__aiter__(), True

        def __aiter__(self) -> Any:
            return self

        def __anext__(self) -> Any:
            self.probe(sys._getframe(1))
            return self._source.__anext__()

    edits = {what: (lambda name, what=what: events.append((what, name))) for what in EDITS}
    outcome = run_text(text, "<probed>", p=probe, each=Each, async_each=AsyncEach, **edits)
    return Probed(outcome, events)


class Wanted(NamedTuple):
    """A breakpoint of an example."""

    name: str
    line: int
    #: "snapshot", "log", "condition", "count", or "limited": a snapshot at the first two hits only.
    kind: str
    #: Whether it is there from the start.
    initial: bool


class Hit(NamedTuple):
    breakpoint: str
    function: str
    activation: int


class Placed(NamedTuple):
    """What became of a breakpoint that could be set."""

    line: int
    hits: int
    #: The line and function of each of its snapshots.
    snapshots: List[Tuple[int, str]]


class Observed(NamedTuple):
    """What breakpoints told."""

    outcome: Outcome
    #: Of the breakpoints that are not of kind "count", in order.
    hits: List[Hit]
    placed: Dict[str, Placed]
    problems: List[str]


class Runner:
    """Runs programs with breakpoints, under one backend."""

    def __init__(self, backend: str) -> None:
        self.backend = backend
        self.folder = Path(tempfile.mkdtemp(prefix="random_programs_"))
        self._numbers = itertools.count(1)

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, text: str, wanted: Sequence[Wanted]) -> Observed:
        """Run a program with these breakpoints; those that have no place are left out."""
        path = self.folder / f"program_{next(self._numbers)}.py"
        path.write_text(text, "utf-8")
        # Older than this process, as sources are: else it is looked for functions of an earlier text at each line without
        # a place.
        os.utime(path, (1, 1))
        snapshots: List[Any] = []
        with nonstop.Debugger(backend=self.backend, sinks=[snapshots.append]) as debugger:
            session = _Session(debugger, str(path), wanted)
            # While it observes, each breakpoint that is added looks at all frames of this thread; those of Hypothesis are
            # many.
            debugger.stop()
            for one in wanted:
                if one.initial:
                    session.add(one.name)
            debugger.start()
            outcome = run_text(text, str(path), _hit=session.hit, **session.edits())
            debugger.stop()
            observed = session.observed(outcome, snapshots)
        path.unlink()
        return observed


class _Session:
    def __init__(self, debugger: nonstop.Debugger, path: str, wanted: Sequence[Wanted]) -> None:
        self._debugger = debugger
        self._path = path
        self._wanted = {one.name: one for one in wanted}
        self._handles: Dict[str, Optional[nonstop.Breakpoint]] = {}
        self._hits: List[Hit] = []
        self._numbers = Activations()
        self._problems: List[str] = []

    def edits(self) -> Dict[str, Callable[[str], None]]:
        return {"add": self.add, "remove": self.remove, "disable": self.disable, "enable": self.enable}

    def add(self, name: str) -> None:
        """Once only; the oracle does the same."""
        if name in self._handles:
            return
        one = self._wanted[name]
        place = f"{self._path}:{one.line}"
        call = f"_hit({name!r})"
        self._handles[name] = None
        try:
            if one.kind == "snapshot":
                self._handles[name] = self._debugger.breakpoint(place, capture=[call], limits=_LIMITS)
            elif one.kind == "limited":
                self._handles[name] = self._debugger.breakpoint(
                    place, capture=[call], limits=_LIMITS, max_hits=MAX_HITS
                )
            elif one.kind == "log":
                self._handles[name] = self._debugger.logpoint(place, f"{{{call}}}")
            elif one.kind == "condition":
                self._handles[name] = self._debugger.counter(place, condition=call)
            else:
                self._handles[name] = self._debugger.counter(place)
        except LocationError as error:
            if error.code != "no_code":
                self._problems.append(f"{name}: {error}")

    def remove(self, name: str) -> None:
        handle = self._handles.get(name)
        if handle is not None:
            handle.remove()

    def disable(self, name: str) -> None:
        handle = self._handles.get(name)
        if handle is not None and not handle.removed:
            handle.disable()

    def enable(self, name: str) -> None:
        handle = self._handles.get(name)
        if handle is not None and not handle.removed:
            handle.enable()

    def hit(self, name: str) -> bool:
        """Called by the breakpoints themselves, at each hit."""
        frame = sys._getframe(1)
        while frame.f_code.co_filename != self._path:
            frame = frame.f_back
        frame = around(frame)
        self._hits.append(Hit(name, frame.f_code.co_name, self._numbers.of(frame)))
        return True

    def observed(self, outcome: Outcome, snapshots: List[Any]) -> Observed:
        placed: Dict[str, Placed] = {}
        names = {handle.id: name for name, handle in self._handles.items() if handle is not None}
        reports = {name: handle.report() for name, handle in self._handles.items() if handle is not None}
        queued = sum(report.captured for name, report in reports.items() if self._wanted[name].kind not in _UNTOLD)
        deadline = time.monotonic() + _SECONDS
        while len(snapshots) < queued and time.monotonic() < deadline:
            time.sleep(0.0005)
        if len(snapshots) != queued:
            self._problems.append(f"{queued} snapshots were captured, {len(snapshots)} delivered")
        for name, report in reports.items():
            # A limited one may see that it is hit again, or not.
            hits = report.captured if self._wanted[name].kind == "limited" else report.hits
            placed[name] = Placed(report.resolved_line, hits, [])
            if report.arrivals != report.skipped + report.false + report.errors + report.hits:
                self._problems.append(f"{name}: arrivals do not add up: {report}")
            if report.hits != report.passed + report.limited + report.captured + report.dropped:
                self._problems.append(f"{name}: hits do not add up: {report}")
        for snapshot in sorted(snapshots, key=lambda one: one.hit):
            place = snapshot.location
            placed[names[snapshot.breakpoint]].snapshots.append((place.line, place.function))
        return Observed(outcome, self._hits, placed, self._problems)
