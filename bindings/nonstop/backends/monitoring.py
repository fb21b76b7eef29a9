"""The backend on `sys.monitoring` (CPython 3.12 and later): code without a breakpoint runs as if there was no debugger.

Armed are single instructions: those where control enters a unit (docs/semantics.md, 3), which the engine worked out
from the bytecode. An armed code object gets events for its instructions, and all but these are switched off when they
are first told: a handful of nanoseconds each, once. Events for lines would come at the same places and others, and a
line that was switched off goes on to cost: 1.1 to 1.2 times as much for short functions on 3.12 to 3.15.

Code is discovered when it begins or goes on to run, which the interpreter tells of once for each code object. What runs
already when observing begins is found on the stacks, and in suspended generators.
"""

from __future__ import annotations

import itertools
import opcode
import os
import sys
import threading
from typing import TYPE_CHECKING, Any, ClassVar

from nonstop.backends.base import Backend
from nonstop.backends.decisions import Decisions, Plan
from nonstop.backends.functions import find_suspended, frame_of
from nonstop.backends.own_threads import OWN_THREADS
from nonstop.backends.seen import Seen
from nonstop.backends.stacks import frames_of_greenlets, stack, topmost_frames
from nonstop.core import HOST_READS, MIXED, NEEDS_THREAD_NAME, HitItem, why_no_native_hooks
from nonstop.errors import BackendError, StateError
from nonstop.misread import OPTIMIZED, misread_variables
from nonstop.scopes import OWN_FRAMES
from nonstop.simple_conditions import simple_condition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import CodeType, FrameType

    from nonstop.core import Entry, NativeHooks
    from nonstop.hits import Hits
    from nonstop.planner import CodeFacts, Planner
    from nonstop.simple_conditions import SimpleCondition

_monitoring: Any = getattr(sys, "monitoring", None)
#: Those that are nobody's: 0 is for debuggers, 1 for coverage, 2 for profilers, 5 for optimizers.
_TOOL_IDS = (3, 4)
#: The name that it is registered under.
_TOOL_NAME = "nonstop"
#: The opcodes of jumps; one that is far begins with a prefix.
_JUMPS = frozenset((*opcode.hasjrel, opcode.EXTENDED_ARG))
#: Frames whose last offset is kept, of one code object.
_MOST_FRAMES = 4096

if _monitoring is not None:
    _DISABLE = _monitoring.DISABLE
    _INSTRUCTION = _monitoring.events.INSTRUCTION
    _BEGINS = _monitoring.events.PY_START
    _RESUMES = _monitoring.events.PY_RESUME
    _LINE = _monitoring.events.LINE

#: Up to 3.13 an event for an instruction is lost when another tool switches off the event for the line that begins
#: there, and nobody else wants that: CPython goes on with what the instruction would be without any events.
_LINES_TAKE_EVENTS = sys.version_info < (3, 14)

# What the callbacks below read.
_active: MonitoringBackend | None = None
_plans: dict[int, EventPlan | None] = {}
_seen = Seen()


class EventPlan(Plan):
    """A plan whose code object has events for its instructions while anything is armed in it."""

    __slots__ = ("_address", "_hooks", "_tool", "entries", "frames", "is_mixed")

    def __init__(self, code: CodeType, facts: CodeFacts, tool: int, hooks: NativeHooks) -> None:
        super().__init__(code, facts)
        self._address = id(code)
        self._tool = tool
        self._hooks = hooks
        #: Those whose arrival the instruction at an offset is, in order.
        self.entries: dict[int, list[Entry]] = {}
        #: Whether where control was before tells if it enters a unit: then no instruction is switched off.
        self.is_mixed = False
        #: By the address of a frame: its last instruction.
        self.frames: dict[int, int] = {}

    def set(self, entries: Sequence[Entry], epoch: int) -> None:
        """Arm these entries."""
        by_offset: dict[int, list[Entry]] = {}
        for entry in entries:
            by_offset.setdefault(entry.offset, []).append(entry)
        code = self.code()
        if code is None:
            return
        # First, so that an event finds what it is for.
        armed = entries
        if not _tells_its_variables(code):
            armed = [one._replace(flags=one.flags | HOST_READS) for one in entries]
        self._hooks.arm(self._address, armed, epoch)
        if by_offset == self.entries:
            return
        self.is_mixed = any(entry.flags & MIXED for entry in entries)
        self.entries = by_offset
        self.frames = {}
        # To none and back: what was switched off is told again.
        _monitoring.set_local_events(self._tool, code, 0)
        if entries:
            keeps_lines = _LINES_TAKE_EVENTS and _others_see_lines(self._tool, code)
            _monitoring.set_local_events(self._tool, code, _INSTRUCTION | _LINE if keeps_lines else _INSTRUCTION)

    def let_go(self) -> None:
        """The code object is gone: its address may be another one's soon."""
        self._hooks.arm(self._address, (), 0)

    @property
    def is_over(self) -> bool:
        """Whether no entry is armed."""
        return not self.entries

    def previous(self, frame: FrameType, offset: int) -> int:
        """The offset of the last instruction of a frame, or -1 at its first one; this one is the last from now on."""
        address = id(frame)
        before = self.frames.get(address, -1)
        # The frames that are gone leave theirs behind.
        if len(self.frames) >= _MOST_FRAMES:
            self.frames.clear()
        self.frames[address] = offset
        # So may the one that had this address before. But it was not left at a jump, and nothing else leads back.
        if before >= offset and frame.f_code.co_code[before] not in _JUMPS:
            return -1
        return before


def _at_instruction(code: CodeType, offset: int) -> Any:
    """An armed code object is about to run the instruction at an offset."""
    plan = _plans.get(id(code))
    if plan is None:
        return _DISABLE
    entries = plan.entries.get(offset)
    if entries is None and not plan.is_mixed:
        return _DISABLE
    backend = _active
    if backend is None:
        return _DISABLE
    try:
        frame = sys._getframe(1)
        before = plan.previous(frame, offset) if plan.is_mixed else -1
        for entry in entries or ():
            if not (entry.flags & MIXED and backend.decisions.is_inside(plan, entry.site, before)):
                backend.arrive(frame, plan, entry)
    except BaseException as error:
        backend.failed(error)
    return None


def _at_line(code: CodeType, line: int) -> Any:
    """A line begins to run. That somebody wants to be told keeps the event for its instruction."""
    plan = _plans.get(id(code))
    is_armed = plan is not None and any(entry.line == line for some in plan.entries.values() for entry in some)
    return None if is_armed else _DISABLE


def _runs(code: CodeType, offset: int) -> Any:
    """A frame begins, or a suspended one goes on."""
    backend = _active
    if backend is not None:
        try:
            backend.learn(code, sys._getframe(1).f_globals)
        except BaseException as error:
            # Told again at the next call (near the recursion limit that is all it takes).
            backend.failed(error)
            return None
    return _DISABLE


class MonitoringBackend(Backend):
    """Observes with `sys.monitoring`, under a tool id that is nobody's. The events of other tools are left alone."""

    name: ClassVar[str] = "monitoring"
    capabilities: ClassVar[frozenset[str]] = frozenset({"running_frames", "suspended_generators", "earlier_threads"})
    sees_instructions: ClassVar[bool] = True

    def __init__(self, planner: Planner, hits: Hits) -> None:
        super().__init__(planner, hits)
        self._epoch = planner.epoch_word
        self._tool = -1
        self._hooks = planner.native_hooks()
        self.decisions = self._no_decisions()
        #: By token, those that the native callback decides.
        self._conditions: dict[int, SimpleCondition] = {}

    @classmethod
    def why_unavailable(cls) -> str | None:
        """It came with CPython 3.12; and another tool may have both of the ids that can be taken."""
        if _monitoring is None:
            return "sys.monitoring came with CPython 3.12"
        if _active is not None or _free_tool_id() is not None:
            return None
        taken = " and ".join(f"{number} by {_monitoring.get_tool(number)!r}" for number in _TOOL_IDS)
        return f"the tool ids of sys.monitoring that it may take are in use: {taken}"

    @classmethod
    def remarks(cls) -> list[str]:
        """Where the library cannot be called directly, Python answers."""
        problem = why_no_native_hooks()
        return [] if problem is None else [f"answers each hit in Python, at ten times the cost: {problem}"]

    def start(self) -> None:
        """Take a tool id, and discover what runs."""
        global _active, _plans
        if _active is self:
            return
        if _active is not None:
            raise BackendError(
                "another nonstop.Debugger is observing this process (backend monitoring); "
                "stop() it first, or add the breakpoints to it",
                code="tracer_in_use",
            )
        tool = _free_tool_id()
        if tool is None:
            raise BackendError(
                f"{self.why_unavailable()}; end one of these tools, or take backend='settrace'", code="tracer_in_use"
            )
        _monitoring.use_tool_id(tool, _TOOL_NAME)
        self._tool = tool
        self.decisions = self._no_decisions()
        _plans = self.decisions.codes.known
        _active = self
        try:
            _monitoring.register_callback(tool, _INSTRUCTION, self._callback())
        except BaseException:
            self.stop()
            raise
        _monitoring.register_callback(tool, _LINE, _at_line)
        _monitoring.register_callback(tool, _BEGINS, _runs)
        _monitoring.register_callback(tool, _RESUMES, _runs)
        _monitoring.set_events(tool, _BEGINS | _RESUMES)
        # What begins from now on is told of. What was there before:
        for frame in (*self._frames(), *filter(None, map(frame_of, find_suspended()))):
            _seen.add(frame.f_code, frame.f_globals)

    def stop(self) -> None:
        """Take back all events, and free the tool id."""
        global _active, _plans
        if _active is not self:
            return
        _active = None
        _monitoring.set_events(self._tool, 0)
        # First: early versions of 3.12 forget an id that has events left, but not these (python/cpython#111963).
        for plan in self.decisions.codes.plans():
            plan.set([], plan.epoch)
        # Nobody is told any more of code that dies: when the process ends, modules are gone before it.
        self.decisions = self._no_decisions()
        self._hooks.stop()
        _plans = {}
        for event in (_INSTRUCTION, _LINE, _BEGINS, _RESUMES):
            _monitoring.register_callback(self._tool, event, None)
        _monitoring.free_tool_id(self._tool)

    def take_condition(self, token: int, text: str) -> None:
        """Let the native callback decide it, if it is simple."""
        condition = simple_condition(text)
        if condition is not None:
            self._conditions[token] = condition
            self._hooks.set_condition(token, condition)

    def forget_condition(self, token: int) -> None:
        """Let go of it."""
        if self._conditions.pop(token, None) is not None:
            self._hooks.set_condition(token, None)

    def refresh(self, breakpoints: Sequence[int] = ()) -> None:
        """Decide again about the code that has run of the files in which these breakpoints stand."""
        self._planner.edited()
        files, plans = _seen.files(), self.decisions.codes.plans()
        keys = list({*(file.key for file in files), *map(_file_of, plans)})
        carrying = set(itertools.compress(keys, self._planner.carry(keys, breakpoints)))
        for file in files:
            if file.key in carrying:
                for code in self._planner.candidates(file.codes(), file.key):
                    self.decisions.learn(code, file.namespace)
        # Those that were armed ahead and have not run. In other files a plan is as good as before, and brought up to
        # the new epoch at its next arrival.
        for plan in plans:
            if self.decisions.is_outdated(plan) and _file_of(plan) in carrying and self._may_have_entries(plan):
                self.decisions.decide_again(plan)

    def _may_have_entries(self, plan: EventPlan) -> bool:
        """Whether anything is armed in a code object by its plan, or may be by now."""
        code = plan.code()
        return not plan.is_over or (code is not None and any(self._planner.candidates([code], _file_of(plan))))

    def after_fork(self) -> None:
        """The engine of the child begins without decisions: make them again."""
        for plan in self.decisions.codes.plans():
            self.decisions.decide_again(plan)

    def live_frames(self, wanted: Callable[[CodeFacts], bool]) -> Iterator[FrameType]:
        """The frames of all threads and greenlets that run armed code."""
        for frame in self._frames():
            plan = self.decisions.codes.plan(frame.f_code)
            if plan is not None and not plan.is_over and wanted(plan.facts):
                yield frame

    @property
    def spent_ns(self) -> int:
        """Time spent in the native callback."""
        return self._hooks.spent_ns

    def missed(self) -> list[str]:
        """Nothing: events come from all threads."""
        return []

    # Called by the callbacks

    def learn(self, code: CodeType, namespace: dict[str, Any]) -> None:
        """A code object runs, for the first time in this session."""
        # Before it is decided on: an edit that is published meanwhile looks at all that was seen.
        _seen.add(code, namespace)
        self.decisions.learn(code, namespace)

    def arrive(self, frame: FrameType, plan: EventPlan, entry: Entry) -> None:
        """Control enters an armed unit."""
        if threading.get_ident() in OWN_THREADS:
            return
        if plan.epoch != self._epoch[0]:
            self.decisions.decide_again(plan)
            present = [one for one in plan.entries.get(entry.offset, ()) if one.site == entry.site]
            if not present:
                return
            (entry,) = present
        self._hits.arrive(frame, entry.site, bool(entry.flags & NEEDS_THREAD_NAME))
        if plan.epoch != self._epoch[0]:
            self._arrived(plan)

    def _arrived(self, plan: EventPlan) -> None:
        """An arrival may have changed what is armed."""
        self.decisions.decide_again(plan)
        if plan.is_over and self._hits.plan_ended is not None:
            self._hits.plan_ended()

    def _answer(self, *item: int) -> None:
        """The native callback counted an arrival of the frame that calls this, and a breakpoint wants something."""
        self._hits.answer(sys._getframe(1), HitItem(*item))

    def _outdated(self, code: CodeType) -> None:
        """The native callback counted an arrival, and the epoch has changed."""
        plan = _plans.get(id(code))
        if plan is None:
            return
        try:
            self._arrived(plan)
        except BaseException as error:
            self.failed(error)

    def _callback(self) -> Any:
        try:
            callback = self._hooks.start(_DISABLE, _at_instruction, self._answer, self._outdated)
        except StateError:  # see remarks()
            return _at_instruction
        for token, condition in self._conditions.items():
            self._hooks.set_condition(token, condition)
        return callback

    def failed(self, error: BaseException) -> None:
        """Count an error of ours, and let the program go on."""
        self._hits.failed(error)

    def _no_decisions(self) -> Decisions[EventPlan]:
        return Decisions(self._planner, lambda code, facts: EventPlan(code, facts, self._tool, self._hooks), ahead=True)

    def _frames(self) -> Iterator[FrameType]:
        for ident, top in topmost_frames().items():
            if ident not in OWN_THREADS:
                yield from stack(top)
        yield from frames_of_greenlets()


def _tells_its_variables(code: CodeType) -> bool:
    """Whether a name in a frame means the variable that the C API tells: not at the top of a class or module."""
    return bool(code.co_flags & OPTIMIZED) and code.co_name not in OWN_FRAMES and not misread_variables(code)


def _file_of(plan: EventPlan) -> tuple[str, str]:
    """The file of a code object, and the module that it runs as."""
    return os.fsdecode(plan.facts.path), plan.facts.module


def _free_tool_id() -> int | None:
    return next((number for number in _TOOL_IDS if _monitoring.get_tool(number) is None), None)


def _others_see_lines(tool: int, code: CodeType) -> bool:
    """Whether another tool is told of the lines of a code object."""
    others = (number for number in range(6) if number != tool and _monitoring.get_tool(number) is not None)
    return any(
        (_monitoring.get_events(number) | _monitoring.get_local_events(number, code)) & _LINE for number in others
    )
