"""What code pays that carries no breakpoint: the benchmark of the talk, under each backend of nonstop and under bdb.

    python benches/unarmed.py [--rounds N] [--only WORD]

Runs by an interpreter that has nonstop. Every scenario is a process of its own, so that no tracer and no compiled code
of one is left in another; scenarios take turns, round by round. The table shows the median of all rounds as a ratio to
the median without a debugger (there: nanoseconds a call), with the least and the largest ratio of a round to the same
round's figure without one.
"""

from __future__ import annotations

import argparse
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
_METHODS = str(_HERE / "methods.py")
#: Each figure is the best of some runs of about this long.
_RUN_SECONDS = 0.04
_RUNS = 5

_MEASURED: Dict[str, Callable[[], Any]] = {
    "empty": methods.empty_method,
    "simple": methods.simple_method,
    "branching": methods.branching_method,
    "loop": methods.tight_loop,
    "fib": methods.fib,
    "program": methods.program,
}


def _line(function: Callable[..., Any], offset: int = 1) -> int:
    return function.__code__.co_firstlineno + offset


# Scenarios: each sets its debugger up in this process.


def _nothing() -> None:
    pass


def _empty_tracer() -> None:
    sys.settrace(lambda frame, event, arg: None)


def _nonstop(backend: str, *locations: str) -> Callable[[], None]:
    def set_up() -> None:
        debugger = nonstop.Debugger(backend=backend)
        debugger.start()
        for location in locations:
            debugger.counter(location)

    return set_up


def _bdb(*places: Any) -> Callable[[], None]:
    def set_up() -> None:
        import bdb

        class Talk(bdb.Bdb):
            """The debugger of the talk: callbacks by file and line."""

            def __init__(self) -> None:
                super().__init__()
                self.callbacks: Dict[Any, Callable[[], None]] = {}

            def user_line(self, frame: Any) -> None:
                callback = self.callbacks.get((self.canonic(frame.f_code.co_filename), frame.f_lineno))
                if callback is not None:
                    callback()

            def set_breakpoint(self, filename: str, lineno: int, method: Callable[[], None]) -> None:
                problem = self.set_break(filename, lineno)
                assert problem is None, problem
                self.callbacks[self.canonic(filename), lineno] = method

        debugger = Talk()
        debugger.reset()
        # Not stepping, which is how one begins: running until a breakpoint.
        debugger.botframe = sys._getframe()
        debugger.set_continue()
        for filename, lineno in places:
            debugger.set_breakpoint(filename, lineno, _nothing)
        sys.settrace(debugger.trace_dispatch)

    return set_up


_SAME_FILE = _METHODS, _line(methods.neighbour)
#: Not in this file: its own loop would be traced then.
_OTHER = argparse.__file__, _line(argparse.ArgumentParser.parse_known_args)
_UNREACHED = _METHODS, _line(methods.branching_method, 2)

SCENARIOS: Dict[str, Callable[[], None]] = {
    "no debugger": _nothing,
    "a tracer that returns None": _empty_tracer,
    **{
        f"{backend}, {where}": _nonstop(backend, *places)
        for backend in nonstop.available_backends()
        for where, places in {
            "none set": (),
            "other file": ["{}:{}".format(*_OTHER)],
            "same file": ["{}:{}".format(*_SAME_FILE)],
            "same function": ["{}:{}".format(*_UNREACHED)],
        }.items()
    },
    "bdb, none set": _bdb(),
    "bdb, other file": _bdb(_OTHER),
    "bdb, same file": _bdb(_SAME_FILE),
    "bdb, same function": _bdb(_UNREACHED),
}


def _calls(function: Callable[[], Any], count: int) -> float:
    started = time.perf_counter()
    for _ in range(count):
        function()
    return time.perf_counter() - started


def measure(function: Callable[[], Any]) -> float:
    """Nanoseconds a call, the loop around it included."""
    count = 1000
    while (seconds := _calls(function, count)) < _RUN_SECONDS / 2:
        count *= 2
    count = max(1, int(count * _RUN_SECONDS / seconds))
    return min(_calls(function, count) for _ in range(_RUNS)) / count * 1e9


def child(scenario: str) -> None:
    """Measure one scenario in this process."""
    SCENARIOS[scenario]()
    figures = [measure(function) for function in _MEASURED.values()]
    sys.settrace(None)
    print(*figures)


def _round(scenarios: List[str]) -> Dict[str, List[float]]:
    figures = {}
    for scenario in scenarios:
        done = subprocess.run(
            [sys.executable, __file__, "--child", scenario], capture_output=True, text=True, check=True, cwd=_HERE
        )
        figures[scenario] = [float(word) for word in done.stdout.split()]
    return figures


def main() -> None:
    """Measure all scenarios and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="scenarios with this word, beside the one without a debugger")
    parser.add_argument("--child", choices=SCENARIOS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child)
        return
    first, *others = SCENARIOS
    scenarios = [first, *(name for name in others if given.only in name)]
    rounds = [_round(scenarios) for _ in range(given.rounds)]
    print(f"{platform.python_implementation()} {platform.python_version()}, {given.rounds} rounds")
    print(f"{'':27}" + "".join(f"{name:>24}" for name in _MEASURED))
    for scenario in scenarios:
        cells = []
        for column in range(len(_MEASURED)):
            figures = [one[scenario][column] for one in rounds]
            base = [one[first][column] for one in rounds]
            ratios = [figure / without for figure, without in zip(figures, base)]
            ratio = statistics.median(figures) / statistics.median(base)
            cells.append(f"{ratio:6.2f} ({min(ratios):.2f}-{max(ratios):.2f})")
        if scenario == first:
            cells = [
                f"{statistics.median(one[first][column] for one in rounds):.1f} ns" for column in range(len(cells))
            ]
        print(f"{scenario:27}" + "".join(f"{cell:>24}" for cell in cells))


if __name__ == "__main__":
    main()
