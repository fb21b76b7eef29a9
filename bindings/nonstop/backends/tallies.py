"""Arrivals that do no more than be counted, kept in Python until somebody asks how many there were.

On PyPy: a call of the engine costs a hundred nanoseconds, and what compiled code does in a few is as exact.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from nonstop.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Callable


class Tallies:
    """Counts by the numbers of calls in code. Several threads may use it at once.

    `tell` takes a site, and how many arrivals there were since the site was given its number.
    """

    def __init__(self, tell: Callable[[int, int], None]) -> None:
        self._tell = tell
        #: By number, what counts when `next` is called with it: a single step, between whose halves no thread comes.
        self.counting: dict[int, Any] = {}
        #: The same, also where nothing is counted now, with the site: a thread may be just about to count.
        self._kept: dict[int, tuple[int, Any]] = {}

    def count(self, number: int, site: int) -> None:
        """Calls with a number are arrivals at a site, and only to be counted."""
        kept = self._kept.get(number)
        if kept is None or kept[0] != site:
            self.pause(number)
            kept = self._kept[number] = site, itertools.count()
        self.counting[number] = kept[1]

    def pause(self, number: int) -> None:
        """They are not only to be counted any more."""
        self.counting.pop(number, None)
        self.gather(number)

    def forget(self, number: int) -> None:
        """There are no such calls any more."""
        self.pause(number)
        self._kept.pop(number, None)

    def gather_all(self) -> None:
        """Tell of all that was counted."""
        for number in list(self._kept):
            self.gather(number)

    def gather(self, number: int) -> None:
        """Tell of what was counted under a number."""
        kept = self._kept.get(number)
        if kept is None:
            return
        site, count = kept
        # How it would be made again: what the next one would be is how many there were.
        total = count.__reduce__()[1][0]
        if total:
            try:
                self._tell(site, total)
            except StateError:  # its code object was forgotten
                self._kept.pop(number, None)
