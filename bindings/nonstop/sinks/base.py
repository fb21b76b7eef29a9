"""What all sinks have in common."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from nonstop.sinks.sigpipe import sigpipe_held
from nonstop.sinks.style import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nonstop.snapshots import Snapshot

_log = logging.getLogger("nonstop")


class Sink:
    """Where snapshots go. Derive from it, or give any object that has its two methods.

    A debugger calls :meth:`emit` in a thread of nonstop's own, for one snapshot after the other. The program does not
    wait: meanwhile others are queued, and those for which the queue has no room are counted as dropped. What
    :meth:`emit` raises is counted and logged once; the next snapshot comes all the same.

    >>> import nonstop
    >>> class Total(Sink):
    ...     amount = 0
    ...     def emit(self, snapshot):
    ...         self.amount += snapshot.captures["amount"].value
    >>> def price(amount):
    ...     return amount * 2
    >>> total = Total()
    >>> with nonstop.Debugger(sinks=[total]) as debugger:
    ...     watched = debugger.breakpoint(price, capture="amount")
    ...     prices = price(20), price(1)
    >>> total.amount
    21
    """

    #: Snapshots that went where they were to go; counted by the sinks of nonstop.
    taken: int = 0
    #: Snapshots that were lost on the way; counted by the sinks of nonstop.
    lost: int = 0
    #: Why the first of them was lost; empty while none was.
    failure: str = ""

    def emit(self, snapshot: Snapshot) -> None:
        """Take one snapshot."""
        raise NotImplementedError(f"{type(self).__name__} has no emit(snapshot)")

    def close(self) -> None:
        """No more snapshots come. The debugger calls it when it closes; more than once does no harm."""


class WritingSink(Sink):
    """Writes to something that may fail, and work again later: a full disk, a pipe that nobody reads.

    A failure is never raised. What is lost is counted, and the first loss is logged with its reason, unless the log
    goes to the very same place.
    """

    def __init__(self, target: str) -> None:
        """`target` names, in messages, what is written to."""
        self._target = target

    def emit(self, snapshot: Snapshot) -> None:
        """Write one snapshot."""
        # Over the logging too: that may go to the same closed pipe.
        with sigpipe_held():
            try:
                self._write(snapshot)
            except (OSError, ValueError) as error:
                self._lose(snapshot, error)
            else:
                self.taken += 1

    def _write(self, snapshot: Snapshot) -> None:
        """Write one snapshot; raises OSError, or ValueError for what is closed."""
        raise NotImplementedError

    def _fileno(self) -> int:
        """The descriptor that it writes to; raises what a stream raises that is closed or has none."""
        raise NotImplementedError

    def _lose(self, snapshot: Snapshot, error: Exception) -> None:
        self.lost += 1
        if self.lost > 1:
            return
        self.failure = f"cannot write to {self._target}: {reason(error)}"
        if _is_logged_to(self._fileno):
            # It could not be read there either, and would stay in the stream's buffer: at the end the interpreter fails
            # to write it, and gives the program the exit status 120.
            return
        file, line, _ = snapshot.location
        _log.warning(
            "%s; the snapshot of %s:%s, hit %s, is lost, and others that meet the same are counted only",
            self.failure,
            printable(file),
            line,
            snapshot.hit,
        )


def _is_logged_to(fileno: Callable[[], int]) -> bool:
    """Whether what nonstop logs is written to the file behind a descriptor."""
    return any(_is_same_file(fileno, handler) for handler in _handlers())


def _is_same_file(fileno: Callable[[], int], handler: Any) -> bool:
    try:
        return os.path.sameopenfile(fileno(), handler.stream.fileno())
    except (AttributeError, OSError, ValueError):  # no stream, none of a file, or closed
        return False


def _handlers() -> Iterator[logging.Handler | None]:
    """Those that get what nonstop logs."""
    found = False
    logger: logging.Logger | None = _log
    while logger is not None:
        found = found or bool(logger.handlers)
        yield from logger.handlers
        logger = logger.parent if logger.propagate else None
    if not found:
        yield logging.lastResort


def reason(error: Exception) -> str:
    """An error of the system in its own words, without the number and the path.

    >>> reason(FileNotFoundError(2, "No such file or directory", "/srv/hits.jsonl"))
    'No such file or directory'
    """
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno)
    return str(error)
