"""The debugger of one ``nonstop run``: set up before the program, summed up after it."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import sys
import threading
from typing import TYPE_CHECKING, TextIO

from nonstop.cli.outcome import write
from nonstop.cli.summary import Delivered, summary
from nonstop.debugger import Debugger
from nonstop.errors import NonstopError
from nonstop.sinks import CallbackSink, JsonLinesSink, Sink, TerminalSink
from nonstop.sinks.style import Style

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nonstop.breakpoint import Breakpoint
    from nonstop.cli.given import Given
    from nonstop.snapshots import Snapshot


class Session:
    """A debugger with its breakpoints and the place where their snapshots go.

    :param jsonl: path of the JSON Lines file; None: snapshots are shown on stderr.
    :param safe: whether expressions only read.
    :param quiet: show nothing, neither snapshots nor the summary.
    """

    def __init__(
        self,
        *,
        backend: str | None,
        jsonl: str | None,
        quiet: bool,
        path_maps: Iterable[tuple[str, str]],
        safe: bool,
    ) -> None:
        #: Where everything is shown; None: nowhere.
        self._stderr: TextIO | None = None if quiet else sys.stderr
        self._jsonl = jsonl
        self._process = os.getpid()
        if jsonl is not None:
            self._sink: Sink = JsonLinesSink(jsonl)
        else:
            # Without a sink snapshots would wait in the queue, and be counted as dropped when it is full.
            self._sink = CallbackSink(_let_go) if self._stderr is None else TerminalSink(self._stderr)
        expressions = "safe" if safe else "full"
        self.debugger = Debugger(backend=backend, sinks=[self._sink], path_maps=path_maps, expressions=expressions)
        self._breakpoints: list[tuple[Given, Breakpoint]] = []

    def set(self, given: Iterable[Given]) -> list[str]:
        """Set the breakpoints. Gives one message for each that cannot be set."""
        refused = []
        with self.debugger.batch():
            for one in given:
                try:
                    self._breakpoints.append((one, one.set_on(self.debugger)))
                except NonstopError as error:
                    refused.append(f"{one.text}: {error}")
        return refused

    def begin(self) -> None:
        """The program starts now: sum up when the process ends."""
        _log_to(self._stderr)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._in_child)
        # It comes after the program's own exit handlers: they are registered later.
        atexit.register(self._end)
        if sys.implementation.name == "pypy":
            # PyPy takes the trace function away when the main module ends; looking for what is missed brings it back,
            # for what runs at exit. `threading` calls this before it waits for its threads.
            vars(threading)["_register_atexit"](self.debugger.missed)

    def _end(self) -> None:
        missed = self.debugger.missed()
        self.debugger.close()
        # A forked child sums nothing up: its parent does.
        if os.getpid() != self._process or self._stderr is None:
            return
        # Where both are one terminal, the summary comes after all that the program wrote.
        with contextlib.suppress(Exception):
            sys.__stdout__.flush()  # type: ignore[union-attr]
        delivered = Delivered(self._jsonl, self._sink.taken, self._sink.lost, self._sink.failure)
        write(self._stderr, summary(self.debugger, self._breakpoints, delivered, missed, Style(self._stderr)))

    def _in_child(self) -> None:
        # Processes of multiprocessing end without exit handlers, and clear those of their own kind when they begin.
        util = sys.modules.get("multiprocessing.util")
        if util is not None:
            util.register_after_fork(self, _close_with_process)


def _let_go(snapshot: Snapshot) -> None:
    pass


def _close_with_process(session: Session) -> None:
    sys.modules["multiprocessing.util"].Finalize(None, session.debugger.close, exitpriority=-100)


class _Reports(logging.Handler):
    """What nonstop reports of itself, to stderr."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        write(self._stream, f"nonstop: {record.getMessage()}\n")


def _log_to(stream: TextIO | None) -> None:
    """Keep what nonstop reports of itself out of the program's log, which may go to its stdout."""
    logger = logging.getLogger("nonstop")
    logger.propagate = False
    logger.addHandler(logging.NullHandler() if stream is None else _Reports(stream))
