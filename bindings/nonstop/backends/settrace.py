"""The portable backend, on `sys.settrace`: the ladder of optimisations that a tracer in Python can climb.

1. No local tracing in frames without a site: their line, return and exception events are never made.
2. A `call` event is answered with one lookup by the identity of the code object. Not by the code object itself: its
   hash walks through its contents (138 to 252 ns on PyPy, more with every constant).
3. A `line` event is answered with one lookup of the line; only an armed line goes on, and only an entry calls the
   engine.

What is called for each event are functions and methods at module level: a closure there is up to 40 times slower on
PyPy.
"""

from __future__ import annotations

import sys
import weakref
from typing import TYPE_CHECKING, Any, ClassVar

from nonstop.backends.base import Backend
from nonstop.backends.codes import Codes
from nonstop.backends.threads import Threads
from nonstop.code_objects import start_offset
from nonstop.core import NEEDS_THREAD_NAME, REENTERED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType

    from nonstop.core import Arm
    from nonstop.hits import Hits
    from nonstop.planner import CodeFacts, Planner

_PYPY = sys.implementation.name == "pypy"


class _Ended(dict[int, Any]):
    """The arms of a plan that ended: every line seems armed, so that each frame that still traces learns it at its
    next line.
    """

    def __contains__(self, line: object) -> bool:
        return True


_ENDED = _Ended()


class Plan:
    """The armed lines of one code object. It does not keep the code object alive."""

    __slots__ = ("arms", "code", "epoch", "facts", "lines", "start")

    def __init__(self, code: CodeType, facts: CodeFacts, arms: list[Arm], epoch: int) -> None:
        self.code = weakref.ref(code)
        self.facts = facts
        self.start = start_offset(code)
        #: PyPy only: the line of each offset at which a line event was seen.
        self.lines: dict[int, int] = {}
        self.set(arms, epoch)

    def set(self, arms: list[Arm], epoch: int) -> None:
        """Take a new decision."""
        self.arms: dict[int, Arm] = {arm.line: arm for arm in arms} if arms else _ENDED
        self.epoch = epoch


class FrameTracer:
    """Follows one frame from line to line, also over the suspensions of a generator.

    The interpreter keeps it, on the frame; it must not keep the frame.
    """

    __slots__ = ("entries", "plan", "previous")

    def __init__(self, plan: Plan, previous: int) -> None:
        self.plan = plan
        #: The line of the last event; 0: none, the frame is new.
        self.previous = previous
        #: Where the units that can follow themselves were entered first: site to offset.
        self.entries: dict[int, int] | None = None

    # A local trace function that returns None goes on tracing, on every interpreter (bpo-11992).
    if _PYPY:

        def trace(self, frame: FrameType, event: str, arg: Any) -> None:
            """The local trace function. `f_lasti` costs about 1 ns here, `f_lineno` up to 80."""
            if event != "line":
                return
            plan = self.plan
            offset = frame.f_lasti
            line = plan.lines.get(offset)
            if line is None:
                line = plan.lines[offset] = frame.f_lineno
            if line in plan.arms:
                self.armed_line(frame, line)
            self.previous = line

    else:

        def trace(self, frame: FrameType, event: str, arg: Any) -> None:
            """The local trace function."""
            if event != "line":
                return
            line = frame.f_lineno
            if line in self.plan.arms:
                self.armed_line(frame, line)
            self.previous = line

    def armed_line(self, frame: FrameType, line: int) -> None:
        """A line event at an armed line: tell the engine if it is an entry of the line's unit."""
        backend = _active
        plan = self.plan
        if backend is None or plan.arms is _ENDED:
            frame.f_trace = None
            return
        try:
            arm = plan.arms.get(line)
            if arm is not None and self._enters(frame, arm, plan.arms):
                self.previous = line
                backend.arrive(frame, plan, arm)
        except BaseException as error:
            backend.failed(error)

    def _enters(self, frame: FrameType, arm: Arm, arms: dict[int, Arm]) -> bool:
        if arm.flags & REENTERED:
            # The first statement of a `while True` without code for its header: it follows itself. Coming back to its
            # first instruction is a new pass; coming back to a line in the midst of it is not.
            offset = frame.f_lasti
            if self.entries is None:
                self.entries = {}
            if self.entries.setdefault(arm.site, offset) == offset:
                return True
        last = self.previous
        if not last:
            return True
        before = arms.get(last)
        if before is not None and before.site == arm.site:
            return False
        return not arm.inner_first <= last <= arm.inner_last


# What the two functions below read. Every start makes new codes, so that a thread which is late with a decision of an
# earlier session writes it where nobody looks.
_codes = Codes()
_known = _codes.known
_active: SettraceBackend | None = None


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
        plan = backend.learn(frame.f_code, frame.f_globals)
        return None if plan is None else _enter(frame, plan)
    except BaseException as error:
        # Nothing was remembered: the next call tries again (near the recursion limit that is all it takes).
        backend.failed(error)
        return None


def _enter(frame: FrameType, plan: Plan) -> Any:
    backend = _active
    if backend is None:
        return _first_call(frame)
    try:
        return backend.enter(frame, plan)
    except BaseException as error:
        backend.failed(error)
        return None


class SettraceBackend(Backend):
    """Observes with `sys.settrace` and `threading.settrace`. The tracer of another tool is never replaced."""

    name: ClassVar[str] = "settrace"
    capabilities: ClassVar[frozenset[str]] = frozenset(
        {"running_frames", "suspended_generators"} | ({"earlier_threads"} if sys.version_info >= (3, 12) else set())
    )

    def __init__(self, planner: Planner, hits: Hits) -> None:
        super().__init__(planner, hits)
        self._codes = Codes()
        self._threads = Threads(trace_call, self._attach)
        self._epoch = planner.epoch_word

    @classmethod
    def why_unavailable(cls) -> str | None:
        """Every interpreter has it."""
        return None

    def start(self) -> None:
        """Install the tracer in this thread, in those that begin from now on and, where that is possible, in all
        others.
        """
        global _active, _codes, _known
        self._threads.refuse_other_tracers(_active is not None and _active is not self)
        if _active is self:
            return
        self._codes = _codes = Codes(self._planner.forget)
        _known = _codes.known
        _active = self
        self._threads.start()

    def stop(self) -> None:
        """Take the tracer away: at once from this thread, from the others when they next call a function."""
        global _active, _codes, _known
        if _active is not self:
            return
        _active = None
        self._threads.stop()
        for plan in self._codes.plans():
            plan.set([], plan.epoch)
        self._codes = _codes = Codes()
        _known = _codes.known

    def refresh(self) -> None:
        """Decide again about code that carried nothing, and follow the frames that run armed code now."""
        self._planner.edited()
        self._codes.forget_unarmed()
        self._threads.attach()

    def disarm(self, code: CodeType) -> None:
        """Stop observing one code object, until the next refresh."""
        plan = self._codes.plan(code)
        if plan is not None:
            plan.set([], plan.epoch)
            self._codes.remember(code, None)

    def live_frames(self, wanted: Callable[[CodeFacts], bool]) -> Iterator[FrameType]:
        """The frames with a tracer of ours that is still following them."""
        for frame in self._threads.frames():
            tracer = _tracer_of(frame)
            if tracer is not None and tracer.plan.arms is not _ENDED and wanted(tracer.plan.facts):
                yield frame

    def missed(self) -> list[str]:
        """Threads that are not followed, and tracers that took the place of ours."""
        return self._threads.missed() if _active is self else []

    # Called by the trace functions

    def learn(self, code: CodeType, namespace: dict[str, Any]) -> Plan | None:
        """Decide about a code object that is not known, and remember the decision."""
        codes, planner = self._codes, self._planner
        while True:
            epoch, edits = self._epoch[0], planner.edits
            plan: Plan | None = codes.plan(code)
            if plan is not None:
                self._decide_again(plan)
                return plan if plan.arms is not _ENDED else None
            found = planner.examine(code, namespace)
            if found is not None:
                facts, decision = found
                plan = Plan(code, facts, decision.arms, decision.epoch)
                if not codes.add_plan(code, plan):
                    planner.forget(facts)  # another thread was first
                    continue
            codes.remember(code, plan)
            # An edit may have been published since, and the refresh that goes with it have run before the decision was
            # remembered: then nobody but us would notice.
            if epoch == self._epoch[0] and edits == planner.edits:
                return plan
            codes.drop(code)

    def enter(self, frame: FrameType, plan: Plan) -> Any:
        """A frame of armed code begins, or a suspended one goes on. Gives its local trace function."""
        if plan.epoch != self._epoch[0]:
            self._decide_again(plan)
        if plan.arms is _ENDED:
            return None
        present = frame.f_trace
        if present is None:
            resumed = frame.f_lasti > plan.start
            return FrameTracer(plan, (frame.f_lineno or 0) if resumed else 0).trace
        # The tracer of a generator stays on its frame while it is suspended: a resumption is no entry. Or another tool
        # traces this one frame: that is its right.
        tracer = _tracer_of(frame)
        if tracer is None or tracer.plan is plan:
            return present
        return FrameTracer(plan, tracer.previous).trace  # left over from an earlier session

    def arrive(self, frame: FrameType, plan: Plan, arm: Arm) -> None:
        """Control enters an armed unit."""
        if plan.epoch != self._epoch[0]:
            self._decide_again(plan)
            if plan.arms.get(arm.line) != arm:
                return
        self._hits.arrive(frame, arm.site, bool(arm.flags & NEEDS_THREAD_NAME))
        if plan.epoch != self._epoch[0]:
            self._decide_again(plan)
            if plan.arms is _ENDED and self._hits.plan_ended is not None:
                self._hits.plan_ended()

    def after_fork(self) -> None:
        """The engine of the child begins without decisions: make them again, for the frames that are running too."""
        for plan in self._codes.plans():
            self._decide_again(plan)
        self._codes.forget_unarmed()

    def failed(self, error: BaseException) -> None:
        """Count an error of ours, and let the program go on."""
        self._hits.failed(error)

    def _decide_again(self, plan: Plan) -> None:
        code = plan.code()
        while True:
            decision = self._planner.decide(plan.facts, code)
            plan.set(decision.arms, decision.epoch)
            if code is not None:
                self._codes.remember(code, plan if decision.arms else None)
            if decision.epoch == self._epoch[0]:
                return

    def _attach(self, frame: FrameType) -> None:
        """Follow a frame that is running already. Its current line is no entry: control is in it."""
        try:
            known, plan = self._codes.look(frame.f_code)
            if not known or (plan is not None and plan.epoch != self._epoch[0]):
                plan = self.learn(frame.f_code, frame.f_globals)
            if plan is None:
                return
            tracer = _tracer_of(frame)
            if frame.f_trace is None or (tracer is not None and tracer.plan is not plan):
                frame.f_trace = FrameTracer(plan, frame.f_lineno or 0).trace
        except BaseException as error:
            self.failed(error)


def _tracer_of(frame: FrameType) -> FrameTracer | None:
    owner = getattr(frame.f_trace, "__self__", None)
    return owner if type(owner) is FrameTracer else None
