"""The backend that puts calls into code: CPython up to 3.11, and PyPy.

Code without a breakpoint runs as ever, and that with one runs a call more where control enters the unit. The rewriter
(`src/patch`) makes a new code object of the one that a function has, and the function gets it; so do all that are made
later, since it also stands in the constants of the code around (see :mod:`nonstop.backends.rewriting`). When the
breakpoint is gone the function gets its own code object back.

What runs already goes on to run the code that it began with. Such frames, and suspended generators, are followed with
the trace functions of the settrace backend until they end; so is the code of modules, which runs once, and code that
the rewriter refuses. No thread is traced in which there is nothing to follow.

On PyPy it takes long to find all functions. There an edit changes those that modules lead to, and a thread looks for
the others: until it has found them the frames of these are followed too.
"""

from __future__ import annotations

import _thread
import contextlib
import itertools
import sys
import threading
import weakref
from _thread import get_ident
from types import CodeType
from typing import TYPE_CHECKING, Any, ClassVar

from nonstop.backends import settrace
from nonstop.backends.call_plans import CallPlan, FollowPlan
from nonstop.backends.codes import AliveCodes, Codes
from nonstop.backends.decisions import Decisions
from nonstop.backends.errand import Errand
from nonstop.backends.followed import Followed
from nonstop.backends.functions import Alive, find_alive, frame_of, functions_in, namespaces
from nonstop.backends.own_threads import OWN_THREADS, SILENT_THREADS
from nonstop.backends.rewriting import Rewriting, spreads
from nonstop.backends.settrace import TracePlan, TracingBackend, tracer_of
from nonstop.backends.tallies import Tallies
from nonstop.core import NEEDS_THREAD_NAME, ONLY_COUNTS, Entry, HitItem, ignore_thread, why_no_native_hooks
from nonstop.dialect import read_facts
from nonstop.errors import BackendError, LibraryError, StateError
from nonstop.planner import is_own, module_name
from nonstop.rewritten import origin_of, original_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType, FunctionType

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
        self._suspended: list[weakref.ref[Any]] = []
        #: Code of modules that was made and has not run yet, as far as is known (PyPy).
        self._pending = AliveCodes()
        #: Files without a breakpoint, under whatever module.
        self._quiet_names: set[str] = set()
        self._lock = _thread.allocate_lock()
        self._unsettled = False
        self._listener: Any = self._runs_soon
        self.decisions = self._no_decisions()
        self._traced: Codes[FollowPlan] = Codes(lambda plan: None)
        self._followed = Followed(
            settrace.trace_call,
            self._attach,
            self._everywhere,
            None if self._hooks is None else self._hooks.set_trace,
        )
        self._rewriting = self._no_rewriting()
        #: By their addresses: functions whose code was replaced, of those that were found.
        self._replaced: dict[int, weakref.ref[FunctionType]] = {}
        #: Whether there may be such that nobody has found.
        self._spreads = False
        self._search = Errand(self._look_everywhere, self._found_all) if _PYPY else None

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
        self._plans, self._refusals, self._suspended, self._pending = {}, {}, [], AliveCodes()
        self._quiet_names = set()
        self._replaced, self._spreads = {}, False
        self.decisions = self._no_decisions()
        self._traced = Codes(lambda plan: None)
        if self._hooks is not None:
            self._hook = self._hooks.start(None, self._at_site, self._answer, self._outdated, puts_calls=True)
        self._rewriting = self._no_rewriting()
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
        self._restore()
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
        self._suspended = []

    def refresh(self, breakpoints: Sequence[int] = ()) -> None:
        """Put calls into all code that is to have some now, and follow the frames that run without them."""
        self._planner.edited()
        self._quiet_names.clear()
        for plan in self.decisions.codes.plans():
            if self.decisions.is_outdated(plan):
                self.decisions.decide_again(plan)
        self._settle()

    def ended(self) -> None:
        """Breakpoints were removed or disabled: let code go back in which nothing is armed any more."""
        changed = False
        for plan in self.decisions.codes.plans():
            if self.decisions.is_outdated(plan):
                lines = plan.lines
                self.decisions.decide_again(plan)
                changed = changed or plan.lines != lines
        if changed:
            self._settle(has_more=self._spreads)

    def after_fork(self) -> None:
        """The engine of the child begins without decisions: make them again. The code stays as it is."""
        self._lock = _thread.allocate_lock()
        self._followed.after_fork()
        self._rewriting.end()
        for plan in self.decisions.codes.plans():
            self.decisions.decide_again(plan)
        for followed in list(self._traced.known.values()):
            if followed is not None:
                followed.bring_up(self._owner)
        if self._search is not None and self._search.after_fork():
            # Here and now: no thread may be started before the fork is over (see `own_threads`).
            self._look_everywhere()
            self._found_all()
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
        ident = threading.get_ident()
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
        ident = threading.get_ident()
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
        if plan is None or _is_import(frame.f_back):
            self._pending.discard(code)
        if plan is None:
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
            self._settle()  # a function that was made of it, and was not there when others got their calls
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
        if trace is not None:
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
            self._settle()

    def _rest(self, plan: FollowPlan) -> FollowPlan:
        return FollowPlan(plan.code() or _hook.__code__, plan.base, plan.origin, -1, self._owner)

    def arrive(self, frame: FrameType, plan: TracePlan, entry: Entry) -> None:
        """Control of a frame that is followed enters an armed unit."""
        assert isinstance(plan, FollowPlan)
        if 0 <= plan.makes_until < entry.offset:
            self.passes(frame, plan)
        ident = threading.get_ident()
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

    def _attach(self, frame: FrameType) -> FollowPlan | None:
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
        if self._search is not None and self._search.is_pending:
            self._search.begin()
            return True
        if _any_left(self._suspended, self._is_stale):
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
            if code.co_filename in self._quiet_names or threading.get_ident() in OWN_THREADS:
                return
            if self._traced.known.get(id(code), self) is not None:
                self._followed.expect(code)
        except BaseException as error:
            self.failed(error)

    def _was_made(self, code: CodeType) -> None:
        """A code object was made (PyPy); that of a module, or for `eval`, is likely to run soon."""
        try:
            if code.co_name != "<module>" or code.co_filename in self._quiet_names:
                return
            if is_own(sys._getframe(1).f_code):
                return  # compiled to be looked at
            if threading.get_ident() not in OWN_THREADS:
                self._pending.add(code)
                self._followed.expect(code)
        except BaseException as error:
            self.failed(error)

    # Putting it in

    def _decide(self, plan: CallPlan) -> None:
        """Bring a plan up to the present epoch, and the code with it."""
        lines = plan.lines
        self.decisions.decide_again(plan)
        if plan.lines != lines:
            self._settle(has_more=self._spreads)

    def _settle(self, *, has_more: bool = True) -> None:
        """See that every function runs what it is to run. One thread does it for all.

        `has_more`: also functions that are found by a search only, where one is needed (PyPy).
        """
        if self._search is not None and has_more:
            self._search.ask()
        self._unsettled = True
        while self._unsettled and self._lock.acquire(False):
            try:
                self._unsettled = False
                self._pass(self._concerned(find_alive() if self._search is None else self._near()))
            finally:
                self._lock.release()
        if self._unsettled and self._search is not None:
            # Another thread is at it. This one must not go on before its own frames are followed.
            self._traced.forget_unarmed()
            self._followed.look()

    def _near(self) -> Alive:
        """What is found at once: the functions that were changed, and those that modules with a breakpoint lead to."""
        found = list(namespaces())
        carrying = self._planner.carry([(file, module_name(space)) for file, space in found], ())
        values: list[Any] = [function for function in (one() for one in list(self._replaced.values())) if function]
        for (_, space), carries in zip(found, carrying):
            if carries:
                values.extend(list(space.values()))
        suspended = [one for one in (reference() for reference in self._suspended) if one is not None]
        return Alive([one for one in functions_in(values) if type(one.__code__) is CodeType], suspended)

    def _look_everywhere(self) -> None:
        """In the thread of the search."""
        try:
            concerned = self._concerned(find_alive())
            with self._lock:
                if _active is self:
                    self._pass(concerned)
            if self._unsettled:
                self._settle(has_more=False)
        except BaseException as error:
            self.failed(error)

    def _found_all(self) -> None:
        """In the thread of the search, when nothing is left to be found: the others learn it at their next call."""
        try:
            if _active is self:
                self._traced.forget_unarmed()
                self._followed.attach()
        except BaseException as error:
            self.failed(error)

    def _restore(self) -> None:
        """Give all functions back what they had."""
        if self._search is None:
            self._settle()
            return
        self._search.cancel()
        # A search that is under way ends soon: it waits for nobody.
        is_mine = self._lock.acquire(timeout=_MOST_SECONDS)
        try:
            self._pass(self._concerned(find_alive() if self._spreads else self._near()))
        finally:
            if is_mine:
                self._lock.release()

    def _pass(self, concerned: Alive) -> None:
        ident = threading.get_ident()
        self._followed.paused.add(ident)
        try:
            self._put_in(concerned)
        finally:
            self._followed.paused.discard(ident)
        self._followed.attach()

    def _concerned(self, alive: Alive) -> Alive:
        """Those about which something may have to be done. What is armed in their code is decided."""
        functions = []
        quiet: set[tuple[str, int]] = set()
        for function in alive.functions:
            code, namespace = function.__code__, function.__globals__
            file = code.co_filename, id(namespace)
            if file in quiet and original_of(code) is code:
                continue
            if self._concerns(code, namespace):
                functions.append(function)
            else:
                quiet.add(file)
        suspended = []
        for one in alive.suspended:
            frame = frame_of(one)
            if frame is not None and self._concerns(frame.f_code, frame.f_globals):
                suspended.append(one)
        return Alive(functions, suspended)

    def _put_in(self, concerned: Alive) -> None:
        rewriting = self._rewriting
        rewriting.begin()
        try:
            self._traced.forget_unarmed()
            self._replaced = {address: one for address, one in self._replaced.items() if one() is not None}
            for frame in self._followed.frames():
                self._concerns(frame.f_code, frame.f_globals)
            rewriting.restore()
            for function in concerned.functions:
                self._see_to(function)
            suspended = []
            for one in concerned.suspended:
                its_frame = frame_of(one)
                if its_frame is not None and self._attach(its_frame):
                    suspended.append(weakref.ref(one))
            self._suspended = suspended
        finally:
            rewriting.end()

    def _concerns(self, code: CodeType, namespace: dict[str, Any]) -> bool:
        """Whether something may have to be done about a code object; it is decided about."""
        original = original_of(code)
        if is_own(original) or self._rewriting.is_copy(code):
            return False
        if not self._planner.is_quiet(original.co_filename, module_name(namespace)):
            if _active is self and self.decisions.codes.plan(original) is None:
                self.decisions.learn(original, namespace)
            return True
        return original is not code

    def _see_to(self, function: FunctionType) -> None:
        code = function.__code__
        original = original_of(code)
        wanted = self._rewriting.current(original)
        if wanted is not code:
            function.__code__ = wanted
        if self._search is not None:
            if wanted is original:
                self._replaced.pop(id(function), None)
            else:
                self._replaced[id(function)] = weakref.ref(function)
                self._spreads = self._spreads or spreads(wanted)

    def _wanted(self, code: CodeType) -> tuple[Sequence[Probe], dict[int, int]]:
        plan = self.decisions.codes.plan(code)
        if plan is None or id(code) in self._refusals:
            return (), {}
        return plan.probes, plan.numbers

    def _refused(self, code: CodeType, reason: str) -> None:
        self._refusals[id(code)] = weakref.ref(code), reason

    def _no_decisions(self) -> Decisions[CallPlan]:
        return Decisions(self._planner, lambda code, facts: CallPlan(code, facts, self), ahead=True)

    def _no_rewriting(self) -> Rewriting:
        replace = None if self._hooks is None else self._hooks.replace_constant
        return Rewriting(self._owner, self._hook, self._wanted, self._refused, replace)


#: The longest that `stop` waits for a search, in seconds.
_MOST_SECONDS = 5.0

#: CO_NEWLOCALS: the code of functions.
_NEW_LOCALS = 2


def _any_left(references: list[weakref.ref[Any]], holds: Callable[[Any], bool]) -> bool:
    """Whether anything is left for which something holds; those at the end for which it does not are let go."""
    while references:
        last = references[-1]
        if holds(last()):
            return True
        with contextlib.suppress(ValueError):  # another thread was first
            references.remove(last)
    return False


def _is_import(frame: FrameType | None) -> bool:
    """Whether it is a frame of the import system, which runs the code of a module once and forgets it."""
    return frame is not None and frame.f_code.co_filename.startswith("<frozen importlib")


def _makes(plan: FollowPlan) -> bool:
    return plan.makes_until >= 0
