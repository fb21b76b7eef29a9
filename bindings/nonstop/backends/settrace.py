"""The portable backend, on `sys.settrace`: the ladder of optimisations that a tracer in Python can climb.

1. No local tracing in frames without a site: their line, return and exception events are never made.
2. A `call` event is answered with one lookup by the identity of the code object. Not by the code object itself: its
   hash walks through its contents (138 to 252 ns on PyPy, more with every constant).
3. A `line` event is answered with one lookup of the offset: only where control enters an armed unit it goes on. The
   engine worked out these entries from the bytecode (docs/semantics.md, 3). `f_lasti` is cheap: `f_lineno` searches a
   table at each reading.

What is called for each event are functions and methods at module level: a closure there is up to 40 times slower on
PyPy.
"""

from __future__ import annotations

import abc
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from nonstop.backends.base import Backend
from nonstop.backends.decisions import Decisions, Plan
from nonstop.backends.threads import Threads
from nonstop.core import HIDDEN, MIXED, NEEDS_THREAD_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import CodeType, FrameType

    from nonstop.core import Entry
    from nonstop.hits import Hits
    from nonstop.planner import CodeFacts, Planner

_PYPY = sys.implementation.name == "pypy"
#: CPython 3.12 looks whether a frame wants events for instructions when a trace function is set, and only then.
_ASKS_WHEN_SET = not _PYPY and sys.version_info[:2] == (3, 12)
#: From CPython 3.12 on a frame's wish for events for instructions counts only if it has a trace function by then.
_COUNTS_WHEN_TRACED = sys.version_info >= (3, 12)


class _Ended(dict[int, Any]):
    """The entries of a plan that ended: every offset seems to be one, so that each frame that still traces learns it at
    its next line.
    """

    def __contains__(self, offset: object) -> bool:
        return True


_ENDED = _Ended()


class TracePlan(Plan):
    """A plan as the local trace functions read it."""

    __slots__ = ("entries", "hidden")

    def __init__(self, code: CodeType, facts: CodeFacts) -> None:
        super().__init__(code, facts)
        #: Those where a line begins, by offset.
        self.entries: dict[int, Entry] = _ENDED
        #: Those that only an event for each instruction shows.
        self.hidden: dict[int, Entry] = {}

    def set(self, entries: Sequence[Entry], epoch: int) -> None:
        """Arm these entries."""
        by_offset = {entry.offset: entry for entry in entries}
        self.hidden = {at: entry for at, entry in by_offset.items() if entry.flags & HIDDEN}
        lines = {at: entry for at, entry in by_offset.items() if at not in self.hidden}
        self.entries = lines if entries else _ENDED

    @property
    def is_over(self) -> bool:
        """Whether no entry is armed."""
        return self.entries is _ENDED


class FrameTracer:
    """Follows one frame from line to line, also over the suspensions of a generator.

    The interpreter keeps it, on the frame; it must not keep the frame.
    """

    __slots__ = ("instruction", "plan", "previous")

    def __init__(self, plan: TracePlan, previous: int) -> None:
        self.plan = plan
        #: The offset of the last event, or where the frame was when it was first seen: below 0, or in its prologue, if
        #: it is new.
        self.previous = previous
        #: The offset of the last event for an instruction.
        self.instruction = -1

    # A local trace function that returns None goes on tracing, on every interpreter (bpo-11992).
    def trace(self, frame: FrameType, event: str, arg: Any) -> None:
        """The local trace function."""
        plan = self.plan
        if event == "line":
            offset = frame.f_lasti
            if offset == self.previous and _PYPY:
                return  # in compiled code PyPy reports the target of a jump twice
            if offset in plan.entries:
                self.at_entry(frame, offset, plan, plan.entries)
            if offset not in plan.hidden:  # else the event for the instruction comes next
                self.previous = offset
        elif event == "opcode":
            offset = frame.f_lasti
            if offset == self.instruction and _PYPY:
                return
            if offset in plan.hidden:
                self.at_entry(frame, offset, plan, plan.hidden)
            self.previous = self.instruction = offset
        elif event == "return" and _active is not None:
            _active.leaves(frame)

    def at_entry(self, frame: FrameType, offset: int, plan: TracePlan, entries: dict[int, Entry]) -> None:
        """An event where control can enter an armed unit: tell the engine if it does."""
        backend = _active
        if backend is None or entries is _ENDED:
            frame.f_trace = None
            if backend is not None:
                backend.leaves(frame)
            return
        try:
            entry = entries.get(offset)
            if entry is None:
                backend.passes(frame, plan)
            elif not (entry.flags & MIXED and backend.is_inside(plan, entry.site, self.previous)):
                self.previous = offset
                backend.arrive(frame, plan, entry)
        except BaseException as error:
            backend.failed(error)


# What the two functions below read. Every start makes new decisions, so that a thread which is late with one of an
# earlier session writes it where nobody looks.
_known: dict[int, TracePlan | None] = {}
_active: TracingBackend | None = None


def observe(backend: TracingBackend | None, known: dict[int, Any]) -> None:
    """Let the trace functions work for a backend, with what it knows of code objects; None: for nobody."""
    global _active, _known
    _known = known
    _active = backend


def observer() -> TracingBackend | None:
    """Whom the trace functions work for."""
    return _active


def trace_call(frame: FrameType, event: str, arg: Any) -> Any:
    """The global trace function: called when a frame begins or goes on."""
    try:
        plan = _known[id(frame.f_code)]
    except KeyError:
        return _first_call(frame)
    except RecursionError:
        return None
    if plan is None:
        return None
    return _enter(frame, plan)


def _first_call(frame: FrameType) -> Any:
    backend = _active
    if backend is None:
        # A session ended while this thread was running: its tracer takes itself away.
        if sys.gettrace() is trace_call:
            sys.settrace(None)
        return None
    try:
        plan = backend.learn(frame)
        return None if plan is None else _enter(frame, plan)
    except BaseException as error:
        # Nothing was remembered: the next call tries again (near the recursion limit that is all it takes).
        backend.failed(error)
        return None


def _enter(frame: FrameType, plan: TracePlan) -> Any:
    backend = _active
    if backend is None:
        return _first_call(frame)
    try:
        return backend.enter(frame, plan)
    except BaseException as error:
        backend.failed(error)
        return None


class TracingBackend(Backend):
    """What the trace functions need of a backend: it follows frames, or some of them."""

    def __init__(self, planner: Planner, hits: Hits) -> None:
        super().__init__(planner, hits)
        self._epoch = planner.epoch_word

    @abc.abstractmethod
    def learn(self, frame: FrameType) -> TracePlan | None:
        """A frame begins whose code is not known. What is to be followed in it; that is known afterwards."""

    @abc.abstractmethod
    def decide_again(self, plan: TracePlan) -> None:
        """Bring a plan up to the present epoch."""

    @abc.abstractmethod
    def is_inside(self, plan: TracePlan, site: int, offset: int) -> bool:
        """Whether control at an offset is inside of the unit of a site."""

    def leaves(self, frame: FrameType) -> None:
        """A frame that was followed ends or is suspended, or there is nothing to follow in it any more."""
        return

    def passes(self, frame: FrameType, plan: TracePlan) -> None:
        """A frame comes to a place that its plan names, and that is no entry."""
        return

    def enter(self, frame: FrameType, plan: TracePlan) -> Any:
        """A frame of armed code begins, or a suspended one goes on. Gives its local trace function."""
        if plan.epoch != self._epoch[0]:
            self.decide_again(plan)
        if plan.entries is _ENDED:
            return None
        present = frame.f_trace
        if present is None:
            return _follow(frame, FrameTracer(plan, frame.f_lasti))
        # The tracer of a generator stays on its frame while it is suspended: a resumption is no entry. Or another tool
        # traces this one frame: that is its right.
        tracer = tracer_of(frame)
        if tracer is None:
            return present
        tracer.plan = plan  # also where it is left over from an earlier session
        return _follow(frame, tracer)

    def attach(self, frame: FrameType, plan: TracePlan) -> bool:
        """Follow a frame that is running already; whether that is done. Its current line is no entry: control is in
        it.
        """
        tracer = tracer_of(frame)
        if tracer is None and frame.f_trace is not None:
            return False  # another tool's
        if _PYPY and frame.f_lasti < 0:
            # Its call is being told of just now: `enter` comes, or was there. PyPy takes the first line for told once
            # a trace function is set.
            return True
        if tracer is None or tracer.plan.is_over:
            tracer = FrameTracer(plan, frame.f_lasti)
            frame.f_trace = tracer.trace
        # One that is at it goes on: it knows whether an event is the second one for its instruction, and may be told of
        # the next one already.
        tracer.plan = plan
        _follow(frame, tracer)
        return True

    def arrive(self, frame: FrameType, plan: TracePlan, entry: Entry) -> None:
        """Control enters an armed unit."""
        if plan.epoch != self._epoch[0]:
            self.decide_again(plan)
            found = (plan.hidden if entry.flags & HIDDEN else plan.entries).get(entry.offset)
            if found is None or found.site != entry.site:
                return
            entry = found
        self._hits.arrive(frame, entry.site, bool(entry.flags & NEEDS_THREAD_NAME))
        if plan.epoch != self._epoch[0]:
            self.decide_again(plan)
            if plan.entries is _ENDED and self._hits.plan_ended is not None:
                self._hits.plan_ended()

    def failed(self, error: BaseException) -> None:
        """Count an error of ours, and let the program go on."""
        self._hits.failed(error)


class SettraceBackend(TracingBackend):
    """Observes with `sys.settrace` and `threading.settrace`. The tracer of another tool is never replaced."""

    name: ClassVar[str] = "settrace"
    capabilities: ClassVar[frozenset[str]] = frozenset(
        {"running_frames", "suspended_generators"} | ({"earlier_threads"} if sys.version_info >= (3, 12) else set())
    )

    def __init__(self, planner: Planner, hits: Hits) -> None:
        super().__init__(planner, hits)
        self.decisions = Decisions(planner, TracePlan, ahead=False)
        self._threads = Threads(trace_call, self._attach)

    @classmethod
    def why_unavailable(cls) -> str | None:
        """Every interpreter has it."""
        return None

    def start(self) -> None:
        """Install the tracer in this thread, in those that begin from now on and, where that is possible, in all
        others.
        """
        self._threads.refuse_other_tracers(_active is not None and _active is not self)
        if _active is self:
            return
        self.decisions = Decisions(self._planner, TracePlan, ahead=False)
        observe(self, self.decisions.codes.known)
        self._threads.start()

    def stop(self) -> None:
        """Take the tracer away: at once from this thread, from the others when they next call a function."""
        if _active is not self:
            return
        observe(None, {})
        self._threads.stop()
        for plan in self.decisions.codes.plans():
            plan.set([], plan.epoch)
        # Nobody is told any more of code that dies: when the process ends, modules are gone before it.
        self.decisions = Decisions(self._planner, TracePlan, ahead=False)

    def refresh(self, breakpoints: Sequence[int] = ()) -> None:
        """Decide again about code that carried nothing, and follow the frames that run armed code now."""
        self._planner.edited()
        self.decisions.codes.forget_unarmed()
        self._threads.attach()

    def live_frames(self, wanted: Callable[[CodeFacts], bool]) -> Iterator[FrameType]:
        """The frames with a tracer of ours that is still following them."""
        for frame in self._threads.frames():
            tracer = tracer_of(frame)
            if tracer is not None and tracer.plan.entries is not _ENDED and wanted(tracer.plan.facts):
                yield frame

    def missed(self) -> list[str]:
        """Threads that are not followed, and tracers that took the place of ours."""
        return self._threads.missed() if _active is self else []

    def after_fork(self) -> None:
        """The engine of the child begins without decisions: make them again, for the frames that are running too."""
        for plan in self.decisions.codes.plans():
            self.decisions.decide_again(plan)
        self.decisions.codes.forget_unarmed()
        self._threads.after_fork()

    # Called by the trace functions

    def learn(self, frame: FrameType) -> TracePlan | None:
        """Decide about the code of a frame."""
        return self.decisions.learn(frame.f_code, frame.f_globals)

    def decide_again(self, plan: TracePlan) -> None:
        """Bring a plan up to the present epoch."""
        self.decisions.decide_again(plan)

    def is_inside(self, plan: TracePlan, site: int, offset: int) -> bool:
        """Whether control at an offset is inside of the unit of a site."""
        return self.decisions.is_inside(plan, site, offset)

    def _attach(self, frame: FrameType) -> None:
        """Follow a frame that is running already."""
        try:
            known, plan = self.decisions.codes.look(frame.f_code)
            if not known or (plan is not None and plan.epoch != self._epoch[0]):
                plan = self.decisions.learn(frame.f_code, frame.f_globals)
            if plan is not None:
                self.attach(frame, plan)
        except RecursionError:
            raise  # whoever looks at the frames has not seen to all of them
        except BaseException as error:
            self.failed(error)


def _follow(frame: FrameType, tracer: FrameTracer) -> Any:
    """Give a frame its local trace function, with events for each instruction where lines alone don't show all."""
    if tracer.plan.hidden and not frame.f_trace_opcodes:
        if _COUNTS_WHEN_TRACED:
            frame.f_trace = tracer.trace
        frame.f_trace_opcodes = True
        if _ASKS_WHEN_SET:
            sys.settrace(sys.gettrace())
    return tracer.trace


def tracer_of(frame: FrameType) -> FrameTracer | None:
    """Who follows a frame for us."""
    owner = getattr(frame.f_trace, "__self__", None)
    return owner if type(owner) is FrameTracer else None
