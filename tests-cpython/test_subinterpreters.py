"""Subinterpreters: nonstop observes the main interpreter; what runs in others is left alone."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

#: The module's name has changed, what is used of it here has not.
MODULES = ("_interpreters", "_xxsubinterpreters")

START = """
    import importlib, os, sys

    def subinterpreters():
        for name in ("_interpreters", "_xxsubinterpreters"):
            try:
                return importlib.import_module(name)
            except ImportError:
                pass

    def elsewhere(text, *options, **named):
        # In a new interpreter, that is gone afterwards; it writes to the same stdout, at once.
        module = subinterpreters()
        number = module.create(*options, **named)
        refused = module.run_string(number, "import os, sys; sys.path[:0] = " + repr(sys.path) + "\\n" + text)
        module.destroy(number)
        assert not refused, refused

    def say(text):
        os.write(1, f"{text}\\n".encode())

    import shop
    import nonstop
"""

SHOP = """
    def price(amount):
        less = amount // 10
        return amount - less
"""

ASKS = """
    import os
    import nonstop

    try:
        nonstop.counter("shop.py:2")
    except nonstop.StateError as error:
        os.write(1, f"{error.code}: {error}\\n".encode())
"""

TRACES = """
    import os, shop, sys

    def trace(frame, event, arg):
        seen.append(frame.f_code.co_name)

    seen = []
    before = sys.gettrace()
    sys.settrace(trace)
    shop.price(1)
    sys.settrace(None)
    os.write(1, f"{before} {seen.count('price')}\\n".encode())
"""


def run(program: str, folder: Path) -> list[str]:
    """Run a program in a process of its own. Gives the lines that it printed."""
    if not any(importlib.util.find_spec(name) for name in MODULES):
        pytest.skip("this interpreter was built without its module of subinterpreters")
    for name, text in (("shop", SHOP), ("asks", ASKS), ("traces", TRACES)):
        (folder / f"{name}.py").write_text(textwrap.dedent(text).lstrip())
    script = folder / "program.py"
    script.write_text(textwrap.dedent(START) + textwrap.dedent(program))
    command = [sys.executable, "-X", "faulthandler", "-W", "ignore", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_code_in_a_subinterpreter_runs_unobserved(tmp_path: Path) -> None:
    lines = run(
        """
        with nonstop.Debugger() as debugger:
            watched = debugger.counter("shop.py:2")
            shop.price(1)
            elsewhere("import shop, os; os.write(1, b'%d\\\\n' % sum(shop.price(n) for n in range(5)))")
            say(watched.hits)
            shop.price(1)
            say(watched.hits)
            say(watched.armed.missed)
        """,
        tmp_path,
    )
    assert lines == ["10", "1", "2", "[]"]


def test_snapshots_are_delivered_while_subinterpreters_come_and_go(tmp_path: Path) -> None:
    lines = run(
        """
        with nonstop.Debugger() as debugger:
            watched = debugger.breakpoint("shop.py:2", capture="amount", max_hits=6)
            for number in range(3):
                shop.price(number)
                elsewhere("import shop; shop.price(7)")
                shop.price(number + 10)
            say([snapshot.captures["amount"].value for snapshot in watched.snapshots(timeout=5)])
        """,
        tmp_path,
    )
    assert lines == ["[0, 10, 1, 11, 2, 12]"]


def test_nonstop_in_a_subinterpreter_is_refused_in_clear_words(tmp_path: Path) -> None:
    lines = run("elsewhere('import asks')", tmp_path)
    assert lines == [
        "not_supported: this is a subinterpreter, and nonstop works in the main interpreter of a process only: "
        "set breakpoints there, for the code that runs there"
    ]


def test_main_interpreter_is_observed_after_a_subinterpreter_was_refused(tmp_path: Path) -> None:
    lines = run(
        """
        with nonstop.Debugger() as debugger:
            watched = debugger.counter("shop.py:2")
            elsewhere('import asks')
            shop.price(1)
            say(watched.hits)
        with nonstop.Debugger() as debugger:
            watched = debugger.counter("shop.py:2")
            shop.price(1)
            say(watched.hits)
        """,
        tmp_path,
    )
    assert lines[-2:] == ["1", "1"]
    assert lines[0].startswith("not_supported")


def test_subinterpreter_that_shares_the_main_lock_is_refused_too(tmp_path: Path) -> None:
    """cffi itself would not refuse it."""
    lines = run(
        """
        try:
            elsewhere("import asks", isolated=False)
        except TypeError:
            elsewhere("import asks", "legacy")
        """,
        tmp_path,
    )
    assert [line.partition(":")[0] for line in lines] == ["not_supported"]


def test_tracer_of_a_subinterpreter_is_its_own(tmp_path: Path) -> None:
    lines = run(
        """
        with nonstop.Debugger() as debugger:
            watched = debugger.counter("shop.py:2")
            elsewhere("import traces")
            shop.price(1)
            say(watched.hits)
            say(watched.armed.missed)
        """,
        tmp_path,
    )
    assert lines == ["None 1", "1", "[]"]


def test_pool_of_interpreters_works_while_breakpoints_are_set(tmp_path: Path) -> None:
    pytest.importorskip("concurrent.interpreters", reason="concurrent.interpreters came with Python 3.14")
    lines = run(
        """
        from concurrent.futures import InterpreterPoolExecutor

        with nonstop.Debugger() as debugger:
            watched = debugger.counter("shop.py:2")
            with InterpreterPoolExecutor(2) as pool:
                say(sum(pool.map(shop.price, range(20))))
            say(watched.hits)
            shop.price(1)
            say(watched.hits)
        """,
        tmp_path,
    )
    assert lines == [str(sum(number - number // 10 for number in range(20))), "0", "1"]
