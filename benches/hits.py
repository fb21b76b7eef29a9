"""What a hit costs, in calls of an empty function: counted, with a false condition, logged, captured.

    python benches/hits.py [--rounds N]

Runs by an interpreter that has nonstop, under each backend that it has, each in a process of its own. A hit costs what
a pass of a loop takes longer with the breakpoint than without; an empty call what a pass takes longer with the call.
The figures are medians of rounds that take turns; in brackets the least and the largest.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, List

import methods
import nonstop

_HERE = Path(__file__).resolve().parent
_SECONDS = 0.05
_SETTLING_SECONDS = 0.5
_LINE = f"{methods.__file__}:{methods.hit.__code__.co_firstlineno + 3}"


def _drop(snapshot: Any) -> None:
    pass


#: How each sets its breakpoint.
HITS: Dict[str, Callable[[nonstop.Debugger], Any]] = {
    "counted": lambda debugger: debugger.counter(_LINE),
    "every tenth counted": lambda debugger: debugger.counter(_LINE, hit_condition="% 10"),
    "rate of 10 a second": lambda debugger: debugger.counter(_LINE, rate=10),
    "false condition": lambda debugger: debugger.counter(_LINE, condition="number < 0"),
    "log, constant text": lambda debugger: debugger.logpoint(_LINE, "here", sink=_drop),
    "snapshot, one frame": lambda debugger: debugger.breakpoint(_LINE, sink=_drop, limits={"frames": 1}),
}


def _per_pass(function: Callable[[int], None], turns: int) -> float:
    started = time.perf_counter()
    function(turns)
    return (time.perf_counter() - started) / turns * 1e9


def child(backend: str, rounds: int) -> None:
    """Measure under one backend in this process."""
    found: Dict[str, List[float]] = {}
    for name, set_breakpoint in HITS.items():
        with nonstop.Debugger(backend=backend) as debugger:
            set_breakpoint(debugger)
            methods.hit(200)
            time.sleep(_SETTLING_SECONDS)  # on PyPy a thread may still take calls out of the one before
            turns = 200
            while _per_pass(methods.hit, turns) * turns < _SECONDS * 1e9 and turns < 1_000_000:
                turns *= 2
            several = [
                [_per_pass(one, turns) for one in (methods.no_hit, methods.noop_call, methods.hit)]
                for _ in range(rounds)
            ]
        found[name] = [hit - empty for empty, _, hit in several]
        found.setdefault("empty call", []).extend(call - empty for empty, call, _ in several)
    print(json.dumps(found))


def main() -> None:
    """Measure all backends and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child, given.rounds)
        return
    print(f"{platform.python_implementation()} {platform.python_version()}, {given.rounds} rounds")
    for backend in nonstop.available_backends():
        command = [sys.executable, __file__, "--child", backend, "--rounds", str(given.rounds)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=_HERE)
        found = json.loads(done.stdout)
        call = statistics.median(found.pop("empty call"))
        print(f"{backend}; an empty call: {call:.1f} ns")
        for name, figures in found.items():
            middle = statistics.median(figures)
            calls = "" if call < 1 else f"{middle / call:10.1f} calls"
            print(f"  {name:22}{middle:10.1f} ns ({min(figures):.1f}-{max(figures):.1f}){calls}")


if __name__ == "__main__":
    main()
