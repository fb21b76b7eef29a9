"""What one evaluation may take."""

from __future__ import annotations

import time


class Refused(Exception):  # noqa: N818 (it is raised into reports, where it reads as a sentence)
    """What an expression asks for is not part of the safe language, or takes too much."""


#: Nodes of the expression that are evaluated, and elements that are looked at.
MOST_STEPS = 20_000
#: Characters, bytes or items of what is made; bits of an integer.
MOST_SIZE = 100_000
#: Seconds.
MOST_SECONDS = 0.005
#: Levels of containers inside each other that are compared or shown.
MOST_DEPTH = 20

#: The clock is read once in so many steps.
_CLOCK_EVERY = 500

#: Of a text that is searched or compared, for a step.
_CHARACTERS_PER_STEP = 1000

_clock = time.perf_counter


class Budget:
    """What is left for an evaluation."""

    __slots__ = ("_ends", "_next_look", "_steps")

    def __init__(self) -> None:
        self._steps = MOST_STEPS
        self._next_look = MOST_STEPS - _CLOCK_EVERY
        self._ends = _clock() + MOST_SECONDS

    def spend(self, steps: int = 1) -> None:
        """Take steps, before they are done."""
        left = self._steps = self._steps - steps
        if left < self._next_look:
            self._next_look = left - _CLOCK_EVERY
            if left < 0:
                raise Refused(f"takes more than {MOST_STEPS} steps: a safe expression looks at few elements")
            if _clock() > self._ends:
                raise Refused(f"takes longer than {MOST_SECONDS * 1000:.0f} ms")

    def spend_characters(self, count: int) -> None:
        """Take the steps for a look at so many characters."""
        self.spend(count // _CHARACTERS_PER_STEP)


def check_size(size: int, what: str, unit: str = "elements") -> None:
    """Refuse what is too large: to make it, or to work on it."""
    if size > MOST_SIZE:
        raise Refused(f"{what} of {size} {unit} is too large: safe expressions take {MOST_SIZE} at most")
