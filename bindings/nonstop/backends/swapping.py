"""Sees that every function runs the code that it is to run: with calls in it, or its own again.

The collector of CPython finds all functions in a moment. On PyPy that takes 30 ms in a small program and 0.3 s for a
million objects, in one step: it is done where breakpoints are added, and in a thread of its own where it can wait.
"""

from __future__ import annotations

import _thread
import contextlib
import sys
import threading
import weakref
from types import CodeType
from typing import TYPE_CHECKING, Any, Protocol

from nonstop.backends.errand import Errand
from nonstop.backends.functions import Alive, find_alive, frame_of, functions_in, namespaces
from nonstop.backends.rewriting import spreads
from nonstop.planner import module_name
from nonstop.rewritten import original_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, FunctionType

    from nonstop.backends.followed import Followed
    from nonstop.backends.rewriting import Rewriting
    from nonstop.planner import Planner

_PYPY = sys.implementation.name == "pypy"

#: The longest that anybody waits for another thread's pass, in seconds.
_MOST_SECONDS = 5.0


class Host(Protocol):
    """What knows the breakpoints, and what runs."""

    def concerns(self, code: CodeType, namespace: dict[str, Any]) -> bool:
        """Whether something may have to be done about a code object; it is decided about."""

    def follow(self, frame: FrameType) -> object:
        """Follow a frame that is running already, if it has to be; false where it has not."""

    def forget_unarmed(self) -> None:
        """Let what is not known to be armed be looked at again when it is next called."""

    def failed(self, error: BaseException) -> None:
        """Count an error of ours."""


class Swapping:
    """The functions of one session. One thread sees to them for all."""

    def __init__(self, planner: Planner, rewriting: Rewriting, followed: Followed, host: Host) -> None:
        self._planner = planner
        self._rewriting = rewriting
        self._followed = followed
        self._host = host
        self._lock = _thread.allocate_lock()
        #: The thread that has it.
        self._holder = 0
        self._unsettled = False
        #: Whether all functions have to be looked at, or those that are soon found will do.
        self._wants_all = False
        self._is_over = False
        #: Those among the suspended generators that have to be followed when they go on.
        self._suspended: list[weakref.ref[Any]] = []
        #: By their addresses: functions whose code was replaced, of those that were found.
        self._replaced: dict[int, weakref.ref[FunctionType]] = {}
        #: Whether there may be such that nobody has found.
        self._spreads = False
        self._search = Errand(self._look_everywhere) if _PYPY else None

    def has_suspended(self, holds: Callable[[Any], bool]) -> bool:
        """Whether there is a suspended generator for which something holds; those at the end for which it does not are
        let go.
        """
        while self._suspended:
            last = self._suspended[-1]
            if holds(last()):
                return True
            with contextlib.suppress(ValueError):  # another thread was first
                self._suspended.remove(last)
        return False

    def settle(self, *, is_new: bool = True) -> None:
        """What functions are to run has changed. `is_new`: also that of some which have no calls now; afterwards all
        have theirs. Else some have calls that do nothing any more, which can wait.
        """
        self._unsettled = True
        self._wants_all = self._wants_all or is_new or self._search is None
        if not is_new and self._spreads and self._search is not None:
            self._search.ask()
        ident = threading.get_ident()
        # A finaliser of the program, or a signal handler, can come in the midst of a pass of this thread.
        if is_new and self._holder != ident and self._lock.acquire(timeout=_MOST_SECONDS):
            self._make_passes(ident)
        while self._unsettled and self._lock.acquire(False):
            self._make_passes(ident)

    def restore(self) -> None:
        """The session is over: give all functions back what they had. Nothing is armed any more."""
        if self._search is None:
            self.settle()
            self._is_over = True
            return
        self._search.cancel()
        # A search that is under way ends soon: it waits for nobody.
        is_mine = self._lock.acquire(timeout=_MOST_SECONDS)
        if is_mine:
            self._holder = threading.get_ident()
        try:
            self._pass(self._concerned(find_alive() if self._spreads else self._near()))
            self._is_over = True
        finally:
            if is_mine:
                self._holder = 0
                self._lock.release()

    def after_fork(self) -> None:
        """Only the calling thread is there. The code stays as it is."""
        self._lock = _thread.allocate_lock()
        self._holder = 0
        self._rewriting.end()
        if self._search is not None and self._search.after_fork():
            # Here and now: no thread may be started before the fork is over (see `own_threads`).
            self._look_everywhere()

    def _make_passes(self, ident: int) -> None:
        """With the lock, which is released."""
        self._holder = ident
        try:
            while self._unsettled:
                self._unsettled = False
                wants_all, self._wants_all = self._wants_all, False
                self._pass(self._concerned(find_alive() if wants_all else self._near()))
        finally:
            self._holder = 0
            self._lock.release()

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
                if not self._is_over:
                    self._pass(concerned)
            if self._unsettled:
                self.settle(is_new=False)
        except BaseException as error:
            self._host.failed(error)

    def _concerned(self, alive: Alive) -> Alive:
        """Those about which something may have to be done. What is armed in their code is decided."""
        functions = []
        quiet: set[tuple[str, int]] = set()
        for function in alive.functions:
            code, namespace = function.__code__, function.__globals__
            file = code.co_filename, id(namespace)
            if file in quiet and original_of(code) is code:
                continue
            if self._host.concerns(code, namespace):
                functions.append(function)
            else:
                quiet.add(file)
        suspended = []
        for one in alive.suspended:
            frame = frame_of(one)
            if frame is not None and self._host.concerns(frame.f_code, frame.f_globals):
                suspended.append(one)
        return Alive(functions, suspended)

    def _pass(self, concerned: Alive) -> None:
        ident = threading.get_ident()
        self._followed.paused.add(ident)
        try:
            self._put_in(concerned)
        finally:
            self._followed.paused.discard(ident)
        self._followed.attach()

    def _put_in(self, concerned: Alive) -> None:
        rewriting = self._rewriting
        rewriting.begin()
        try:
            self._host.forget_unarmed()
            self._replaced = {address: one for address, one in self._replaced.items() if one() is not None}
            for frame in self._followed.frames():
                self._host.concerns(frame.f_code, frame.f_globals)
            rewriting.restore()
            for function in concerned.functions:
                self._see_to(function)
            suspended = []
            for one in concerned.suspended:
                its_frame = frame_of(one)
                if its_frame is not None and self._host.follow(its_frame):
                    suspended.append(weakref.ref(one))
            self._suspended = suspended
        finally:
            rewriting.end()

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
