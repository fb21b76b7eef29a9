"""What it costs to have nonstop: the time of `import nonstop`, of the first breakpoint, and the memory of both.

    python benches/start.py [--rounds N]

Runs by an interpreter that has nonstop. Each round is four processes that take turns: one that does nothing, one that
imports cffi, one that imports nonstop, one that also sets a breakpoint. The figures are differences of medians.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
from typing import Dict, List, Tuple

_SHOW = """
import sys
for line in open("/proc/self/status"):
    if line.startswith("VmRSS"):
        print(time.perf_counter() - started, int(line.split()[1]) / 1024)
"""
STEPS: Dict[str, str] = {
    "nothing": "",
    "cffi": "import _cffi_backend",
    "import nonstop": "import _cffi_backend, nonstop",
    # On a function of a file, as a user's are: its source is read.
    "a breakpoint": "import _cffi_backend, nonstop, textwrap\nnonstop.Debugger().counter(textwrap.fill)",
}


def _figures(step: str) -> Tuple[float, float]:
    program = "import time\nstarted = time.perf_counter()\n" + STEPS[step] + _SHOW
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    seconds, mib = done.stdout.split()
    return float(seconds) * 1e3, float(mib)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=11)
    given = parser.parse_args()
    rounds: List[Dict[str, Tuple[float, float]]] = [
        {step: _figures(step) for step in STEPS} for _ in range(given.rounds)
    ]
    print(f"{platform.python_implementation()} {platform.python_version()}, {given.rounds} rounds")
    for step in ("import nonstop", "a breakpoint"):
        cells = []
        for column, unit in enumerate(("ms", "MiB")):
            more = [one[step][column] - one["cffi"][column] for one in rounds]
            cells.append(f"{statistics.median(more):8.1f} {unit} ({min(more):.1f}-{max(more):.1f})")
        print(f"  {step:16}" + "".join(f"{cell:>30}" for cell in cells))


if __name__ == "__main__":
    main()
