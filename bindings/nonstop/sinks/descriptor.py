"""Whole lines to a file descriptor."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_NEWLINE = ord("\n")


class LineWriter:
    """Writes text that ends with a newline with one call of the system, past all buffers.

    So several processes can write to one file: the system keeps what one call writes together. And nothing is left in a
    buffer when it fails, where the program would meet it at its end.
    """

    def __init__(self, *, within_line: bool = False) -> None:
        """`within_line`: what is there already ends in the middle of a line."""
        self._within_line = within_line

    def write(self, descriptor: Callable[[], int], text: bytes) -> None:
        """Write it all. Raises OSError after any part of it; then the next text begins on a line of its own.

        The descriptor is asked for before each write, which may take long: the number of one that was closed meanwhile
        may belong to a file of the program.
        """
        rest = memoryview(b"\n" + text if self._within_line else text)
        while rest:
            try:
                written = os.write(descriptor(), rest)
            except BlockingIOError:
                # The program, or somebody who shares its terminal or pipe, made it so.
                _wait_for_room(descriptor())
                continue
            self._within_line = rest[written - 1] != _NEWLINE
            rest = rest[written:]


def _wait_for_room(descriptor: int) -> None:
    """Wait until it takes something again, for a second at most."""
    import select

    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    poll.poll(1000)
