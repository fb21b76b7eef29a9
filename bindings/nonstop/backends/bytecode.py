"""The backend that puts calls into code: CPython up to 3.11, and PyPy.

Code without a breakpoint runs as ever, and that with one runs a call more where control enters the unit. The rewriter
(`src/patch`) makes a new code object of the one that a function has, and the function gets it; so do all that are made
later, since it also stands in the constants of the code around (see :mod:`nonstop.backends.rewriting`). When the
breakpoint is gone the function gets its own code object back.

What runs already goes on to run the code that it began with. Such frames, and suspended generators, are followed with
the trace functions of the settrace backend until they end; so is the code of modules, which runs once, and code that
the rewriter refuses. No thread is traced in which there is nothing to follow.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
import weakref
from _thread import get_ident
from types import CodeType
from typing import TYPE_CHECKING, Any, ClassVar

from nonstop.backends import settrace
from nonstop.backends.call_plans import CallPlan, FollowPlan
from nonstop.backends.codes import AliveCodes, Codes
from nonstop.backends.decisions import Decisions
from nonstop.backends.followed import Followed
from nonstop.backends.functions import frame_of
from nonstop.backends.own_threads import OWN_THREADS, SILENT_THREADS
from nonstop.backends.rewriting import Rewriting
from nonstop.backends.settrace import TracePlan, TracingBackend, tracer_of
from nonstop.backends.swapping import Swapping
from nonstop.backends.tallies import Tallies
from nonstop.core import NEEDS_THREAD_NAME, ONLY_COUNTS, Entry, HitItem, ignore_thread, why_no_native_hooks
from nonstop.dialect import read_facts
from nonstop.errors import BackendError, LibraryError, StateError
from nonstop.planner import is_own, module_name
from nonstop.rewritten import origin_of, original_of
from nonstop.sources import OWN_TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    from nonstop.core import Probe
    from nonstop.hits import Hits
    from nonstop.planner import CodeFacts, Planner

_PYPY = sys.implementation.name == "pypy"

_sessions = itertools.count(1)

#: What the hook below works for.
_active: BytecodeBackend | None = None


#: What counts the calls that do no more, by their numbers: see :class:`Tallies`.
_counting: dict[int, Any] = {}


def _hook(number: int) -> None:
    """What code calls where there is no native hook."""
    count = _counting.get(number)
    if count is not None and get_ident() not in SILENT_THREADS:
        next(count)
        return
    backend = _active
    if backend is not None:
        backend.at_site(number, sys._getframe(1))


class BytecodeBackend(TracingBackend):
    """Observes with calls in the code. The tracer of another tool is never replaced."""

    name: ClassVar[str] = "bytecode"
    capabilities: ClassVar[frozenset[str]] = frozenset(
        {"running_frames", "suspended_generators"} | (set() if _PYPY else {"earlier_threads"})
    )

    def __init__(self, planner: Planner, hits: Hits) -> None:
        super().__init__(planner, hits)
        self._owner = next(_sessions)
        self._hooks = None if _PYPY else planner.native_hooks()
        self._hook: Any = _hook
        #: By the number of a call: what it belongs to, and the line that its unit begins at.
        self._plans: dict[int, tuple[CallPlan, int]] = {}
        self._tallies = Tallies(hits.tell_total)
        self._refusals: dict[int, tuple[weakref.ref[CodeType], str]] = {}
        #: Code of modules that was made and has not run yet, as far as is known (PyPy).
        self._pending = AliveCodes()
        #: Files without a breakpoint, under whatever module.
        self._quiet_names: set[str] = set()
        self._listener: Any = self._runs_soon
        self.decisions = self._no_decisions()
        self._traced: Codes[FollowPlan] = Codes(lambda plan: None)
        self._followed = Followed(
            settrace.trace_call,
            self.follow,
            self._everywhere,
            None if self._hooks is None else self._hooks.set_trace,
        )
        self._rewriting = self._no_rewriting()
        self._swapping = self._no_swapping()

    @classmethod
    def why_unavailable(cls) -> str | None:
        """From CPython 3.12 on sys.monitoring does it better."""
        if read_facts().call is None:
            return "calls are put into code on CPython up to 3.11"
        try:
            return None if _PYPY else why_no_native_hooks()
        except LibraryError:
            return None  # that nothing works without the library is said elsewhere

    def start(self) -> None:
        """Begin to see code that is about to run. What is there is seen to by `refresh`."""
        global _active, _counting
        if _active is self:
            return
        if _active is not None or settrace.observer() is not None:
            raise BackendError(
                "another nonstop.Debugger is observing this process; stop() it first, or add the breakpoints to it",
                code="tracer_in_use",
            )
        self._owner = next(_sessions)
        self._plans, self._refusals, self._pending = {}, {}, AliveCodes()
        self._quiet_names = set()
        self.decisions = self._no_decisions()
        self._traced = Codes(lambda plan: None)
        if self._hooks is not None:
            self._hook = self._hooks.start(None, self._at_site, self._answer, self._outdated, puts_calls=True)
        self._rewriting = self._no_rewriting()
        self._swapping = self._no_swapping()
        settrace.observe(self, self._traced.known)
        self._tallies = Tallies(self._hits.tell_total)
        self._hits.gather_with(self._tallies.gather_all)
        _counting = self._tallies.counting
        _active = self
        self._followed.start()
        self._listen(True)

    def stop(self) -> None:
        """Give all functions their own code back, and trace no thread any more."""
        global _active
        if _active is not self:
            return
        self._listen(False)
        for plan in self.decisions.codes.plans():
            plan.set([], plan.epoch)
        self._swapping.restore()
        _active = None
        settrace.observe(None, {})
        self._followed.stop()
        for followed in list(self._traced.known.values()):
            if followed is not None:
                followed.set([], followed.epoch)
        # Nobody is told any more of code that dies: when the process ends, modules are gone before it.
        self.decisions = self._no_decisions()
        if self._hooks is not None:
            self._hooks.stop()
        self._traced = Codes(lambda plan: None)

    def refresh(self, breakpoints: Sequence[int] = ()) -> None:
        """Put calls into all code that is to have some now, and follow the frames that run without them."""
        self._planner.edited()
        self._quiet_names.clear()
        for plan in self.decisions.codes.plans():
            if self.decisions.is_outdated(plan):
                self.decisions.decide_again(plan)
        self._swapping.settle()

    def ended(self) -> None:
        """Breakpoints were removed or disabled: let code go back in which nothing is armed any more."""
        changed = False
        for plan in self.decisions.codes.plans():
            if self.decisions.is_outdated(plan):
                lines = plan.lines
                self.decisions.decide_again(plan)
                changed = changed or plan.lines != lines
        if changed:
            self._swapping.settle(is_new=False)

    def after_fork(self) -> None:
        """The engine of the child begins without decisions: make them again. The code stays as it is."""
        self._followed.after_fork()
        for plan in self.decisions.codes.plans():
            self.decisions.decide_again(plan)
        for followed in list(self._traced.known.values()):
            if followed is not None:
                followed.bring_up(self._owner)
        self._swapping.after_fork()
        self._followed.look()

    def live_frames(self, wanted: Callable[[CodeFacts], bool]) -> Iterator[FrameType]:
        """The frames that run code with calls in it, or are followed."""
        for frame in self._followed.frames():
            plan = self.decisions.codes.plan(original_of(frame.f_code))
            if plan is None or plan.is_over or not wanted(plan.facts):
                continue
            origin = origin_of(frame.f_code)
            if (origin is not None and origin.owner == self._owner) or tracer_of(frame) is not None:
                yield frame

    @property
    def spent_ns(self) -> int:
        """Time spent in the native hook."""
        return 0 if self._hooks is None else self._hooks.spent_ns

    def missed(self) -> list[str]:
        """Threads whose frames cannot be followed yet, and code that no call can be put into."""
        if _active is not self:
            return []
        sentences = self._followed.missed()
        for reference, reason in list(self._refusals.values()):
            code = reference()
            plan = None if code is None else self.decisions.codes.plan(code)
            if code is not None and plan is not None and not plan.is_over:
                sentences.append(
                    f"{code.co_name} is followed with sys.settrace, since its code stays as it is: {reason}"
                )
        return sentences

    # Called by the plans

    def probes(self, facts: CodeFacts) -> Sequence[Probe]:
        """What the engine wants to be put into a code object."""
        return self._planner.probes(facts)[1]

    def arm(self, plan: CallPlan, number: int, entry: Entry, epoch: int) -> None:
        """Let calls with a number arrive at a site."""
        self._plans[number] = plan, entry.line
        if self._hooks is not None:
            self._hooks.arm(number, [entry], epoch)
        elif entry.flags & ONLY_COUNTS:
            self._tallies.count(number, entry.site)
        else:
            self._tallies.pause(number)

    def disarm(self, number: int) -> None:
        """Let them arrive nowhere."""
        self._plans.pop(number, None)
        if self._hooks is not None:
            self._hooks.arm(number, (), 0)
        else:
            self._tallies.pause(number)

    def gather(self, number: int) -> None:
        """Tell of those that were counted."""
        if self._hooks is None:
            self._tallies.gather(number)

    def forget(self, number: int) -> None:
        """There are no such calls any more."""
        self.disarm(number)
        self._tallies.forget(number)

    # Called by the hooks

    def at_site(self, number: int, frame: FrameType) -> None:
        """Code has called: control of this frame enters a unit."""
        ident = get_ident()
        if ident in SILENT_THREADS:
            return
        try:
            SILENT_THREADS.add(ident)
            found = self._plans.get(number)
            if found is None:
                return
            plan, line = found
            if plan.epoch != self._epoch[0]:
                self._decide(plan)
            entry = plan.sites.get(line)
            if entry is None:
                return
            self._hits.arrive(frame, entry.site, bool(entry.flags & NEEDS_THREAD_NAME))
            if plan.epoch != self._epoch[0]:
                self._arrived(plan)
        except BaseException as error:
            self.failed(error)
        finally:
            SILENT_THREADS.discard(ident)

    def _at_site(self, number: int) -> None:
        """The native hook leaves all to Python."""
        self.at_site(number, sys._getframe(1))

    def _answer(self, *item: int) -> None:
        """The native hook counted an arrival of the frame that calls this, and a breakpoint wants something."""
        ident = get_ident()
        try:
            SILENT_THREADS.add(ident)
            self._hits.answer(sys._getframe(1), HitItem(*item))
        finally:
            SILENT_THREADS.discard(ident)

    def _outdated(self, number: int) -> None:
        """The native hook counted an arrival, and the epoch has changed."""
        found = self._plans.get(number)
        if found is None:
            return
        try:
            self._arrived(found[0])
        except BaseException as error:
            self.failed(error)

    def _arrived(self, plan: CallPlan) -> None:
        """An arrival may have changed what is armed."""
        self._decide(plan)
        if plan.is_over and self._hits.plan_ended is not None:
            self._hits.plan_ended()

    # Called by the trace functions

    def learn(self, frame: FrameType) -> TracePlan | None:
        """A frame begins in a thread that is traced, with code that is not known to have all its calls."""
        code = frame.f_code
        edits = self._planner.edits
        plan = self._learn(code, frame.f_globals)
        if plan is None:
            self._pending.discard(code)
            self._followed.begins(frame)
            if self._planner.is_quiet(code.co_filename, module_name(frame.f_globals)):
                self._quiet_names.add(code.co_filename)
                if self._planner.edits != edits:
                    self._quiet_names.discard(code.co_filename)
        elif (
            code.co_flags & _NEW_LOCALS
            and self._rewriting.current(original_of(code)) is not code
            and not self._followed.any(_makes)
        ):
            self._swapping.settle()  # a function that was made of it, and was not there when others got their calls
        return plan

    def decide_again(self, plan: TracePlan) -> None:
        """Bring a plan up to the present epoch."""
        assert isinstance(plan, FollowPlan)
        base = plan.base
        if base is not None and self.decisions.is_outdated(base):
            self._decide(base)
        plan.bring_up(self._owner)
        if base is None:
            plan.epoch = self._epoch[0]

    def is_inside(self, plan: TracePlan, site: int, offset: int) -> bool:
        """Whether control at an offset is inside of the unit of a site."""
        assert isinstance(plan, FollowPlan)
        if offset < 0 or plan.base is None:
            return False
        if plan.origin is not None:
            offset = plan.origin.old_offset(offset)
        return self.decisions.is_inside(plan.base, site, offset)

    def enter(self, frame: FrameType, plan: TracePlan) -> Any:
        """A frame begins that is to be followed, or a suspended one goes on."""
        trace = super().enter(frame, plan)
        if self._pending and _runs_once(frame.f_back):
            self._pending.discard(frame.f_code)
        if trace is not None:
            if _PYPY and _makes(plan):
                self._followed.changed()
            self._followed.add(frame, plan)
        self._followed.begins(frame)
        return trace

    def leaves(self, frame: FrameType) -> None:
        """A frame that was followed ends or is suspended."""
        try:
            self._followed.leave(frame)
            tracer = tracer_of(frame)
            if tracer is not None and isinstance(tracer.plan, FollowPlan) and tracer.plan.makes_until >= 0:
                self._made()
        except BaseException as error:
            self.failed(error)

    def passes(self, frame: FrameType, plan: TracePlan) -> None:
        """A frame that is followed has made all functions that it ever makes."""
        assert isinstance(plan, FollowPlan)
        tracer = tracer_of(frame)
        if tracer is None or tracer.plan is not plan:
            return
        tracer.plan = rest = self._rest(plan)
        if rest.is_over:
            frame.f_trace = None
            self._followed.leave(frame)
        else:
            self._followed.add(frame, rest)
        self._made()

    def _made(self) -> None:
        """A frame has made functions without their calls. Once none is left that goes on to, they are looked for."""
        if not self._followed.any(_makes):
            self._swapping.settle()

    def _rest(self, plan: FollowPlan) -> FollowPlan:
        return FollowPlan(plan.code() or _hook.__code__, plan.base, plan.origin, -1, self._owner)

    def arrive(self, frame: FrameType, plan: TracePlan, entry: Entry) -> None:
        """Control of a frame that is followed enters an armed unit."""
        assert isinstance(plan, FollowPlan)
        if 0 <= plan.makes_until < entry.offset:
            self.passes(frame, plan)
        ident = get_ident()
        if ident in SILENT_THREADS:
            return
        try:
            SILENT_THREADS.add(ident)
            if self._hooks is not None:
                ignore_thread(True)
            super().arrive(frame, plan, entry)
        finally:
            if self._hooks is not None:
                ignore_thread(False)
            SILENT_THREADS.discard(ident)

    # What is to be followed

    def _follow_plan(self, code: CodeType, namespace: dict[str, Any]) -> FollowPlan | None:
        """What is to be followed in the frames of a code object."""
        if self._rewriting.is_copy(code):
            return None
        original = original_of(code)
        base = self.decisions.codes.plan(original)
        if base is None:
            self.decisions.learn(original, namespace)
            base = self.decisions.codes.plan(original)
        elif self.decisions.is_outdated(base):
            self._decide(base)
        if self._planner.is_quiet(original.co_filename, module_name(namespace)) and base is None:
            return None
        self._rewriting.current(original)
        origin = origin_of(code)
        plan = FollowPlan(code, base, origin, self._rewriting.makes_until(code), self._owner)
        return None if plan.is_over else plan

    def _known_plan(self, frame: FrameType) -> FollowPlan | None:
        known, plan = self._traced.look(frame.f_code)
        return plan if known else self._learn(frame.f_code, frame.f_globals)

    def _learn(self, code: CodeType, namespace: dict[str, Any]) -> FollowPlan | None:
        """What is to be followed in the frames of a code object that is not known; that is remembered."""
        while True:
            epoch, edits = self._epoch[0], self._planner.edits
            plan = self._follow_plan(code, namespace)
            self._traced.remember(code, plan)
            # As in `Decisions`: an edit may have been published since, and what it makes others forget be forgotten.
            if epoch == self._epoch[0] and edits == self._planner.edits:
                return plan
            self._traced.drop(code)

    def follow(self, frame: FrameType) -> FollowPlan | None:
        """Follow a frame that is running already, if it has to be; what is followed."""
        try:
            plan = self._known_plan(frame)
            if plan is None:
                return None
            if plan.epoch != self._epoch[0]:
                self.decide_again(plan)
            if 0 <= plan.makes_until < frame.f_lasti:
                plan = self._rest(plan)
            return plan if not plan.is_over and self.attach(frame, plan) else None
        except RecursionError:
            raise  # whoever looks at the frames has not seen to all of them
        except BaseException as error:
            self.failed(error)
            return None

    def _everywhere(self) -> bool:
        """Whether all threads have to be traced."""
        if self._swapping.has_suspended(self._is_stale):
            return True
        if _PYPY and (self._pending or self._followed.any(_makes)):
            return True
        return any(self._is_armed(reference()) for reference, _ in list(self._refusals.values()))

    def _is_armed(self, code: CodeType | None) -> bool:
        plan = None if code is None else self.decisions.codes.plan(code)
        return plan is not None and not plan.is_over

    def _is_stale(self, suspended: Any) -> bool:
        """Whether a generator runs code that has to be followed."""
        frame = None if suspended is None else frame_of(suspended)
        plan = None if frame is None else self._known_plan(frame)
        return plan is not None and not plan.is_over

    # What is about to run

    def _listen(self, on: bool) -> None:
        if _PYPY:
            import __pypy__  # type: ignore[import-not-found]

            __pypy__.set_code_callback(self._was_made if on else None)
        elif self._hooks is not None:
            with contextlib.suppress(StateError):
                self._hooks.listen(self._listener if on else None)

    def _runs_soon(self, code: CodeType) -> None:
        """`exec`, `eval` or an import is about to run a code object in this thread."""
        try:
            if code.co_filename in self._quiet_names or get_ident() in OWN_THREADS:
                return
            if self._traced.known.get(id(code), self) is not None:
                self._followed.expect(code)
        except BaseException as error:
            self.failed(error)

    def _was_made(self, code: CodeType) -> None:
        """A code object was made (PyPy); that of a module, or for `eval`, is likely to run soon."""
        try:
            if code.co_name != "<module>" or code.co_filename in self._quiet_names or code.co_filename == OWN_TEXT:
                return
            if sys._getframe(1).f_code.co_filename == _REWRITES:
                return  # it stands for code that is known
            if get_ident() not in OWN_THREADS:
                self._pending.add(code)
                self._followed.changed()
                self._followed.expect(code)
        except BaseException as error:
            self.failed(error)

    def forget_unarmed(self) -> None:
        """Let what is not known to be armed be looked at again when it is next called."""
        self._traced.forget_unarmed()

    # What is to be in it

    def _decide(self, plan: CallPlan) -> None:
        """Bring a plan up to the present epoch, and the code with it."""
        lines = plan.lines
        self.decisions.decide_again(plan)
        if plan.lines != lines:
            self._swapping.settle(is_new=False)

    def concerns(self, code: CodeType, namespace: dict[str, Any]) -> bool:
        """Whether something may have to be done about a code object; it is decided about."""
        original = original_of(code)
        if is_own(original) or self._rewriting.is_copy(code):
            return False
        if not self._planner.is_quiet(original.co_filename, module_name(namespace)):
            if _active is self and self.decisions.codes.plan(original) is None:
                self.decisions.learn(original, namespace)
            return True
        return original is not code

    def _wanted(self, code: CodeType) -> tuple[Sequence[Probe], dict[int, int]]:
        plan = self.decisions.codes.plan(code)
        if plan is None or id(code) in self._refusals:
            return (), {}
        return plan.probes, plan.numbers

    def _refused(self, code: CodeType, reason: str) -> None:
        self._refusals[id(code)] = weakref.ref(code), reason
        self._followed.changed()

    def _no_decisions(self) -> Decisions[CallPlan]:
        return Decisions(self._planner, lambda code, facts: CallPlan(code, facts, self), ahead=True)

    def _no_swapping(self) -> Swapping:
        return Swapping(self._planner, self._rewriting, self._followed, self)

    def _no_rewriting(self) -> Rewriting:
        replace = None if self._hooks is None else self._hooks.replace_constant
        return Rewriting(self._owner, self._hook, self._wanted, self._refused, replace)


#: The file whose functions make code objects with calls in them.
_REWRITES = Rewriting.current.__code__.co_filename

#: CO_NEWLOCALS: the code of functions.
_NEW_LOCALS = 2


def _runs_once(frame: FrameType | None) -> bool:
    """Whether it is a frame of the import system, or of `nonstop run`: they run the code of a module a single time."""
    return frame is not None and (frame.f_code.co_filename.startswith("<frozen importlib") or is_own(frame.f_code))


def _makes(plan: TracePlan) -> bool:
    assert isinstance(plan, FollowPlan)
    return plan.makes_until >= 0
