"""Stacks of threads that run compiled code: PyPy lets another thread look at their topmost frames only."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import nonstop
import pytest


@pytest.fixture
def debugger() -> Any:
    with nonstop.Debugger() as made:
        made.start()
        yield made


def test_busy_threads_survive_being_looked_at(tmp_path: Path) -> None:
    # In a process of its own: following their frames downwards has ended processes by SIGSEGV.
    script = tmp_path / "busy.py"
    script.write_text(
        textwrap.dedent(
            """
            import threading, time, nonstop
            def leaf(number):
                return [number, str(number)]
            def middle(number):
                return len(leaf(number)) + number
            def work():
                total = 0
                while not halt:
                    for number in range(1000):
                        total += middle(number)
            halt = False
            threads = [threading.Thread(target=work) for _ in range(3)]
            for thread in threads:
                thread.start()
            time.sleep(1)
            with nonstop.Debugger() as debugger:
                watched = debugger.counter("busy.py:4", rate=100)
                end = time.monotonic() + 4
                while time.monotonic() < end:
                    watched.report()
                    debugger.counter("busy.py:6", rate=100).remove()
                    time.sleep(0.05)
                hits = watched.hits
            halt = True
            for thread in threads:
                thread.join()
            print(hits > 0)
            """
        )
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


def test_frame_below_the_top_of_another_thread_is_hit_after_its_next_collection(debugger: Any) -> None:
    halt = threading.Event()
    begun = threading.Event()
    made: list[Any] = []

    def below() -> None:
        begun.set()
        above()
        made.append("this line is armed while `above` runs")

    def above() -> None:
        while not halt.is_set():
            for number in range(1000):
                made.append([number])
            made.clear()

    thread = threading.Thread(target=below)
    thread.start()
    assert begun.wait(5)
    watched = debugger.counter(f"{__file__}:{below.__code__.co_firstlineno + 3}")
    time.sleep(0.5)
    halt.set()
    thread.join()
    assert watched.hits == 1
