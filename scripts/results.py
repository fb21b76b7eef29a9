"""What the steps of a run came to, and the lines that sum them up."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

from environments import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence


class Result(NamedTuple):
    """What one step came to."""

    name: str
    passed: int
    failed: int
    skipped: int
    seconds: float


def output(*command: object, **options: object) -> tuple[int, str]:
    """Run a command; its status and all that it printed."""
    done = subprocess.run(  # type: ignore[call-overload]
        [str(word) for word in command],
        cwd=ROOT,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        **options,
    )
    return done.returncode, done.stdout


def check(name: str, *command: object, **options: object) -> Result:
    """A step that passes or fails as a whole; what it printed is shown where it failed."""
    started = time.monotonic()
    status, text = output(*command, **options)
    if status:
        print(f"--- {name}\n{text}")
    return Result(name, int(not status), int(bool(status)), 0, time.monotonic() - started)


def summary(results: Sequence[Result], missing: int = 0) -> int:
    """Print a line for each step and the closing line; the exit status. `missing`: required and not there."""
    for one in results:
        counts = f"{one.passed:5} passed {one.failed:3} failed {one.skipped:3} skipped"
        print(f"{one.name:22} {counts} {one.seconds:6.0f} s")
    failed = sum(one.failed for one in results) + missing
    print(f"{sum(one.passed for one in results)} passed, {failed} failed")
    return 1 if failed else 0
