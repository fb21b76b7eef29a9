"""Moments at which nonstop is called inside a thread of the program although nothing traces there.

A trace function can be put into another thread only from inside it (before CPython 3.12), and an interpreter drops one
that exceeds the recursion limit, which a function in Python does whenever a program recurses without end: its call is
one level deeper than the program's own. What can be had without a price for the program is used to put it (back) in
place: a garbage collection, which happens in whatever thread it is due in, and on CPython 3.12 and later the moment
when an exception is caught, which is when a program goes on after its recursion failed.
"""

from __future__ import annotations

import gc
import itertools
import sys
import time
from typing import TYPE_CHECKING, Any

from nonstop.backends.errand import Errand
from nonstop.backends.own_threads import OWN_THREADS, unpatched
from nonstop.backends.stacks import topmost_frames

if TYPE_CHECKING:
    from collections.abc import Callable

#: How long collections may come more often (see :meth:`Occasions.hasten`), in seconds, and after how many new objects.
_HASTE_SECONDS = 0.5
_HASTE_OBJECTS = 1
#: On PyPy: how long the other threads may run in between, and the size of an object that makes a collection due.
_TURN_SECONDS, _TURN_BYTES = 0.001, 2**22

#: Tool ids of `sys.monitoring` that have no meaning of their own.
_FREE_TOOL_IDS = (3, 4)


def _idle(stats: object) -> None:
    # What stays as PyPy's hook afterwards: a call that is under way when the hook is set to None calls None, and that
    # error is raised into the program.
    pass


def _hasty() -> tuple[int, int, int]:
    # The older generations are not collected: that could take long.
    return _HASTE_OBJECTS, 2**30, 2**30


class Occasions:
    """Calls a function, without arguments, at the occasions that there are; between `start` and `stop`.

    `is_settled` says whether a thread, by its ident, needs no occasion.
    """

    def __init__(self, call: Callable[[], None], is_settled: Callable[[int], bool]) -> None:
        self._call = call
        self._is_settled = is_settled
        self._tool: int | None = None
        #: While collections are hastened: the program's own thresholds, and when it ends in any case.
        self._haste: tuple[tuple[int, int, int], float] | None = None
        self._turns = Errand(self._take_turns) if hasattr(gc, "hooks") else None
        # One object for good: compared by identity when it is taken away.
        self._collection: Any = self._minor_collection if hasattr(gc, "hooks") else self._collection_phase

    def start(self) -> None:
        """Begin to call."""
        hooks = getattr(gc, "hooks", None)
        if hooks is None:
            gc.callbacks.append(self._collection)
        elif hooks.on_gc_minor in (None, _idle):  # PyPy has one place for it: it stays with whoever has it
            hooks.on_gc_minor = self._collection
        if sys.version_info >= (3, 12):
            monitoring = sys.monitoring
            for tool in _FREE_TOOL_IDS:
                if monitoring.get_tool(tool) is None:
                    monitoring.use_tool_id(tool, "nonstop")
                    monitoring.register_callback(tool, monitoring.events.EXCEPTION_HANDLED, self._exception_handled)
                    monitoring.set_events(tool, monitoring.events.EXCEPTION_HANDLED)
                    self._tool = tool
                    break

    def hasten(self) -> None:
        """Let collections come at once, until all threads are settled or for half a second.

        A service in its steady state may make no garbage for hours. Only the youngest objects are collected, a few at a
        time; on CPython the program's thresholds are back afterwards. On PyPy a thread of nonstop's lets them be due.
        """
        if not gc.isenabled() or self._all_settled():
            return
        if self._turns is not None:
            self._turns.ask()
            return
        if not gc.get_threshold()[0]:
            return
        self._haste = gc.get_threshold(), time.monotonic() + _HASTE_SECONDS
        gc.set_threshold(*_hasty())

    def _calm(self) -> None:
        """Give the program its thresholds back, unless it has set others since."""
        if self._haste is not None:
            if gc.get_threshold() == _hasty():
                gc.set_threshold(*self._haste[0])
            self._haste = None

    def stop(self) -> None:
        """Call no more."""
        self._calm()
        if self._turns is not None:
            self._turns.cancel()
        hooks = getattr(gc, "hooks", None)
        if hooks is None:
            if self._collection in gc.callbacks:
                gc.callbacks.remove(self._collection)
        elif self._is_mine():
            hooks.on_gc_minor = _idle
        if sys.version_info >= (3, 12) and self._tool is not None:
            monitoring = sys.monitoring
            monitoring.set_events(self._tool, 0)
            monitoring.register_callback(self._tool, monitoring.events.EXCEPTION_HANDLED, None)
            monitoring.free_tool_id(self._tool)
            self._tool = None

    def after_fork(self) -> None:
        """Only the calling thread is there. It need not wait for an occasion to see to itself."""
        if self._turns is not None:
            self._turns.after_fork()

    def _take_turns(self) -> None:
        """Let collections be due in the threads that run, until each has had its turn.

        What a collection leaves to do is done at the next bytecode, in whatever thread. There is none of this thread's
        between making an object that is large enough for a collection and sleeping: the built-in functions below call
        each other.
        """
        pauses = map(unpatched("time", "sleep"), itertools.repeat(_TURN_SECONDS))
        turns = zip(map(bytearray, itertools.repeat(_TURN_BYTES)), pauses)
        deadline = time.monotonic() + _HASTE_SECONDS
        while not self._all_settled() and time.monotonic() < deadline and self._is_mine():
            next(turns)

    def _all_settled(self) -> bool:
        return all(ident in OWN_THREADS or self._is_settled(ident) for ident in topmost_frames())

    def _is_mine(self) -> bool:
        return getattr(gc, "hooks").on_gc_minor is self._collection  # noqa: B009 (mypy: not there on CPython)

    def _occur(self) -> None:
        try:
            self._call()
        except RecursionError:
            return  # the program is too deep in its calls: the next occasion will do

    def _minor_collection(self, stats: object) -> None:
        # Not by way of `_occur`: nothing of this is compiled, and some programs have a thousand collections a second.
        try:
            self._call()
        except RecursionError:
            return

    def _collection_phase(self, phase: str, info: object) -> None:
        if phase == "stop":
            self._occur()
            if self._haste is not None and (time.monotonic() > self._haste[1] or self._all_settled()):
                self._calm()

    def _exception_handled(self, code: object, offset: int, error: object) -> None:
        if sys.gettrace() is None:
            self._occur()
