"""What happens when control arrives at a site: the engine counts and decides, conditions run, snapshots are taken."""

from __future__ import annotations

import logging
import signal
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from nonstop.core import CAPTURE, ERROR, EVALUATE, FALSE, TRUE

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from nonstop.core import Engine, HitItem

_log = logging.getLogger("nonstop")

#: Seconds between two reports of errors at the same breakpoint.
_REPORT_EVERY = 300.0


class Action(NamedTuple):
    """What one breakpoint does at its hits."""

    location: str
    condition_text: str
    condition: Callable[[FrameType], bool] | None
    #: Writes the records of a hit; None where only counting is asked.
    record: Callable[[FrameType], bytes] | None


class Hits:
    """Answers arrivals for all breakpoints of one engine.

    :meth:`arrive` is called inside the program, at any of its instructions: it takes no lock, and lets nothing out but
    what a signal handler of the program raised.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._actions: dict[int, Action] = {}
        self._reported: dict[int, float] = {}
        #: Time spent answering arrivals, in nanoseconds; threads that add at the same time may lose a few.
        self.spent_ns = 0
        #: Errors of nonstop itself; none is ever raised into the program.
        self.internal_errors = 0
        #: Called after a capture, where somebody must be told.
        self.captured: Callable[[], None] | None = None
        #: Called after code was disarmed because nothing in it can fire any more.
        self.plan_ended: Callable[[], None] | None = None

    def add(self, token: int, action: Action) -> None:
        """Set what is done for the breakpoint that carries `token` as its user data; before the breakpoint is
        published.
        """
        self._actions[token] = action

    def remove(self, token: int) -> None:
        """Forget a breakpoint that was removed."""
        self._actions.pop(token, None)
        self._reported.pop(token, None)

    def arrive(self, frame: FrameType, site: int, needs_thread_name: bool) -> None:
        """Control of `frame` is about to enter the unit of `site`."""
        started = time.perf_counter_ns()
        try:
            ident = threading.get_ident()
            name = thread_name(ident) if needs_thread_name else None
            for item in self._engine.hit(site, ident, name):
                self._answer(frame, item)
        except BaseException as error:
            self.failed(error)
        finally:
            self.spent_ns += time.perf_counter_ns() - started

    def tell_total(self, site: int, total: int) -> None:
        """Arrivals at `site` that somebody counted by himself, all that there were: see `Engine.hit_total`."""
        self._engine.hit_total(site, total)

    def gather_with(self, gather: Callable[[], None]) -> None:
        """Have `gather` called before anybody looks at the counters."""
        self._engine.gather = gather

    def answer(self, frame: FrameType, item: HitItem) -> None:
        """The same for one who has told the engine of the arrival: what one of its breakpoints wants."""
        started = time.perf_counter_ns()
        try:
            self._answer(frame, item)
        except BaseException as error:
            self.failed(error)
        finally:
            self.spent_ns += time.perf_counter_ns() - started

    def failed(self, error: BaseException) -> None:
        """Count and report an error of nonstop itself; what a signal handler of the program raised goes on."""
        if raised_by_signal(error):
            raise error
        self.internal_errors += 1
        self._report(0, "nonstop itself failed at a hit (the program is not affected): %s", describe(error))

    def _answer(self, frame: FrameType, item: HitItem) -> None:
        action = self._actions.get(item.user_data)
        if action is None:  # removed while this hit was on its way
            self._engine.abandon(item.ticket)
            return
        if item.verdict == EVALUATE:
            if action.condition is None:
                self._engine.abandon(item.ticket)
                return
            try:
                outcome = TRUE if action.condition(frame) else FALSE
            except BaseException as error:
                self._engine.commit(item.ticket, ERROR)
                if raised_by_signal(error):
                    raise
                self._report(
                    item.user_data,
                    "the condition %r of the breakpoint at %s failed: %s; such hits are counted as errors",
                    action.condition_text,
                    action.location,
                    describe(error),
                )
                return
            item = self._engine.commit(item.ticket, outcome)
        if item.verdict != CAPTURE:
            return
        if action.record is None:
            self._engine.abandon(item.ticket)
            return
        try:
            records = action.record(frame)
        except BaseException as error:
            self._engine.abandon(item.ticket)
            if raised_by_signal(error):
                raise
            self.internal_errors += 1
            self._report(
                item.user_data,
                "a hit of the breakpoint at %s could not be captured: %s; such hits are counted as dropped",
                action.location,
                describe(error),
            )
        else:
            self._engine.capture_records(item.ticket, records)
            if self.captured is not None:
                self.captured()

    def _report(self, token: int, message: str, *arguments: object) -> None:
        now = time.monotonic()
        if now < self._reported.get(token, now):
            return
        self._reported[token] = now + _REPORT_EVERY
        _log.warning(message, *arguments)


def describe(error: BaseException) -> str:
    """An exception in one line, without trusting its own ``__str__``."""
    name = type(error).__name__
    try:
        text = str(error)
    except Exception:
        return name
    return f"{name}: {text}" if text else name


def thread_name(ident: int) -> str | None:
    """Name of a running thread; None for one that `threading` does not know.

    ``threading.current_thread()`` would make an entry for a thread that it does not know, visible to the program.
    """
    thread = getattr(threading, "_active", {}).get(ident)
    name = None if thread is None else getattr(thread, "_name", None)
    return name if type(name) is str else None


def raised_by_signal(error: BaseException) -> bool:
    """Whether a signal handler of the program raised it: it belongs to the program then, not to the hook that it fell
    into.
    """
    if isinstance(error, KeyboardInterrupt):
        return True
    if threading.get_ident() != threading.main_thread().ident:
        return False
    handlers: list[Any] = [signal.getsignal(number) for number in signal.valid_signals()]
    codes = [getattr(getattr(handler, "__func__", handler), "__code__", None) for handler in handlers]
    trace = error.__traceback__
    while trace is not None:
        if any(trace.tb_frame.f_code is code for code in codes):
            return True
        trace = trace.tb_next
    return False
