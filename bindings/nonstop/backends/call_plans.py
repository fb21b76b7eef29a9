"""What is to be done in the code objects that have a breakpoint: calls that belong into them, and frames to follow."""

from __future__ import annotations

import dis
import itertools
from typing import TYPE_CHECKING, Protocol

from nonstop.backends.decisions import Plan
from nonstop.backends.settrace import TracePlan
from nonstop.core import MIXED, NEEDS_THREAD_NAME, ONLY_COUNTS, Entry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType

    from nonstop.core import Probe
    from nonstop.planner import CodeFacts
    from nonstop.rewritten import Origin

#: What calls in code are made with: no two units of the process have the same, in whatever session.
_numbers = itertools.count(1)


class Calls(Protocol):
    """Where calls arrive."""

    def probes(self, facts: CodeFacts) -> Sequence[Probe]:
        """What the engine wants to be put into a code object."""

    def arm(self, plan: CallPlan, number: int, entry: Entry, epoch: int) -> None:
        """Let calls with a number arrive at a site."""

    def disarm(self, number: int) -> None:
        """Let them arrive nowhere."""

    def gather(self, number: int) -> None:
        """Tell of those that were counted."""

    def forget(self, number: int) -> None:
        """There are no such calls any more."""


class CallPlan(Plan):
    """The calls that belong into an original code object."""

    __slots__ = ("_calls", "entries", "lines", "numbers", "probes", "sites")

    def __init__(self, code: CodeType, facts: CodeFacts, calls: Calls) -> None:
        super().__init__(code, facts)
        self._calls = calls
        self.entries: Sequence[Entry] = ()
        self.probes: Sequence[Probe] = ()
        #: Armed units, by the lines that they begin at: the entry that tells their sites.
        self.sites: dict[int, Entry] = {}
        self.lines: frozenset[int] = frozenset()
        #: By line: what the call is made with. A unit keeps it: frames may run on with calls that were put in before.
        self.numbers: dict[int, int] = {}

    def gather(self) -> None:
        """Tell of the arrivals that were counted elsewhere."""
        for number in list(self.numbers.values()):
            self._calls.gather(number)

    def set(self, entries: Sequence[Entry], epoch: int) -> None:
        """Arm these entries."""
        calls = self._calls
        # Of a later epoch: then this plan is outdated already, and decided again before it counts.
        probes = calls.probes(self.facts) if entries else ()
        flags = {entry.site: entry.flags for entry in entries}
        sites = {
            one.first_line: Entry(
                0, one.first_line, one.site, flags.get(one.site, 0) & (NEEDS_THREAD_NAME | ONLY_COUNTS)
            )
            for one in probes
        }
        # In this order: at any instruction somebody may ask what is armed.
        for line, entry in sites.items():
            if line not in self.numbers:
                self.numbers[line] = next(_numbers)
            calls.arm(self, self.numbers[line], entry, epoch)
        before = self.sites
        self.entries, self.probes, self.sites, self.lines = entries, probes, sites, frozenset(sites)
        for line in before.keys() - sites.keys():
            calls.disarm(self.numbers[line])

    def let_go(self) -> None:
        """The code object is gone."""
        for number in self.numbers.values():
            self._calls.forget(number)

    @property
    def is_over(self) -> bool:
        """Whether no entry is armed."""
        return not self.sites


class FollowPlan(TracePlan):
    """What is to be followed in the frames of a code object which has no calls in it, or not all."""

    __slots__ = ("base", "makes_until", "origin")

    def __init__(
        self, code: CodeType, base: CallPlan | None, origin: Origin | None, makes_until: int, owner: int
    ) -> None:
        super().__init__(code, base.facts if base is not None else None)  # type: ignore[arg-type]
        self.base = base
        #: Of code that has some calls, or those of an earlier session.
        self.origin = origin
        #: The last offset from which control comes to where functions are made without their calls; -1: nowhere.
        self.makes_until = makes_until
        self.bring_up(owner)

    def bring_up(self, owner: int) -> None:
        """Take over what the plan of the original says now."""
        base, origin, code = self.base, self.origin, self.code()
        entries: list[Entry] = []
        if base is not None:
            covered = origin.lines if origin is not None and origin.owner == owner else frozenset()
            lines = {probe.site: probe.first_line for probe in base.probes}
            entries = [entry for entry in base.entries if lines.get(entry.site) not in covered]
            if origin is not None:
                entries = [_moved(entry, origin, lines.get(entry.site)) for entry in entries]
            self.epoch = base.epoch
        self.inside = {}
        self.set(entries, self.epoch)
        if self.makes_until >= 0 and code is not None:
            # The first line behind is told of: see `passes`.
            behind = {offset: None for offset, _ in dis.findlinestarts(code) if offset > self.makes_until}
            self.entries = {**behind, **({} if self.is_over else self.entries)}  # type: ignore[dict-item]


def _moved(entry: Entry, origin: Origin, line: int | None) -> Entry:
    """An entry where it is in code with calls in it."""
    if line in origin.lines:
        # Of an earlier session. To the call comes what enters, and nothing else.
        return entry._replace(offset=origin.call_offset(entry.offset), flags=entry.flags & ~MIXED)
    return entry._replace(offset=origin.new_offset(entry.offset))
