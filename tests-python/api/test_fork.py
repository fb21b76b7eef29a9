"""Forks: the child goes on by itself, with its own counters and its own deliveries."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


def run_script(folder: Path, text: str) -> str:
    # A file, not `-c`: "<string>" is also the name of code that the standard library makes.
    script = folder / "script.py"
    script.write_text(textwrap.dedent(text))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_child_is_hit_and_delivers_at_its_own_exit(tmp_path: Path) -> None:
    assert run_script(
        tmp_path,
        """
            import nonstop, os, sys, threading
            def price(amount):
                return amount
            def sink(snapshot):
                os.write(1, f"{os.getpid() == parent} {snapshot.captures['amount'].value}\\n".encode())
                delivered.set()
            delivered = threading.Event()
            parent = os.getpid()
            watched = nonstop.breakpoint("script.py:4", capture="amount", sink=sink)
            price(1)
            assert delivered.wait(30)  # or the child's may be written first
            child = os.fork()
            if child == 0:
                price(2)
                sys.exit(0)
            os.waitpid(child, 0)
            price(3)
            """,
    ).splitlines() == ["True 1", "False 2", "True 3"]


def test_child_goes_on_while_other_threads_of_the_parent_hit(tmp_path: Path) -> None:
    assert (
        run_script(
            tmp_path,
            """
            import nonstop, os, sys, threading, time
            def price(amount):
                return amount
            watched = nonstop.counter("script.py:4")
            halt = False
            def work():
                while not halt:
                    price(1)
            threads = [threading.Thread(target=work) for _ in range(3)]
            for thread in threads:
                thread.start()
            for _ in range(10):
                child = os.fork()
                if child == 0:
                    before = watched.hits
                    price(1)
                    os._exit(0 if watched.hits == before + 1 else 1)
                assert os.waitpid(child, 0)[1] == 0
            halt = True
            for thread in threads:
                thread.join()
            print("done")
            """,
        )
        == "done\n"
    )


def test_breakpoint_is_hit_in_what_was_registered_for_forks(tmp_path: Path) -> None:
    assert (
        run_script(
            tmp_path,
            """
            import nonstop, os, sys, threading, time
            def price(amount):
                return amount
            def work():
                while True:
                    time.sleep(0.001)
            for _ in range(3):
                threading.Thread(target=work, daemon=True).start()
            os.register_at_fork(after_in_child=lambda: price("in the hook"))
            def sink(snapshot):
                os.write(1, f"{snapshot.captures['amount'].value}\\n".encode())
            for _ in range(5):
                watched = nonstop.breakpoint("script.py:4", capture="amount", sink=sink)
                child = os.fork()
                if child == 0:
                    price("after it")
                    sys.exit(watched.hits != 2)
                assert os.waitpid(child, 0)[1] == 0
                watched.remove()
            """,
        ).splitlines()
        == ["in the hook", "after it"] * 5
    )


def test_frame_that_forks_goes_on_being_hit_in_the_child(tmp_path: Path) -> None:
    assert (
        run_script(
            tmp_path,
            """
            import nonstop, os
            def work():
                child = os.fork()
                value = child
                return child
            watched = nonstop.counter("script.py:5")
            child = work()
            if child == 0:
                os._exit(watched.hits)
            print(os.waitpid(child, 0)[1] >> 8, watched.hits)
            """,
        )
        == "1 1\n"
    )


def test_multiprocessing_child_is_hit(tmp_path: Path) -> None:
    assert (
        run_script(
            tmp_path,
            """
            import multiprocessing, nonstop, os
            def price(amount):
                return amount
            def work(results):
                price(2)
                results.put(watched.hits)
            watched = nonstop.counter("script.py:4")
            context = multiprocessing.get_context("fork")
            results = context.Queue()
            process = context.Process(target=work, args=(results,))
            process.start()
            print(results.get(timeout=30))
            process.join()
            """,
        )
        == "1\n"
    )
