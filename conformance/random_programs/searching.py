"""Looks for programs with which nonstop does something else than the contract says."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Iterator, List, NamedTuple, Optional, Sequence

import nonstop
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.configuration import set_hypothesis_home_dir

from conformance.random_programs.checking import Difference, check, examples
from conformance.random_programs.running import Runner

# Not into the directory that it is run in.
set_hypothesis_home_dir(Path(__file__).resolve().parents[2] / "target/hypothesis")

#: So many examples are drawn with one seed.
EXAMPLES = 50

#: Hypothesis must not trace: its phase `explain` does. The database would make runs depend on earlier ones.
_SETTINGS = {
    "database": None,
    "deadline": None,
    "phases": [Phase.generate, Phase.shrink],
    "suppress_health_check": list(HealthCheck),
    "verbosity": Verbosity.quiet,
    "print_blob": False,
    "report_multiple_bugs": False,
}


class Found(NamedTuple):
    """What came of one seed."""

    seed: int
    #: Programs that were run, those of shrinking included.
    programs: int
    difference: Optional[Difference]


def search(number: int, runners: Sequence[Runner], most: int = EXAMPLES) -> Found:
    """Run the examples of one seed: the same ones each time, on every interpreter that has the same grammar."""
    programs = 0

    @seed(number)
    @settings(max_examples=most, **_SETTINGS)
    @given(examples())
    def run(example: object) -> None:
        nonlocal programs
        programs += 1
        check(example, runners)

    try:
        run()
    except Difference as difference:
        return Found(number, programs, difference)
    return Found(number, programs, None)


def search_for(seconds: float, first: int, runners: Sequence[Runner]) -> Iterator[Found]:
    """Search seed after seed, for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield search(first, runners)
        first += 1


def runners(backends: Optional[Sequence[str]] = None) -> List[Runner]:
    """One for each backend; the portable one, which the others are compared with, first."""
    names = list(backends or nonstop.available_backends())
    return [Runner(name) for name in sorted(names, key=lambda name: name != "settrace")]
