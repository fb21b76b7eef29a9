"""Takes snapshots out of the engine's queue and hands them on, in a thread of its own that exists only while it is
wanted.
"""

from __future__ import annotations

import _thread
import logging
from collections import deque
from threading import Condition
from time import monotonic
from typing import TYPE_CHECKING, Any

from nonstop.backends.own_threads import leave_unobserved, start_thread, thread_ends
from nonstop.hits import describe
from nonstop.sinks.sigpipe import sigpipe_held

if TYPE_CHECKING:
    from collections.abc import Callable

    from nonstop.core import Engine, Received
    from nonstop.snapshots import Snapshot

_log = logging.getLogger("nonstop")


class Dispatcher:
    """Calls `deliver` with each snapshot, in the order in which they were captured.

    `threading.enumerate()` does not show the program a thread that it did not start. It never keeps the process alive.
    """

    def __init__(self, engine: Engine, deliver: Callable[[Received], None], delivery_ended: Callable[[], None]) -> None:
        self._engine = engine
        self._deliver = deliver
        self._delivery_ended = delivery_ended
        self._guard = _thread.allocate_lock()
        self._running: Any = None
        #: Whether the queue was closed and everything in it delivered.
        self.ended = False
        #: Snapshots that no sink took because it failed.
        self.undelivered = 0

    def start(self) -> None:
        """Start the thread, unless it runs."""
        with self._guard:
            if self._running is None:
                running = _thread.allocate_lock()
                running.acquire()
                self._running = running
                start_thread(self._run, (running,))

    def close(self, timeout: float) -> bool:
        """Close the queue, let the thread deliver what is in it, and wait for its end. False: it was not ready in
        time.
        """
        self._engine.close_channel()
        running = self._running
        if running is None:
            return True
        if not running.acquire(timeout=timeout):
            return False
        running.release()
        return True

    def failed(self, error: Exception) -> None:
        """A snapshot could not be delivered."""
        self.undelivered += 1
        if self.undelivered == 1:
            # A closed stderr is no reason to end the program.
            with sigpipe_held():
                _log.warning("a snapshot could not be delivered: %s; others are counted only", describe(error))

    def after_fork(self) -> None:
        """The thread did not come along into the child."""
        self._guard = _thread.allocate_lock()
        self._running = None
        self.ended = False

    def _run(self, running: Any) -> None:
        leave_unobserved()
        try:
            while True:
                batch = self._engine.receive(-1)
                if batch is None:
                    self.ended = True
                    self._delivery_ended()
                    return
                for received in batch:
                    leave_unobserved()
                    try:
                        self._deliver(received)
                    except Exception as error:
                        self.failed(error)
        finally:
            thread_ends()
            running.release()


class Inbox:
    """Snapshots of one breakpoint that wait to be read. At most `size`: more are counted and let go."""

    def __init__(self, size: int = 1000) -> None:
        self._size = size
        self._snapshots: deque[Snapshot] = deque()
        self._changed = Condition()
        self.undelivered = 0
        #: All that came, read or not.
        self.received = 0

    def put(self, snapshot: Snapshot) -> None:
        """Add a snapshot; never blocks longer than a reader takes to copy one out."""
        with self._changed:
            self.received += 1
            if len(self._snapshots) >= self._size:
                self.undelivered += 1
            else:
                self._snapshots.append(snapshot)
                self._changed.notify()

    def get(self, timeout: float | None, ended: Callable[[int], bool]) -> Snapshot | None:
        """The next snapshot; None when none came in `timeout` seconds or `ended` says, given how many came, that none
        will.
        """
        deadline = None if timeout is None else monotonic() + timeout
        with self._changed:
            while not self._snapshots:
                if ended(self.received):
                    return None
                # An end by expiry wakes nobody: look again from time to time.
                wait = 0.1
                if deadline is not None:
                    wait = min(wait, deadline - monotonic())
                    if wait <= 0:
                        return None
                self._changed.wait(wait)
            return self._snapshots.popleft()

    def wake(self) -> None:
        """Let a waiting reader look again whether more is to come."""
        with self._changed:
            self._changed.notify_all()
