"""A soak: threads compute what must come out right while breakpoints come and go on their lines, for a minute.

Run as ``python -m conformance.soak [SECONDS]`` by an interpreter that has nonstop. It fails when a result is wrong, when a
thread dies, when a counter does not add up, when nonstop itself failed at a hit, or when memory keeps growing.
"""

from __future__ import annotations

import argparse
import gc
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import nonstop

#: What memory may grow by after the warm-up, in bytes; a leak of one snapshot a hit is far more.
_GROWTH = 48 << 20


def _total(count: int) -> int:
    total = 0
    for number in range(count):
        total += number
    return total


def _fib(number: int) -> int:
    if number < 2:
        return number
    return _fib(number - 1) + _fib(number - 2)


def _pairs(count: int) -> Iterator[Any]:
    for number in range(count):
        pair = number, str(number)
        yield pair


def _caught(number: int) -> str:
    try:
        return "even" if number % 2 == 0 else ["odd"][number]
    except IndexError as error:
        text = str(error)
    finally:
        number += 1
    return f"{number} {text}"


_WORK: Dict[str, Callable[[], Any]] = {
    "loop": lambda: _total(50),
    "recursion": lambda: _fib(9),
    "generator": lambda: sum(number + len(text) for number, text in _pairs(30)),
    "exceptions": lambda: [_caught(number) for number in range(4)],
}


def _lines() -> List[int]:
    found = []
    for function in (_total, _fib, _pairs, _caught):
        first = function.__code__.co_firstlineno
        found += range(first + 1, first + 4)
    return found


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


class Soak:
    """Workers, and somebody who sets breakpoints under them."""

    def __init__(self, seconds: float) -> None:
        self.halt = threading.Event()
        self.wrong: List[str] = []
        self.passes = 0
        self.hits = 0
        self.breakpoints = 0
        self.seconds = seconds
        # Before anything is watched.
        self.expected = {name: work() for name, work in _WORK.items()}

    def worker(self, seed: int) -> None:
        """Compute, compare, again."""
        choose = random.Random(seed)
        try:
            while not self.halt.is_set():
                name = choose.choice(list(_WORK))
                result = _WORK[name]()
                if result != self.expected[name]:
                    self.wrong.append(f"{name}: {result!r} instead of {self.expected[name]!r}")
                self.passes += 1
        except BaseException as error:  # whatever it is, it is not the program's own
            self.wrong.append(f"a worker died of {error!r}")

    def edit(self, debugger: nonstop.Debugger, choose: random.Random) -> None:
        """Set a few breakpoints, wait a little, take them away and check their counters."""
        handles = []
        for _ in range(choose.randrange(1, 5)):
            location = f"{__file__}:{choose.choice(_lines())}"
            condition = choose.choice([None, "number % 2", "number > 1", "missing"])
            kind = choose.choice(["snapshot", "log", "count"])
            if kind == "snapshot":
                handles.append(debugger.breakpoint(location, condition=condition, capture="number", rate=2000))
            elif kind == "log":
                handles.append(debugger.logpoint(location, "number is {number}", condition=condition, rate=2000))
            else:
                handles.append(debugger.counter(location, condition=condition, max_hits=choose.choice([None, 5])))
            self.breakpoints += 1
        time.sleep(choose.random() * 0.02)
        if choose.random() < 0.5:
            handles[0].disable()
            handles[0].enable()
        if choose.random() < 0.1:
            gc.collect()
        for handle in handles:
            handle.remove()
            report = handle.report()
            if report.arrivals != report.skipped + report.false + report.errors + report.hits:
                self.wrong.append(f"the arrivals of {report} do not add up")
            if report.hits != report.passed + report.limited + report.captured + report.dropped:
                self.wrong.append(f"the hits of {report} do not add up")
            self.hits += report.hits

    def run(self) -> bool:
        """Whether all went well."""
        choose = random.Random(1)
        received: List[int] = []
        threads = [threading.Thread(target=self.worker, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        with nonstop.Debugger(sinks=[lambda snapshot: received.append(1)]) as debugger:
            started = time.monotonic()
            warm = 0
            while time.monotonic() < started + self.seconds and not self.wrong:
                self.edit(debugger, choose)
                if not warm and time.monotonic() > started + self.seconds / 3:
                    gc.collect()
                    warm = _resident()
            gc.collect()
            grown = _resident() - warm
            failures = debugger._hits.internal_errors
        self.halt.set()
        for thread in threads:
            thread.join()
        print(
            f"{self.passes} passes, {self.breakpoints} breakpoints, {self.hits} hits, {len(received)} snapshots, "
            f"memory {grown / 2**20:+.1f} MiB after the warm-up"
        )
        for problem in self.wrong[:20]:
            print(f"  {problem}")
        if failures:
            print(f"  nonstop itself failed {failures} times")
        if grown > _GROWTH:
            print("  memory keeps growing")
        return not self.wrong and not failures and grown <= _GROWTH and self.hits > 0 and bool(received)


def main() -> int:
    """Soak; 0 when all went well."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("seconds", type=float, nargs="?", default=60)
    good = Soak(parser.parse_args().seconds).run()
    print(f"{int(good)} passed, {int(not good)} failed")
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
