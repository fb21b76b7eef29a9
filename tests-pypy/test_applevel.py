"""What is PyPy's own: functions that it hides, its greenlets, and finalisers that run anywhere."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from typing import Any

import __pypy__
import greenlet
import nonstop
import pytest
from settling import settle


@pytest.fixture
def debugger() -> Iterator[nonstop.Debugger]:
    with nonstop.Debugger() as made:
        yield made


def line_of(function: Any, offset: int) -> str:
    return f"{__file__}:{function.__code__.co_firstlineno + offset}"


# Hidden functions


@__pypy__.hidden_applevel
def hidden(amount: int) -> int:
    more = amount + 1
    return shown(more)


def shown(amount: int) -> int:
    return amount * 2


def outer(amount: int) -> int:
    return hidden(amount)


def test_hidden_function_is_not_observed_by_tracing_and_its_breakpoint_says_that_it_never_was() -> None:
    with nonstop.Debugger(backend="settrace") as debugger:
        watched = debugger.counter(line_of(hidden, 2))
        assert outer(3) == 8
        assert (watched.state, watched.arrivals) == ("pending", 0)


def test_function_called_by_a_hidden_one_is_hit_and_shows_the_stack_as_the_interpreter_does(
    debugger: nonstop.Debugger,
) -> None:
    watched = debugger.breakpoint(shown, condition="amount == 4")
    assert outer(3) == 8
    snapshot = next(watched.snapshots(timeout=5))
    assert [frame.function for frame in snapshot.frames[:2]] == ["shown", "outer"]


# Greenlets, which PyPy has built in


def echo(value: int) -> int:
    given = greenlet.getcurrent().parent.switch(value + 1)
    return given * 2


def test_greenlet_is_hit_at_each_of_its_lines_and_its_switch_is_no_entry(debugger: nonstop.Debugger) -> None:
    before = debugger.counter(line_of(echo, 1))
    after = debugger.breakpoint(line_of(echo, 2), capture="given")
    other = greenlet.greenlet(echo)
    assert other.switch(1) == 2
    assert (before.hits, after.hits) == (1, 0)
    assert other.switch(10) == 20
    assert (before.hits, after.hits) == (1, 1)
    snapshot = next(after.snapshots(timeout=5))
    assert snapshot.captures["given"].value == 10
    assert snapshot.frames[0].function == "echo"


def test_greenlets_in_turns_keep_their_hits_apart(debugger: nonstop.Debugger) -> None:
    def work(name: str) -> None:
        for turn in range(3):
            seen.append((name, turn))
            main.switch()

    seen: list[tuple[str, int]] = []
    main = greenlet.getcurrent()
    watched = debugger.breakpoint(line_of(work, 2), capture=["name", "turn"])
    header = debugger.counter(line_of(work, 1))
    workers = [greenlet.greenlet(work) for _ in range(2)]
    for name, worker in zip("ab", workers):
        worker.switch(name)
    for _ in range(3):
        for worker in workers:
            worker.switch()
    assert [
        (one.captures["name"].value, one.captures["turn"].value)
        for _, one in zip(range(6), watched.snapshots(timeout=5))
    ] == seen
    assert (watched.hits, header.hits) == (6, 8)


# Finalisers


class Order:
    done = 0

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        Order.done += 1


def price(amount: int) -> int:
    Order()
    return amount & 3


def test_finalisers_that_run_anywhere_lose_no_hit_of_the_program(debugger: nonstop.Debugger) -> None:
    """They run at any bytecode, also inside the trace function."""
    finaliser = debugger.counter(line_of(Order.__del__, 1))
    watched = debugger.breakpoint(price, condition="amount >= 0", capture="amount", max_hits=50)
    counted = debugger.counter(price)
    Order.done = 0
    for number in range(5_000):
        price(number)
    for _ in range(3):
        gc.collect()
    assert counted.hits == 5_000
    assert [one.captures["amount"].value for one in watched.snapshots(timeout=5)] == list(range(50))
    assert 0 < Order.done <= 5_000
    assert finaliser.hits <= Order.done
    assert debugger._hits.internal_errors == 0


def test_finaliser_in_a_collection_that_the_program_asks_for_does_its_work(debugger: nonstop.Debugger) -> None:
    watched = debugger.counter(line_of(Order.__del__, 1))
    Order.done = 0
    Order()
    for _ in range(5):
        gc.collect()
    assert Order.done == 1
    assert watched.hits <= 1
    settle(debugger)
    assert (sys.gettrace() is not None) == (debugger.backend == "settrace")
