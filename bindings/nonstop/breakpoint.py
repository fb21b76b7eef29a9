"""The handle of one breakpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nonstop.dispatcher import Inbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nonstop import core
    from nonstop.debugger import Debugger
    from nonstop.sinks import Sink
    from nonstop.snapshots import Snapshot

#: States in which a breakpoint can never fire again.
_OVER = frozenset({"exhausted", "expired", "failed"})


class Armed(NamedTuple):
    """Proof of arming: where a breakpoint is armed, and what is not reached, and why.

    `code_objects` and `frames` count the living ones. On PyPy 3.11 `frames` has only the topmost frame of other
    threads, on PyPy 3.9 none: others cannot be looked at safely.
    """

    code_objects: int
    frames: int
    missed: list[str]


class BreakpointReport(NamedTuple):
    """State, counters and proof of arming of a breakpoint, all of one moment.

    Always: ``arrivals = skipped + false + errors + hits`` and ``hits = passed + limited + captured + dropped``.
    """

    id: int
    location: str
    state: str
    reason: str
    enabled: bool
    requested_line: int
    resolved_line: int
    armed: Armed
    arrivals: int
    skipped: int
    false: int
    errors: int
    hits: int
    passed: int
    limited: int
    captured: int
    dropped: int
    undelivered: int
    off_ns: int


class Breakpoint:
    """A breakpoint that was set. Made by :meth:`nonstop.Debugger.breakpoint`, ``logpoint`` and ``counter``.

    As a context manager it removes itself at the end:

    >>> import nonstop
    >>> def price(amount):
    ...     return amount * 2
    >>> with nonstop.counter(price) as calls:
    ...     total = price(20) + price(1)
    ...     calls.hits
    2
    """

    def __init__(
        self, debugger: Debugger, location: str, max_hits: int | None, token: int, sink: Sink | None, made_sink: bool
    ) -> None:
        self._debugger = debugger
        self._location = location
        self._max_hits = max_hits
        # Kept by the debugger.
        self._id = 0
        self._token = token
        self._sink = sink
        self._made_sink = made_sink
        self._delivered = 0
        self._inbox: Inbox | None = None
        self._final: tuple[core.Report, str] | None = None

    # What it is

    @property
    def id(self) -> int:
        """Number of the breakpoint: what snapshots carry as ``breakpoint``."""
        if not self._id:
            self._debugger._end_waiting()
        return self._id

    @property
    def location(self) -> str:
        """Where it was asked for."""
        return self._location

    @property
    def state(self) -> str:
        """``"pending"``, ``"bound"``, ``"exhausted"``, ``"expired"``, ``"failed"`` or ``"unverified"``."""
        return self._now()[0].state

    @property
    def reason(self) -> str:
        """Why it is in that state; empty where there is nothing to say."""
        return self._now()[1]

    @property
    def enabled(self) -> bool:
        """Whether arrivals are looked at."""
        return self._now()[0].enabled

    @property
    def removed(self) -> bool:
        """Whether it was removed; state and counters stay as they were then."""
        return self._final is not None

    @property
    def requested_line(self) -> int:
        """The line that was asked for; 0 for a function."""
        return self._now()[0].requested_line

    @property
    def resolved_line(self) -> int:
        """The line where it stands; 0 while that is not known."""
        return self._now()[0].resolved_line

    @property
    def armed(self) -> Armed:
        """Proof of arming. Counting the frames takes a walk over all stacks."""
        return self._armed(self._now()[0])

    # Counters

    @property
    def arrivals(self) -> int:
        """How often control arrived there."""
        return self._now()[0].arrivals

    @property
    def skipped(self) -> int:
        """Arrivals while it was disabled or expired, or in another thread."""
        return self._now()[0].skipped

    @property
    def false(self) -> int:
        """Arrivals whose condition did not hold."""
        return self._now()[0].false_conditions

    @property
    def errors(self) -> int:
        """Arrivals whose condition raised."""
        return self._now()[0].errors

    @property
    def hits(self) -> int:
        """Arrivals whose condition held, or that had none."""
        return self._now()[0].hits

    @property
    def passed(self) -> int:
        """Hits that the hit condition or `max_hits` let pass."""
        return self._now()[0].passed

    @property
    def limited(self) -> int:
        """Hits beyond the rate."""
        return self._now()[0].limited

    @property
    def captured(self) -> int:
        """Hits that were captured and queued; for a counter, those that were counted."""
        return self._now()[0].captured

    @property
    def dropped(self) -> int:
        """Hits that could not be captured, or for which the queue was full."""
        return self._now()[0].dropped

    @property
    def undelivered(self) -> int:
        """Snapshots that were let go because nobody read them: :meth:`snapshots` keeps 1000."""
        return 0 if self._inbox is None else self._inbox.undelivered

    def report(self) -> BreakpointReport:
        """Everything above, of one moment."""
        report, reason = self._now()
        return BreakpointReport(
            self.id,
            self._location,
            report.state,
            reason,
            report.enabled,
            report.requested_line,
            report.resolved_line,
            self._armed(report),
            report.arrivals,
            report.skipped,
            report.false_conditions,
            report.errors,
            report.hits,
            report.passed,
            report.limited,
            report.captured,
            report.dropped,
            self.undelivered,
            report.off_ns,
        )

    # What can be done with it

    def snapshots(self, timeout: float | None = None) -> Iterator[Snapshot]:
        """Iterate over the snapshots as they come.

        Waits up to `timeout` seconds for each next one (None: as long as it takes), and ends at the timeout, or when
        no more can come: the breakpoint is exhausted, expired or removed, or the debugger closed. Snapshots that were
        captured before the first call are there too, as long as the queue held them, unless sinks took them.

        >>> import nonstop
        >>> def price(amount):
        ...     return amount * 2
        >>> with nonstop.breakpoint(price, capture="amount", max_hits=2) as watched:
        ...     total = price(20) + price(1)
        ...     [snapshot.captures["amount"].value for snapshot in watched.snapshots(timeout=5)]
        [20, 1]
        """
        inbox = self._debugger._open_inbox(self)
        while True:
            snapshot = inbox.get(timeout, self._no_more)
            if snapshot is None:
                return
            yield snapshot

    def enable(self) -> None:
        """Look at arrivals again."""
        self._debugger._set_enabled(self, True)

    def disable(self) -> None:
        """Let arrivals pass, at next to no cost, until :meth:`enable`."""
        self._debugger._set_enabled(self, False)

    def remove(self) -> None:
        """Take it away. What was captured can still be read. Removing twice is fine."""
        self._debugger._remove(self)

    def __enter__(self) -> Breakpoint:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.remove()

    def __repr__(self) -> str:
        report = self._now()[0]
        return f"<nonstop.Breakpoint {self.id} at {self._location}: {report.state}, {report.hits} hits>"

    def _now(self) -> tuple[core.Report, str]:
        return self._final or self._debugger._report(self)

    def _armed(self, report: core.Report) -> Armed:
        if self._final is not None:
            return Armed(0, 0, ["the breakpoint was removed"])
        return Armed(report.code_objects, *self._debugger._reached(self))

    def _no_more(self, received: int) -> bool:
        """Whether no more snapshots can come, when `received` have come."""
        report = self._now()[0]
        if self._debugger.closed:
            return self._debugger._dispatcher.ended
        if report.state == "exhausted" and self._final is None:
            # The state comes with the last hit, and its snapshot a little later.
            if report.captured + report.dropped < (self._max_hits or 0):
                return False
        elif report.state not in _OVER and self._final is None:
            return False
        return received >= report.captured


def is_over(report: core.Report) -> bool:
    """Whether a breakpoint in this state can never fire again."""
    return report.state in _OVER
