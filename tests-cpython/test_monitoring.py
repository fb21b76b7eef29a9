"""The backend on `sys.monitoring`: it costs nothing where nothing is armed, reaches all that runs, and leaves nothing
behind.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import nonstop
import pytest
from nonstop import BackendError

if sys.version_info < (3, 12):
    pytest.skip("sys.monitoring came with Python 3.12", allow_module_level=True)

from nonstop.backends import choose, monitoring

events: Any = sys.monitoring.events
IDS = (3, 4)


def price(amount: int) -> int:
    less = amount // 10
    return amount - less


def count(turns: int) -> int:
    done = 0
    for turn in range(turns):
        done += turn
    return done


def line_of(function: Any, offset: int = 1) -> str:
    code = function.__code__
    return f"{code.co_filename}:{code.co_firstlineno + offset}"


def armed_events(code: CodeType) -> list[int]:
    return [
        sys.monitoring.get_local_events(number, code) if sys.monitoring.get_tool(number) == "nonstop" else 0
        for number in IDS
    ]


@pytest.fixture
def debugger() -> Iterator[nonstop.Debugger]:
    with nonstop.Debugger(backend="monitoring") as made:
        yield made


# Its place among tools


def test_it_is_the_default_here() -> None:
    assert nonstop.available_backends()[0] == "monitoring"
    with nonstop.Debugger() as debugger:
        assert debugger.backend == "monitoring"


def test_it_takes_the_next_id_where_another_tool_has_the_first(debugger: nonstop.Debugger) -> None:
    sys.monitoring.use_tool_id(3, "another")
    try:
        watched = debugger.counter(price)
        price(1)
        assert watched.hits == 1
        assert [sys.monitoring.get_tool(number) for number in IDS] == ["another", "nonstop"]
        debugger.close()
        assert [sys.monitoring.get_tool(number) for number in IDS] == ["another", None]
    finally:
        sys.monitoring.free_tool_id(3)


def test_it_is_not_available_where_other_tools_have_both_ids(debugger: nonstop.Debugger) -> None:
    for number in IDS:
        sys.monitoring.use_tool_id(number, f"tool {number}")
    try:
        reason = choose.why_unavailable("monitoring")
        assert reason is not None and "3 by 'tool 3' and 4 by 'tool 4'" in reason
        assert choose.available_backends()[0] == "settrace"
        with pytest.raises(BackendError, match="3 by 'tool 3'.*backend='settrace'") as caught:
            debugger.counter(price)
        assert caught.value.code == "tracer_in_use"
        assert debugger.breakpoints == []
    finally:
        for number in IDS:
            sys.monitoring.free_tool_id(number)


def test_a_second_debugger_is_refused(debugger: nonstop.Debugger) -> None:
    debugger.start()
    with nonstop.Debugger(backend="monitoring") as second, pytest.raises(BackendError, match="another nonstop"):
        second.start()


def test_stop_takes_all_events_back(debugger: nonstop.Debugger) -> None:
    debugger.counter(price)
    price(1)
    assert any(armed_events(price.__code__))
    debugger.stop()
    assert [sys.monitoring.get_tool(number) for number in IDS] == [None, None]
    sys.monitoring.use_tool_id(3, "look")
    try:
        assert sys.monitoring.get_events(3) == 0
        assert sys.monitoring.get_local_events(3, price.__code__) == 0
    finally:
        sys.monitoring.free_tool_id(3)


# What is armed


def test_only_code_with_a_breakpoint_has_events(debugger: nonstop.Debugger) -> None:
    debugger.counter(price)
    price(1)
    count(2)
    assert armed_events(price.__code__) == [events.INSTRUCTION, 0]
    assert armed_events(count.__code__) == [0, 0]


def test_code_that_has_run_is_told_of_once(debugger: nonstop.Debugger, monkeypatch: pytest.MonkeyPatch) -> None:
    debugger.start()
    learned: list[str] = []
    backend: Any = debugger._backend
    before = backend.learn
    monkeypatch.setattr(backend, "learn", lambda code, space: learned.append(code.co_name) or before(code, space))
    space: dict[str, Any] = {}
    exec("def fresh(): pass\nfor _ in range(5): fresh()", space)
    assert learned.count("fresh") == 1


def test_instructions_that_enter_nothing_are_switched_off(debugger: nonstop.Debugger) -> None:
    asked: list[int] = []
    watched = debugger.counter(line_of(count, 3))
    at_instruction = monitoring._at_instruction

    def at(code: CodeType, offset: int) -> Any:
        asked.append(offset)
        return at_instruction(code, offset)

    count(2)
    (number,) = [number for number in IDS if sys.monitoring.get_tool(number) == "nonstop"]
    sys.monitoring.register_callback(number, events.INSTRUCTION, at)
    count(100)
    assert watched.hits == 102
    assert len(asked) == 100
    assert len(set(asked)) == 1


def test_function_is_armed_when_the_code_runs_that_makes_it(debugger: nonstop.Debugger) -> None:
    watched = debugger.counter(
        f"{__file__}:{test_function_is_armed_when_the_code_runs_that_makes_it.__code__.co_firstlineno + 7}"
    )

    def make() -> Any:
        def never_called() -> int:
            made = 1
            return made  # here

        return never_called

    make()
    assert watched.state == "bound"


def test_removed_breakpoint_leaves_no_events(debugger: nonstop.Debugger) -> None:
    first, second = debugger.counter(price), debugger.counter(price)
    price(1)
    first.remove()
    price(1)
    assert (second.hits, armed_events(price.__code__)) == (2, [events.INSTRUCTION, 0])
    second.disable()
    price(1)
    assert armed_events(price.__code__) == [0, 0]
    second.enable()
    price(1)
    assert second.hits == 3


def test_spent_breakpoint_leaves_no_events(debugger: nonstop.Debugger) -> None:
    watched = debugger.counter(price, max_hits=2)
    for _ in range(5):
        price(1)
    assert (watched.hits, watched.state) == (2, "exhausted")
    assert armed_events(price.__code__) == [0, 0]


def test_breakpoint_set_later_arms_code_that_has_run(debugger: nonstop.Debugger) -> None:
    debugger.counter(count)
    price(1)
    watched = debugger.counter(price)
    assert watched.state == "bound"
    price(1)
    assert watched.hits == 1


def test_session_after_another_hits_code_that_ran_only_before(debugger: nonstop.Debugger) -> None:
    """The interpreter was told to tell no more of it, and that outlives a session."""

    def work() -> int:
        value = 1
        return value

    debugger.start()
    work()
    debugger.close()
    with nonstop.Debugger(backend="monitoring") as another:
        watched = another.counter(work)
        assert watched.state == "bound"
        work()
        assert watched.hits == 1


def test_element_that_its_own_line_leads_to_is_hit_as_under_a_tracer(tmp_path: Path) -> None:
    """Control comes to it from inside and from outside: where it was before decides."""
    text = """
def work(words):
    return tuple(
        word for word in words
        if word
    )
"""
    path = tmp_path / "made.py"
    path.write_text(text)
    space: dict[str, Any] = {}
    exec(compile(text, str(path), "exec"), space)
    hits = {}
    for backend in ("settrace", "monitoring"):
        with nonstop.Debugger(backend=backend) as debugger:
            space["work"]("")
            watched = [debugger.counter(f"{path}:{line}") for line in (4, 5)]
            assert space["work"](["a", "", "b"]) == space["work"](["a", "b"])
            hits[backend] = [one.hits for one in watched]
    assert hits["monitoring"] == hits["settrace"]
    assert all(hits["settrace"])


# What runs already


def test_loop_that_is_running_is_hit_in_a_thread_that_was_there_before() -> None:
    halt = threading.Event()

    def work() -> None:
        turns = 0
        while not halt.is_set():
            turns += 1
            time.sleep(0)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        with nonstop.Debugger(backend="monitoring") as debugger:
            watched = debugger.counter(line_of(work, 3))
            deadline = time.monotonic() + 5
            while watched.hits < 3 and time.monotonic() < deadline:
                time.sleep(0.001)
            assert watched.hits >= 3
            assert watched.armed.frames == 1
            assert watched.armed.missed == []
    finally:
        halt.set()
        thread.join()


def test_suspended_generator_is_hit_also_by_an_exception_thrown_in(debugger: nonstop.Debugger) -> None:
    def work() -> Iterator[int]:
        try:
            yield 1
        except KeyError:
            yield 2
        yield 3

    first, second = work(), work()
    next(first)
    next(second)
    caught, last = debugger.counter(line_of(work, 4)), debugger.counter(line_of(work, 5))
    assert first.throw(KeyError()) == 2
    assert (caught.hits, last.hits) == (1, 0)
    assert next(first) == next(second) == 3
    assert (caught.hits, last.hits) == (1, 2)


def test_threads_of_nonstop_itself_are_not_observed(debugger: nonstop.Debugger) -> None:
    """A sink that runs over a breakpoint would make a snapshot of each of its snapshots."""
    taken: list[Any] = []

    def sink(snapshot: Any) -> None:
        taken.append(price(len(taken)))

    watched = debugger.breakpoint(price, sink=sink)
    price(1)
    deadline = time.monotonic() + 5
    while not taken and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    assert (watched.hits, len(taken)) == (1, 1)


# A thread of an earlier test may be about to end.
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_child_of_a_fork_goes_on_with_its_breakpoints(debugger: nonstop.Debugger) -> None:
    watched = debugger.counter(price)
    price(1)
    child = os.fork()
    if child == 0:
        price(1)
        os._exit(0 if watched.hits == 2 else 1)
    assert os.waitpid(child, 0)[1] == 0
    price(1)
    assert watched.hits == 2


# What is kept


def test_code_that_dies_is_let_go(debugger: nonstop.Debugger, tmp_path: Path) -> None:
    path = tmp_path / "made.py"
    path.write_text("def made():\n    return 1\n")
    watched = debugger.counter(f"{path}:2")
    for _ in range(200):
        space: dict[str, Any] = {}
        exec(compile(path.read_text(), str(path), "exec"), space)
        space["made"]()
    reference = weakref.ref(space["made"].__code__)
    space.clear()
    gc.collect()
    assert reference() is None
    assert str(path) not in {file.key[0] for file in monitoring._seen.files()}
    assert (watched.hits, watched.armed.code_objects) == (200, 0)
    assert debugger._backend.decisions.codes.plans() == []  # type: ignore[attr-defined]


def test_module_that_dies_is_let_go(debugger: nonstop.Debugger) -> None:
    debugger.start()

    class Held:
        pass

    space: dict[str, Any] = {"held": Held(), "__name__": "gone"}
    reference = weakref.ref(space["held"])
    exec("def made(): return held", space)
    keep = space["made"].__code__
    space["made"]()
    space.clear()
    gc.collect()
    assert reference() is None
    assert keep is not None
