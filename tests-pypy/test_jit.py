"""The JIT stays on: what carries no breakpoint runs compiled, what is compiled already gets its breakpoints."""

from __future__ import annotations

import statistics
import time
import types
from collections.abc import Iterator
from typing import Any

import nonstop
import pypyjit
import pytest
from settling import settle

#: Far above what compiling takes (a loop of a thousand passes), far below a second.
PASSES = 20_000


def count(passes: int) -> int:
    total = 0
    for number in range(passes):
        total += number & 3
    return total


def price(amount: int) -> int:
    return amount & 3


def calls(passes: int) -> int:
    total = 0
    for number in range(passes):
        total += price(number)
    return total


def copy_of(function: Any) -> Any:
    """The same function, that was never run: what is compiled of the other does not serve it."""
    return types.FunctionType(function.__code__.replace(), globals(), function.__name__)


def line_of(function: Any, offset: int) -> str:
    return f"{__file__}:{function.__code__.co_firstlineno + offset}"


class Compiled:
    """Names of the functions whose loops were compiled."""

    def __init__(self) -> None:
        self.loops: list[str] = []

    def hook(self, info: Any) -> None:
        code = info.greenkey[0] if info.jitdriver_name == "pypyjit" and info.greenkey else None
        if info.type == "loop" and code is not None:
            self.loops.append(code.co_name)


@pytest.fixture
def compiled() -> Iterator[Compiled]:
    made = Compiled()
    pypyjit.set_compile_hook(made.hook)
    yield made
    pypyjit.set_compile_hook(None)


@pytest.fixture
def debugger() -> Iterator[nonstop.Debugger]:
    with nonstop.Debugger() as made:
        yield made


def nanoseconds(function: Any) -> float:
    """A pass of a loop that is warm; the median, since this machine may have other things to do."""
    for _ in range(3):
        function(PASSES)
    times = []
    for _ in range(7):
        started = time.perf_counter_ns()
        function(PASSES)
        times.append((time.perf_counter_ns() - started) / PASSES)
    return statistics.median(times)


def test_loop_without_a_breakpoint_is_compiled_while_another_function_has_one(
    compiled: Compiled, debugger: nonstop.Debugger
) -> None:
    watched = debugger.counter(price)
    loop = copy_of(count)
    assert loop(PASSES) == count(PASSES)
    assert "count" in compiled.loops
    assert watched.hits == 0


def test_loop_with_a_breakpoint_is_compiled_too(compiled: Compiled, debugger: nonstop.Debugger) -> None:
    watched = debugger.counter(line_of(count, 3))
    assert copy_of(count)(PASSES) == PASSES * 3 // 2
    assert "count" in compiled.loops
    assert watched.hits == PASSES


def test_loop_without_a_breakpoint_keeps_its_speed() -> None:
    """Interpreted it takes twenty times as long or more."""
    before = nanoseconds(copy_of(count))
    with nonstop.Debugger() as debugger:
        watched = debugger.counter(price)
        settle(debugger)
        price(1)
        beside = nanoseconds(copy_of(count))
        assert watched.hits == 1
    assert beside < 8 * before


def test_compiled_loop_keeps_its_speed_when_a_breakpoint_is_set_elsewhere() -> None:
    loop = copy_of(count)
    before = nanoseconds(loop)
    with nonstop.Debugger() as debugger:
        debugger.counter(price)
        settle(debugger)
        beside = nanoseconds(loop)
    assert beside < 8 * before


def test_compiled_loop_has_its_speed_back_when_its_breakpoint_is_gone() -> None:
    loop = copy_of(count)
    before = nanoseconds(loop)
    with nonstop.Debugger() as debugger:
        watched = debugger.counter(line_of(count, 3))
        loop(PASSES)
        assert watched.hits == PASSES
    assert nanoseconds(loop) < 8 * before


def test_compiled_calls_have_their_speed_back_when_the_breakpoint_is_gone() -> None:
    before = nanoseconds(calls)
    with nonstop.Debugger() as debugger:
        watched = debugger.counter(price)
        calls(PASSES)
        assert watched.hits == PASSES
    assert nanoseconds(calls) < 8 * before


def test_disabled_breakpoint_leaves_its_loop_compiled(compiled: Compiled, debugger: nonstop.Debugger) -> None:
    debugger.counter(line_of(count, 3)).disable()
    copy_of(count)(PASSES)
    assert "count" in compiled.loops


def test_compiled_function_is_hit_from_its_next_call_on(debugger: nonstop.Debugger) -> None:
    expected = calls(PASSES)
    watched = debugger.breakpoint(price, capture="amount", max_hits=2)
    counted = debugger.counter(price)
    assert calls(PASSES) == expected
    assert counted.hits == PASSES
    assert [one.captures["amount"].value for one in watched.snapshots(timeout=5)] == [0, 1]


def test_compiled_loop_that_is_running_is_hit_from_its_next_pass_on(debugger: nonstop.Debugger) -> None:
    made: list[Any] = []

    def loop(passes: int) -> int:
        total = 0
        for number in range(passes):
            if number == PASSES:
                made.append(debugger.counter(line_of(loop, 5)))
            total += number & 3
        return total

    assert loop(PASSES + 100) == count(PASSES + 100)
    assert made[0].hits == 100


def test_breakpoint_taken_away_in_a_compiled_loop_is_never_hit_again(debugger: nonstop.Debugger) -> None:
    def loop(passes: int) -> int:
        total = 0
        for number in range(passes):
            total += number & 3
            if number == PASSES:
                hits.append(watched.hits)
                watched.disable()
        return total

    hits: list[int] = []
    watched = debugger.counter(line_of(loop, 3))
    assert loop(2 * PASSES) == count(2 * PASSES)
    assert hits == [PASSES + 1]
    assert watched.hits == PASSES + 1


def test_generator_in_a_compiled_loop_is_hit_at_each_pass(debugger: nonstop.Debugger) -> None:
    def numbers(passes: int) -> Iterator[int]:
        for number in range(passes):
            yield number & 3

    assert sum(numbers(PASSES)) == count(PASSES)
    watched = debugger.counter(line_of(numbers, 2))
    assert sum(numbers(PASSES)) == count(PASSES)
    assert watched.hits == PASSES


def test_loop_header_is_hit_once_a_pass_when_it_is_compiled(debugger: nonstop.Debugger) -> None:
    """A jump in compiled code gives two line events where it arrives."""
    watched = debugger.counter(line_of(count, 2))
    for _ in range(5):
        before = watched.report().hits
        count(PASSES)
        assert watched.hits - before == PASSES + 1


def test_target_of_a_continue_is_hit_once_when_it_is_compiled(debugger: nonstop.Debugger) -> None:
    def loop(passes: int) -> int:
        total = number = 0
        while number < passes:
            number += 1
            if number & 1:
                continue
            total += 1
        return total

    header = debugger.counter(line_of(loop, 2))
    body = debugger.counter(line_of(loop, 3))
    for _ in range(5):
        before = header.report().hits, body.report().hits
        assert loop(PASSES) == PASSES // 2
        assert (header.hits - before[0], body.hits - before[1]) == (PASSES + 1, PASSES)


def test_endless_loop_around_one_statement_is_hit_once_a_pass_when_it_is_compiled(
    debugger: nonstop.Debugger,
) -> None:
    def loop(passes: int) -> None:
        numbers = iter(range(passes))
        try:
            while True:
                next(numbers)
        except StopIteration:
            pass

    watched = debugger.counter(line_of(loop, 4))
    for _ in range(5):
        before = watched.report().hits
        loop(PASSES)
        assert watched.hits - before == PASSES + 1


def test_hits_are_the_same_with_the_jit_off(debugger: nonstop.Debugger) -> None:
    watched = [debugger.counter(line_of(calls, offset)) for offset in (1, 2, 3, 4)]
    picked = debugger.counter(price, condition="amount % 7 == 0")

    def hits() -> list[int]:
        before = [one.report().hits for one in (*watched, picked)]
        calls(3000)
        return [one.hits - old for one, old in zip((*watched, picked), before)]

    compiled = hits()
    pypyjit.set_param("off")
    try:
        interpreted = hits()
    finally:
        pypyjit.set_param("default")
    assert compiled == interpreted == [1, 3001, 3000, 1, 429]


def test_exception_in_a_compiled_loop_passes_the_breakpoint(debugger: nonstop.Debugger) -> None:
    def loop(passes: int) -> str:
        total = 0
        try:
            for number in range(passes):
                total += 1 // (passes - 1 - number)
        except ZeroDivisionError:
            return "caught"
        return "not reached"

    loop(PASSES)
    watched = debugger.counter(line_of(loop, 6))
    missed = debugger.counter(line_of(loop, 7))
    assert loop(PASSES) == "caught"
    assert (watched.hits, missed.hits) == (1, 0)
