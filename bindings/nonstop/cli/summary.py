"""What ``nonstop run`` says at the end: for each breakpoint where it stood and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nonstop.sinks.style import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nonstop.breakpoint import Breakpoint, BreakpointReport
    from nonstop.cli.given import Given
    from nonstop.debugger import Debugger
    from nonstop.sinks.style import Style


class Delivered(NamedTuple):
    """Where snapshots went, and how many."""

    #: None: to the terminal.
    path: str | None
    taken: int
    lost: int
    #: The first reason for which snapshots were lost.
    failure: str


def summary(
    debugger: Debugger,
    breakpoints: Sequence[tuple[Given, Breakpoint]],
    delivered: Delivered,
    missed: Sequence[str],
    style: Style,
) -> str:
    """The text of the summary. The debugger is closed: no counter changes any more."""
    count = _plural(len(breakpoints), "breakpoint") if breakpoints else "no breakpoint was set"
    head = f"nonstop: {count}, {_duration(debugger.spent_ns)} spent at hits (backend {debugger.backend})"
    lines = [style.bold(head)]
    for given, breakpoint in breakpoints:
        lines += _about(given, breakpoint.report(), style)
    lines += [f"  {style.yellow(printable(text))}" for text in missed]
    if delivered.path is not None:
        lines.append(f"  {_plural(delivered.taken, 'snapshot')} written to {printable(delivered.path)}")
    if delivered.lost:
        lost = f"{_plural(delivered.lost, 'snapshot')} lost: {printable(delivered.failure)}"
        lines.append(f"  {style.red(lost)}")
    return "\n".join(lines) + "\n"


def counts(report: BreakpointReport) -> str:
    """Arrivals and hits in words, leaving out what is zero.

    Always: arrivals = skipped + false + errors + hits, and hits = passed + limited + captured + dropped.
    """
    if not report.arrivals:
        return "never reached"
    text = _plural(report.hits, "hit")
    taken = _parts(report, "captured", "passed", "limited", "dropped")
    if report.hits and report.captured != report.hits:
        text += f" ({taken})"
    if report.arrivals != report.hits:
        text += f" of {_plural(report.arrivals, 'arrival')} ({_parts(report, 'false', 'errors', 'skipped')})"
    return text


def _parts(report: BreakpointReport, *names: str) -> str:
    shown = {"false": "condition false", "errors": "condition failed", "passed": "passed over"}
    return ", ".join(f"{getattr(report, name)} {shown.get(name, name)}" for name in names if getattr(report, name))


def _about(given: Given, report: BreakpointReport, style: Style) -> Iterator[str]:
    condition = "" if given.condition is None else f" if {printable(given.condition)}"
    yield f"  {style.cyan(printable(given.location))}{condition}"
    where = f"line {report.resolved_line}: " if report.resolved_line else ""
    paint = style.green if report.hits else style.yellow
    yield f"    {where}{paint(counts(report))}"
    if report.state != "bound" or report.reason:
        yield f"    {report.state}" + (f": {printable(report.reason)}" if report.reason else "")
    if report.off_ns:
        yield f"    switched off for {_duration(report.off_ns)} in all: arrivals are not counted then"


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _duration(nanoseconds: int) -> str:
    """A duration in a unit that fits.

    >>> _duration(1_500), _duration(2_340_000), _duration(12_000_000_000)
    ('1.5 µs', '2.3 ms', '12.0 s')
    """
    for unit, size in (("s", 1e9), ("ms", 1e6)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.1f} {unit}"
    return f"{nanoseconds / 1e3:.1f} µs"
