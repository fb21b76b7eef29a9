"""Which threads a trace function is installed in, which it is not, and whose tracer is there instead."""

from __future__ import annotations

import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any

from nonstop.backends.occasions import Occasions
from nonstop.backends.own_threads import OWN_THREADS
from nonstop.backends.stacks import frames_of_greenlets, stack, topmost_frames, visible
from nonstop.errors import BackendError
from nonstop.hits import thread_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_PYPY = sys.implementation.name == "pypy"
_set_all_threads: Any = getattr(sys, "_settraceallthreads", None) if sys.version_info >= (3, 12) else None


def tracer_name(tracer: object) -> str:
    """A trace function as users know it: ``pdb.Pdb.trace_dispatch``.

    >>> import bdb
    >>> tracer_name(bdb.Bdb().trace_dispatch)
    'bdb.Bdb.trace_dispatch'
    """
    owner = getattr(tracer, "__self__", None)
    if owner is not None and not isinstance(owner, type(sys)):
        kind = type(owner)
        return f"{kind.__module__}.{kind.__qualname__}.{getattr(tracer, '__name__', '?')}"
    if not hasattr(tracer, "__qualname__"):
        tracer = type(tracer)
    return f"{getattr(tracer, '__module__', '?')}.{getattr(tracer, '__qualname__', '?')}"


class Threads:
    """Puts one trace function into the threads of the process.

    Threads that were running before are reached at once on CPython 3.12 and later, elsewhere at the next occasion in
    them; and a tracer that was lost comes back at the next occasion.

    On PyPy only the frame on top of another thread's stack is looked at: following `f_back` of frames that run in
    compiled code gives ``SystemError: InvalidVirtualRef`` once in a thousand times. PyPy 3.9 does not even withstand
    `sys._current_frames()`: there no frame of another thread is seen, nor a thread that `threading` did not start.
    Each thread sees to its own stack at its next occasion.
    """

    def __init__(self, trace_call: Any, attach: Callable[[FrameType], None]) -> None:
        self._trace_call = trace_call
        self._attach = attach
        self._followed: dict[int, Any] = {}
        self._replaced: dict[int, str] = {}
        #: Counts the edits after which threads have to see to their own stacks; and the last one that each has seen.
        self._edits = 0
        self._seen: dict[int, int] = {}
        self._occasions = Occasions(self._see_to_it, self._is_settled)
        # One object for good: compared by identity when it is taken away.
        self._begin: Any = self._begin_thread

    def refuse_other_tracers(self, another_debugger: bool) -> None:
        """Raise :class:`~nonstop.errors.BackendError` with code ``tracer_in_use`` if somebody traces already."""
        if another_debugger:
            raise BackendError(
                "another nonstop.Debugger is tracing this process (backend settrace); "
                "stop() it first, or add the breakpoints to it",
                code="tracer_in_use",
            )
        # A tracer of ours may be left over in this thread from a session that another thread ended.
        mine = (None, self._trace_call, self._begin)
        for where, tracer in (("sys.settrace", sys.gettrace()), ("threading.settrace", threading_tracer())):
            if tracer not in mine:
                raise _in_use(where, tracer)
        if _set_all_threads is not None:
            # It would replace the tracers of all threads; they can be seen only by what they left on the frames.
            # In this one there is none, whatever a tracer that has gone left behind.
            current = threading.get_ident()
            for ident, frame in topmost_frames().items():
                foreign = None if ident == current else _foreign_tracer(ident, frame, self._trace_call)
                if foreign is not None:
                    raise _in_use(f"thread {thread_label(ident)}", foreign)

    def start(self) -> None:
        """Install the trace function wherever that is possible."""
        self._followed = {}
        self._replaced = {}
        self._seen = {}
        self._follow(threading.get_ident())
        threading.settrace(self._begin)
        if _set_all_threads is not None:
            for ident in topmost_frames():
                self._follow(ident)
            _set_all_threads(self._trace_call)
        sys.settrace(self._trace_call)
        self._occasions.start()
        self._occasions.hasten()

    def stop(self) -> None:
        """Take it away from this thread and from those to come, where it is still ours; the others do it themselves."""
        self._occasions.stop()
        if threading_tracer() is self._begin:
            threading.settrace(None)  # type: ignore[arg-type]  # typeshed: None takes it away
        if sys.gettrace() is self._trace_call:
            sys.settrace(None)

    def after_fork(self) -> None:
        """Only the calling thread is there, and sees to itself: nothing lets collections come for it any more."""
        self._occasions.after_fork()
        self._see_to_it()

    def attach(self) -> None:
        """Attach the frames that run now, in all threads that are followed; on PyPy each thread goes on by itself."""
        if _PYPY:
            self._edits += 1
            self._seen[threading.get_ident()] = self._edits
        for frame in self.frames():
            self._attach(frame)
        if _PYPY:
            self._occasions.hasten()

    def frames(self) -> Iterator[FrameType]:
        """The frames of all threads that are followed; on PyPy the topmost of other threads at most."""
        for ident, top in topmost_frames().items():
            if ident not in OWN_THREADS and self._follows(ident):
                yield from visible(ident, top)
        # From CPython 3.12 on code is made ready to be traced where it is found on a stack, or when it is called:
        # tracing would be set on a suspended greenlet, and nothing come of it.
        if sys.version_info < (3, 12):
            yield from frames_of_greenlets()

    def missed(self) -> list[str]:
        """One sentence for each thread that is not followed."""
        current = threading.get_ident()
        self._look(current)
        sentences = []
        for ident, frame in topmost_frames().items():
            if ident in OWN_THREADS:
                continue
            foreign = self._replaced.get(ident)
            if foreign is None and ident != current:
                tracer = _foreign_tracer(ident, frame, self._trace_call)
                foreign = None if tracer is None else tracer_name(tracer)
            if foreign is not None:
                sentences.append(f"thread {thread_label(ident)}: sys.settrace was replaced by {foreign}")
            elif not self._follows(ident):
                sentences.append(
                    f"thread {thread_label(ident)} started before tracing: "
                    "it is followed from the next garbage collection in it on"
                )
        return sentences

    def _follow(self, ident: int) -> None:
        self._followed[ident] = _thread_object(ident)

    def _follows(self, ident: int) -> bool:
        # Idents are used again: what is followed is the thread that had it then.
        return ident in self._followed and self._followed[ident] == _thread_object(ident)

    def _begin_thread(self, frame: FrameType, event: str, arg: Any) -> Any:
        # The first event of a thread that `threading` started.
        self._follow(threading.get_ident())
        sys.settrace(self._trace_call)
        return self._trace_call(frame, event, arg)

    def _see_to_it(self) -> None:
        ident = threading.get_ident()
        if ident in OWN_THREADS:
            return
        if self._is_settled(ident) and sys.gettrace() is self._trace_call:
            return
        self._look(ident)

    def _look(self, ident: int) -> None:
        """See to the tracer of the current thread."""
        tracer = sys.gettrace()
        if tracer is None:
            sys.settrace(self._trace_call)
        elif tracer is not self._trace_call and tracer is not self._begin:
            self._replaced[ident] = tracer_name(tracer)
            return
        self._replaced.pop(ident, None)
        if not self._is_settled(ident):
            edits = self._edits
            for frame in stack(sys._getframe(1)):
                self._attach(frame)
            self._follow(ident)
            if _PYPY:
                self._seen[ident] = edits

    def _is_settled(self, ident: int) -> bool:
        """Whether a thread is followed, with all that was on its stack at the last edit."""
        return self._follows(ident) and (not _PYPY or self._seen.get(ident) == self._edits)


def _thread_object(ident: int) -> Any:
    thread = getattr(threading, "_active", {}).get(ident)
    return None if thread is None else weakref.ref(thread)


def threading_tracer() -> Any:
    """What `threading` gives each thread that it starts."""
    # threading.gettrace() came with 3.10; before, there is only the variable that it returns.
    get = getattr(threading, "gettrace", None)
    return getattr(threading, "_trace_hook", None) if get is None else get()


def _foreign_tracer(ident: int, top: FrameType | None, ours: Any) -> Any:
    for frame in visible(ident, top):
        tracer = frame.f_trace
        if tracer is not None and getattr(tracer, "__module__", None) != ours.__module__:
            return tracer
    return None


def thread_label(ident: int) -> str:
    """A thread as users know it."""
    return thread_name(ident) or str(ident)


def _in_use(where: str, tracer: object) -> BackendError:
    return BackendError(
        f"{where} is in use by {tracer_name(tracer)}; the settrace backend never replaces another tool's tracer: "
        "stop that tool, or start nonstop without it",
        code="tracer_in_use",
    )
