"""The results of the conformance suite, of all interpreters together."""

from __future__ import annotations

import re
import shutil
import time
from typing import TYPE_CHECKING

from environments import INTERPRETERS, ROOT, tools
from results import Result, output

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULTS = ROOT / "target/conformance"
_COUNTS = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped, (\d+) gaps")


def forget() -> None:
    """Remove the results of earlier runs."""
    shutil.rmtree(RESULTS, ignore_errors=True)


def crosscheck(present: Sequence[str], *options: str) -> Result:
    """Check the results of the interpreters that ran, and print what is wrong and a line for each."""
    started = time.monotonic()
    expected = [name for name in present if name in INTERPRETERS]
    status, text = output(
        *(tools() / "python", "-m", "conformance.check", RESULTS, *options),
        *("--supported", *INTERPRETERS, "--expect", *expected),
    )
    print(text.rstrip())
    counts = _COUNTS.findall(text.strip().rpartition("\n")[2])
    passed, failed, skipped, gaps = map(int, counts[0]) if counts else (0, 1, 0, 0)
    return Result("conformance", passed, max(failed, int(bool(status))), skipped + gaps, time.monotonic() - started)
