"""Threads in which single frames are followed with a trace function: those that run code without calls in it.

There are such frames for a while after an edit, and while code runs for the first time. A thread that has none is not
traced.
"""

from __future__ import annotations

import itertools
import sys
import threading
import weakref
from _thread import get_ident
from typing import TYPE_CHECKING, Any

from nonstop.backends.occasions import Occasions
from nonstop.backends.own_threads import OWN_THREADS
from nonstop.backends.stacks import frames_of_greenlets, stack, topmost_frames, visible
from nonstop.backends.threads import thread_label, threading_tracer, tracer_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType

#: Garbage collections that may come between an event that tells of code and the beginning of its frame. Where it does
#: not begin at all (`exec` refuses its arguments), nothing else would tell.
_PATIENCE = 3

_PYPY = sys.implementation.name == "pypy"


class Followed:
    """Which frames are followed, and the trace functions of their threads.

    `attach` is called with each frame that runs, and gives what is followed in it, or None. `everywhere` says whether
    all threads have to be traced, since a generator may go on in any of them. `set_trace` takes the ident of another
    thread, the trace function that it must have, and its new one.
    """

    def __init__(
        self,
        trace_call: Any,
        attach: Callable[[FrameType], Any],
        everywhere: Callable[[], bool],
        set_trace: Callable[[int, object, object], bool] | None,
    ) -> None:
        self._trace_call = trace_call
        self._attach = attach
        self._everywhere = everywhere
        #: Sets the trace function of another thread, where that is possible.
        self._set_trace = set_trace
        #: By thread: what is followed in it, by the address of the frame.
        self._frames: dict[int, dict[int, Any]] = {}
        #: Threads that must not look now: they are about to change what is followed.
        self.paused: set[int] = set()
        #: By thread: the code that is about to run there, and after how many more occasions it is waited for no longer.
        self._expecting: dict[int, tuple[weakref.ref[CodeType], int]] = {}
        self._replaced: dict[int, str] = {}
        #: The last edit, by a number that no other has; and that after which each thread has seen to its own stack.
        self._edits = 0
        self._numbers = itertools.count(1)
        self._seen: dict[int, int] = {}
        #: The last edit after which each thread had nothing to be traced for, whatever happens in the others.
        self._calm: dict[int, int] = {}
        self._runs = False
        self._occasions = Occasions(self._see_to_it, self._is_settled)
        # One object for good: compared by identity when it is taken away.
        self._begin: Any = self._begin_thread

    def start(self) -> None:
        """Begin to look at threads when there is an occasion."""
        self._frames, self._seen, self._calm, self._replaced = {}, {}, {}, {}
        self._expecting = {}
        self._runs = True
        self._occasions.start()

    def stop(self) -> None:
        """Follow nothing any more. Other threads take their trace functions away by themselves."""
        self._runs = False
        self._occasions.stop()
        self._frames = {}
        self._expecting = {}
        self._set_for_new_threads(False)
        if sys.gettrace() is self._trace_call:
            sys.settrace(None)

    def after_fork(self) -> None:
        """Only the calling thread is there."""
        ident = get_ident()
        self._frames = {one: frames for one, frames in self._frames.items() if one == ident}
        self._expecting = {one: code for one, code in self._expecting.items() if one == ident}
        self._seen, self._calm = {}, {}
        self.paused = {one for one in self.paused if one == ident}
        self._occasions.after_fork()

    def attach(self) -> None:
        """What is to be followed may have changed: look at all frames that run."""
        self._edits = next(self._numbers)
        current = get_ident()
        for ident, top in topmost_frames().items():
            if ident in OWN_THREADS or ident == current:
                continue
            # One by one: that thread goes on meanwhile, and adds and takes away what it begins and leaves.
            self._see(self._frames.setdefault(ident, {}), visible(ident, top))
            self._calm.pop(ident, None)
        if current not in OWN_THREADS:
            self._look(current)
            self._see(self._frames[current], frames_of_greenlets())
            self._settle(current)
        everywhere = self._everywhere()
        for ident in topmost_frames():
            if ident not in OWN_THREADS and ident != current and (everywhere or self._frames.get(ident)):
                self._reach(ident)
        self._occasions.hasten()

    def _reach(self, ident: int) -> None:
        """Trace another thread, if that is possible from here."""
        if self._set_trace is not None and (
            self._set_trace(ident, None, self._trace_call) or self._set_trace(ident, self._trace_call, self._trace_call)
        ):
            self._seen[ident] = self._edits

    def frames(self) -> Iterator[FrameType]:
        """The frames of all threads that may be looked at."""
        for ident, top in topmost_frames().items():
            if ident not in OWN_THREADS:
                yield from visible(ident, top)
        yield from frames_of_greenlets()

    def _see(self, followed: dict[int, Any], frames: Iterator[FrameType]) -> dict[int, Any]:
        """Bring what is followed in some frames up to date."""
        for frame in frames:
            plan = self._attach(frame)
            if plan is None:
                followed.pop(id(frame), None)
            else:
                followed[id(frame)] = plan
        return followed

    def changed(self) -> None:
        """Whether all threads have to be traced may be another question now: each asks it at its next occasion."""
        ident = get_ident()
        has_seen = self._seen.get(ident) == self._edits
        self._edits = number = next(self._numbers)
        if has_seen:
            self._seen[ident] = number  # not of its stack

    def add(self, frame: FrameType, plan: Any) -> None:
        """A frame of this thread is followed from now on."""
        ident = get_ident()
        self._calm.pop(ident, None)
        self._frames.setdefault(ident, {})[id(frame)] = plan

    def leave(self, frame: FrameType) -> None:
        """It ends, or is suspended."""
        ident = get_ident()
        frames = self._frames.get(ident)
        if frames is not None:
            frames.pop(id(frame), None)
        self._settle(ident)

    def any(self, holds: Callable[[Any], bool]) -> bool:
        """Whether something holds for what is followed in any frame, in whatever thread."""
        return any(holds(plan) for frames in list(self._frames.values()) for plan in list(frames.values()))

    def expect(self, code: CodeType) -> None:
        """Code is about to run in this thread that has to be looked at."""
        ident = get_ident()
        tracer = sys.gettrace()
        if tracer is not None and tracer is not self._trace_call:
            self._replaced[ident] = tracer_name(tracer)
            return
        self._calm.pop(ident, None)
        self._expecting[ident] = weakref.ref(code), _PATIENCE
        sys.settrace(self._trace_call)

    def begins(self, frame: FrameType) -> None:
        """A frame begins in a thread that is traced, and is not to be followed or is known to be."""
        ident = get_ident()
        expected = self._expecting.get(ident)
        if expected is not None and expected[0]() is not frame.f_code:
            return  # a finaliser came between
        self._expecting.pop(ident, None)
        if _PYPY and self._seen.get(ident) != self._edits and ident not in self.paused:
            self._look(ident)  # an occasion like any other, and of this thread for sure
        else:
            self._settle(ident)

    def missed(self) -> list[str]:
        """One sentence for each thread in which something is not followed."""
        current = get_ident()
        self._look(current)
        sentences = []
        for ident, top in topmost_frames().items():
            if ident in OWN_THREADS:
                continue
            if ident in self._replaced:
                sentences.append(
                    f"thread {thread_label(ident)}: sys.settrace is in use by {self._replaced[ident]}, "
                    "so that what runs there already is not followed"
                )
            elif not self._is_settled(ident) and ident != current:
                sentences.append(
                    f"thread {thread_label(ident)} may run code from before the breakpoint was set: "
                    "that is followed from the next garbage collection in it on"
                )
            del top
        return sentences

    def _begin_thread(self, frame: FrameType, event: str, arg: Any) -> Any:
        # The first event of a thread that `threading` started.
        ident = get_ident()
        self._frames[ident] = {}
        self._seen[ident] = self._edits
        if not self._everywhere():
            sys.settrace(None)
            return None
        sys.settrace(self._trace_call)
        return self._trace_call(frame, event, arg)

    def _see_to_it(self) -> None:
        ident = get_ident()
        if self._calm.get(ident) == self._edits or ident in OWN_THREADS or ident in self.paused or not self._runs:
            return
        expected = self._expecting.get(ident)
        if expected is not None:
            code, patience = expected
            if patience and code() is not None:
                self._expecting[ident] = code, patience - 1
                return
            del self._expecting[ident]
        # Also where all was seen: a frame may have gone without telling, a trace function too.
        if self._seen.get(ident) != self._edits or self._frames.get(ident) or sys.gettrace() is self._trace_call:
            self._look(ident)
        elif self._everywhere():
            self._settle(ident)

    def look(self) -> None:
        """See to the stack of the current thread, which need not wait for an occasion."""
        ident = get_ident()
        if ident not in OWN_THREADS:
            self._look(ident)

    def _look(self, ident: int) -> None:
        """See to the stack of the current thread."""
        edits = self._edits  # another thread's edit may come meanwhile
        # What other greenlets of this thread are in the midst of is not on this stack, and still followed.
        others = self._frames.get(ident, {}) if "greenlet" in sys.modules else {}
        self._frames[ident] = self._see(dict(others), stack(sys._getframe(1)))
        self._seen[ident] = edits
        self._settle(ident)

    def _settle(self, ident: int) -> None:
        """Trace the current thread if something is followed in it, else not."""
        if not self._runs:
            return
        edits = self._edits
        everywhere = self._everywhere()
        wanted = everywhere or ident in self._expecting or bool(self._frames.get(ident))
        tracer = sys.gettrace()
        if wanted and tracer is None:
            sys.settrace(self._trace_call)
        elif tracer is self._trace_call and not wanted:
            sys.settrace(None)
        elif wanted and tracer is not self._trace_call and tracer is not self._begin:
            self._replaced[ident] = tracer_name(tracer)
            return
        self._replaced.pop(ident, None)
        self._set_for_new_threads(everywhere)
        if not wanted and self._seen.get(ident) == edits:
            self._calm[ident] = edits

    def _set_for_new_threads(self, wanted: bool) -> None:
        tracer = threading_tracer()
        if wanted and tracer is None:
            threading.settrace(self._begin)
        elif not wanted and tracer is self._begin:
            threading.settrace(None)  # type: ignore[arg-type]  # typeshed: None takes it away

    def _is_settled(self, ident: int) -> bool:
        if self._seen.get(ident) == self._edits:
            return True
        # What a thread runs is seen from here on CPython: one without frames to follow need not look.
        return not _PYPY and not self._frames.get(ident) and not self._everywhere()
