"""What a whole process pays that has a breakpoint where control never comes: its user time, against one without.

    python benches/process.py [--pairs N] [--seconds N] [--backend NAME]

Runs by an interpreter that has nonstop. Two processes take turns, each with the same work: `fib`, a tight loop, the
methods of the talk, and two modules of the standard library. In one of them a breakpoint stands in that file, on a line
of a function that is called. The ratio is taken pair by pair, of the user time that the system accounts for each.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
from typing import List

import methods
import nonstop

#: In `branching_method`, behind the condition that never holds.
_LINE = f"{methods.__file__}:{methods.branching_method.__code__.co_firstlineno + 2}"


def work(turns: int) -> None:
    """Something of everything."""
    for _ in range(turns):
        methods.fib(18)
        for _ in range(300):
            methods.tight_loop()
            methods.branching_method()
            methods.simple_method()
            methods.empty_method()
        for _ in range(4):
            methods.program()


def child(backend: str, turns: int) -> None:
    """Work, with the breakpoint unless `backend` is empty."""
    if backend:
        nonstop.Debugger(backend=backend).counter(_LINE)
    work(turns)


def _user_seconds(backend: str, turns: int) -> float:
    command = [sys.executable, __file__, "--child", str(turns), *(["--backend", backend] if backend else [])]
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} ended with status {status}")
    return float(usage.ru_utime)


def _turns_for(seconds: float) -> int:
    turns, taken, start = 1, 0.0, _user_seconds("", 0)
    while taken < seconds / 4:
        turns *= 2
        taken = _user_seconds("", turns) - start
    return max(1, round(turns * seconds / taken))


def main() -> None:
    """Measure and print a line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--backend", choices=nonstop.available_backends(), default="")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child is not None:
        child(given.backend, given.child)
        return
    backend = given.backend or nonstop.available_backends()[0]
    turns = _turns_for(given.seconds)
    ratios: List[float] = []
    for _ in range(given.pairs):
        plain = _user_seconds("", turns)
        ratios.append(_user_seconds(backend, turns) / plain)
    print(
        f"{platform.python_implementation()} {platform.python_version()}, {backend}: "
        f"{statistics.median(ratios):.3f} ({min(ratios):.3f}-{max(ratios):.3f}), {given.pairs} pairs of {plain:.1f} s"
    )


if __name__ == "__main__":
    main()
