"""What it costs to set a breakpoint in a large program: 50,000 functions that have run, in 500 files.

    python benches/edits.py [--functions N]

Runs by an interpreter that has nonstop, under each backend that it has, each in a process of its own. Files are parsed
when the first breakpoint is set in them: that is told apart.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, List

import nonstop

_FILES = 500


def _program(folder: Path, functions: int) -> List[Any]:
    """Modules of functions of three lines each. All of them are called once."""
    spaces = []
    for file in range(_FILES):
        path = folder / f"part{file}.py"
        path.write_text("".join(f"def f{n}(x):\n    y = x\n    return y\n" for n in range(functions // _FILES)))
        os.utime(path, (0, 0))  # older than this process, as programs are
        space: Dict[str, Any] = {"__name__": f"part{file}"}
        exec(compile(path.read_text(), str(path), "exec"), space)
        spaces.append(space)
    return spaces


def _run(spaces: List[Any]) -> None:
    for space in spaces:
        for function in [found for name, found in space.items() if name[0] == "f"]:
            function(1)


def _ms(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1e3


def _set_all(debugger: nonstop.Debugger, locations: List[str]) -> None:
    with debugger.batch():
        for location in locations:
            debugger.counter(location)


def _remove_all(debugger: nonstop.Debugger) -> None:
    with debugger.batch():
        for breakpoint in debugger.breakpoints:
            breakpoint.remove()


def child(backend: str, functions: int) -> None:
    """Measure under one backend in this process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spaces = _program(folder, functions)
        with nonstop.Debugger(backend=backend) as debugger:
            found: Dict[str, List[float]] = {"start": [_ms(debugger.start)]}
            found["first run"] = [_ms(lambda: _run(spaces))]
            found["second run"] = [_ms(lambda: _run(spaces))]
            lines = [f"{folder}/part{n * 3}.py:2" for n in range(20)]
            found["one, in a new file"] = [_ms(lambda line=line: debugger.counter(line)) for line in lines]
            lines = [f"{folder}/part{n * 3}.py:5" for n in range(20)]
            found["one more in a file"] = [_ms(lambda line=line: debugger.counter(line)) for line in lines]
            found["run afterwards"] = [_ms(lambda: _run(spaces))]
            _remove_all(debugger)
            first_lines = [f"{folder}/part{file}.py:1" for file in range(_FILES)]
            found["500 in a batch, files parsed"] = [_ms(lambda: _set_all(debugger, first_lines))]
            # In functions that had none before, of files whose units are known by now.
            per_file = 10_000 // _FILES
            found["10,000 in a batch"] = []
            for first in range(0, min(functions // _FILES, 5 * per_file), per_file):
                _remove_all(debugger)
                lines = [3 * n + 2 for n in range(first, first + per_file)]
                many = [f"{folder}/part{file}.py:{line}" for file in range(_FILES) for line in lines]
                found["10,000 in a batch"].append(_ms(lambda many=many: _set_all(debugger, many)))
            found["10,000 more, at the same lines"] = [_ms(lambda: _set_all(debugger, many))]
            found["run with 20,000"] = [_ms(lambda: _run(spaces))]
            found["20,000 removed in a batch"] = [_ms(lambda: _remove_all(debugger))]
    print(json.dumps(found))


def main() -> None:
    """Measure all backends and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--functions", type=int, default=50_000)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child, given.functions)
        return
    print(f"{platform.python_implementation()} {platform.python_version()}, {given.functions} functions")
    for backend in nonstop.available_backends():
        command = [sys.executable, __file__, "--child", backend, "--functions", str(given.functions)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        print(backend)
        for name, figures in json.loads(done.stdout).items():
            print(f"  {name:31}{statistics.median(figures):10.2f} ms ({min(figures):.2f}-{max(figures):.2f})")


if __name__ == "__main__":
    main()
