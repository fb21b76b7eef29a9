"""Snapshots to the program's own log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from nonstop.errors import ArgumentError
from nonstop.sinks.base import Sink
from nonstop.sinks.render import one_line

if TYPE_CHECKING:
    from nonstop.snapshots import Snapshot


class LoggingSink(Sink):
    """Makes a record of :mod:`logging` of each snapshot, as if the line that was hit had logged it.

    The record's file, line, function, thread, task and time are those of the hit. Its text is the message of a
    logpoint, or ``file:line function: name=value, …``; the whole document (docs/snapshot-schema.md) is its attribute
    ``nonstop_snapshot``. Levels, filters and handlers work as always.

    :param logger: a logger, or its name.
    :param level: a number, or a name such as ``"DEBUG"``.

    Raises :class:`~nonstop.errors.ArgumentError` for what is no logger or no level.

    >>> import logging, sys, nonstop
    >>> logger = logging.getLogger("shop.debug")
    >>> logger.propagate = False
    >>> handler = logging.StreamHandler(sys.stdout)
    >>> handler.setFormatter(logging.Formatter("%(levelname)s %(funcName)s: %(message)s"))
    >>> logger.addHandler(handler)
    >>> def price(amount):
    ...     return amount * 2
    >>> with nonstop.Debugger(sinks=[LoggingSink(logger, level="WARNING")]) as debugger:
    ...     watched = debugger.logpoint(price, "amount is {amount}")
    ...     total = price(20)
    WARNING price: amount is 20
    """

    def __init__(self, logger: logging.Logger | str, level: int | str = logging.INFO) -> None:
        if isinstance(logger, str):
            logger = logging.getLogger(logger)
        if not isinstance(logger, logging.Logger):
            raise ArgumentError(f"{logger!r} is no logger; give one of logging.getLogger(), or its name")
        number = logging.getLevelName(level) if isinstance(level, str) else level
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            raise ArgumentError(f"level is {level!r}; it must be one of logging's, such as logging.INFO or 'INFO'")
        self._logger = logger
        self._level = number

    def emit(self, snapshot: Snapshot) -> None:
        """Log one snapshot, if the logger is enabled for the level."""
        if self._logger.isEnabledFor(self._level):
            self._logger.handle(self._record(snapshot))
        self.taken += 1

    def _record(self, snapshot: Snapshot) -> logging.LogRecord:
        file, line, function = snapshot.location
        record = self._logger.makeRecord(
            self._logger.name,
            self._level,
            file,
            line,
            one_line(snapshot),
            (),
            None,
            function,
            {"nonstop_snapshot": snapshot.document},
        )
        seconds = snapshot.time_ns / 1e9
        record.relativeCreated += (seconds - record.created) * 1000
        record.created = seconds
        record.msecs = snapshot.time_ns // 1_000_000 % 1000 + 0.0
        record.thread, record.threadName = snapshot.thread
        if hasattr(record, "taskName"):  # from 3.12 on
            record.taskName = snapshot.task
        return record
