"""Something that takes long and that nobody waits for, in a thread of its own that exists only while it is at it."""

from __future__ import annotations

import _thread
import itertools
from typing import TYPE_CHECKING

from nonstop.backends.own_threads import is_forking, leave_unobserved, start_thread, thread_ends, unpatched

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds after the last time that it was asked for before it begins, since edits come in groups; and the most that it
#: is put off.
_QUIET_SECONDS, _MOST_SECONDS = 0.02, 0.2


class Errand:
    """Calls `run`, which must not raise, some time after :meth:`ask`; once more for what is asked for meanwhile."""

    def __init__(self, run: Callable[[], None]) -> None:
        self._run = run
        self._numbers = itertools.count(1)
        self._asked = self._answered = 0
        self._is_under_way = _thread.allocate_lock()

    @property
    def is_pending(self) -> bool:
        """Whether it was asked for and has not been done to the end."""
        return self._asked != self._answered

    def ask(self) -> None:
        """Let it be done, soon."""
        self._asked = next(self._numbers)
        self._begin()

    def cancel(self) -> None:
        """It is not wanted any more. What is under way comes to its end."""
        self._answered = self._asked

    def after_fork(self) -> bool:
        """The thread did not come along into the child. Says whether something was pending; it is not begun again."""
        was_pending = self.is_pending
        self._is_under_way = _thread.allocate_lock()
        self.cancel()
        return was_pending

    def _begin(self) -> None:
        # Where no thread can be started it stays pending, until it is asked for again.
        if self.is_pending and not is_forking() and self._is_under_way.acquire(False):
            try:
                start_thread(self._work, (self._is_under_way,))
            except RuntimeError:
                self._is_under_way.release()

    def _work(self, is_under_way: _thread.LockType) -> None:
        leave_unobserved()
        try:
            while self.is_pending:
                self._await_quiet()
                asked = self._asked
                if self.is_pending:
                    self._run()
                if asked == self._asked and self.is_pending:
                    self._answered = asked
        finally:
            thread_ends()
            is_under_way.release()
            if is_under_way is self._is_under_way:
                self._begin()  # asked for after the last look at that

    def _await_quiet(self) -> None:
        sleep = unpatched("time", "sleep")
        for _ in range(round(_MOST_SECONDS / _QUIET_SECONDS)):
            asked = self._asked
            sleep(_QUIET_SECONDS)
            if asked == self._asked:
                return
