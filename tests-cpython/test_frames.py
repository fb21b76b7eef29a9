"""What a program does with its own frames while they are observed: that is its right, and its own frames only lose
their hits where it takes the tracing away from them.
"""

from __future__ import annotations

import gc
import inspect
import sys
import weakref
from collections.abc import Iterator
from types import FrameType
from typing import Any

import nonstop
import pytest


@pytest.fixture
def debugger() -> Iterator[nonstop.Debugger]:
    with nonstop.Debugger() as made:
        yield made


@pytest.fixture
def tracing() -> Iterator[nonstop.Debugger]:
    with nonstop.Debugger(backend="settrace") as made:
        yield made


def line_of(function: Any, offset: int) -> str:
    return f"{__file__}:{function.__code__.co_firstlineno + offset}"


# Tracing of single frames


def set_trace(seen: list[int]) -> None:
    frame = sys._getframe(1)
    first = frame.f_code.co_firstlineno

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        if event == "line":
            seen.append(frame.f_lineno - first)
        return trace

    frame.f_trace = trace


def test_frame_that_the_program_traces_itself_is_the_programs(tracing: nonstop.Debugger) -> None:
    def work(traces: bool) -> int:
        seen: list[int] = []
        if traces:
            set_trace(seen)
        first = 1
        second = first + 1
        return second if not seen else seen[-1]

    watched = tracing.counter(line_of(work, 5))
    assert work(False) == 2
    assert work(True) == 6
    assert work(False) == 2
    assert watched.hits == 2


def test_frame_asked_for_every_instruction_is_hit_once_a_line(tracing: nonstop.Debugger) -> None:
    def work() -> int:
        sys._getframe().f_trace_opcodes = True
        first = sum(number for number in range(3))
        return first

    watched = tracing.counter(line_of(work, 2))
    last = tracing.counter(line_of(work, 3))
    assert work() == work() == 3
    assert (watched.hits, last.hits) == (2, 2)


def test_frame_of_an_exception_can_be_cleared(debugger: nonstop.Debugger) -> None:
    def work(amount: int) -> None:
        less = amount - 1
        raise ValueError(less)

    watched = debugger.breakpoint(line_of(work, 2), capture="amount")
    with pytest.raises(ValueError, match="4") as caught:
        work(5)
    frame = caught.tb.tb_next.tb_frame  # type: ignore[union-attr]
    assert frame.f_code is work.__code__
    frame.clear()
    assert frame.f_locals == {}
    assert next(watched.snapshots(timeout=5)).captures["amount"].value == 5


def test_jump_of_another_tracer_is_followed(tracing: nonstop.Debugger) -> None:
    """A tracer around ours may set `f_lineno`, as the `jump` of pdb does."""

    def work() -> list[int]:
        done = []
        done.append(1)
        done.append(2)
        done.append(3)
        return done

    first = work.__code__.co_firstlineno
    watched = [tracing.counter(line_of(work, offset)) for offset in (2, 3, 4, 5)]
    inner: Any = sys.gettrace()
    locals_of_inner: dict[FrameType, Any] = {}

    def around(frame: FrameType, event: str, arg: Any) -> Any:
        if frame.f_code is not work.__code__:
            return None
        if event == "call":
            locals_of_inner[frame] = inner(frame, event, arg)
            return around
        if event == "line" and frame.f_lineno == first + 3:
            frame.f_lineno = first + 4
        locals_of_inner[frame](frame, event, arg)
        return around

    sys.settrace(around)
    try:
        assert work() == [1, 3]
    finally:
        sys.settrace(inner)
        locals_of_inner.clear()
    assert [one.hits for one in watched] == [1, 0, 1, 1]


# Recursion


def depth(level: int) -> int:
    return 0 if level == 0 else 1 + depth(level - 1)


def test_recursion_that_the_program_allows_is_possible_with_breakpoints(debugger: nonstop.Debugger) -> None:
    before = sys.getrecursionlimit()
    watched = debugger.counter(line_of(depth, 1))
    sys.setrecursionlimit(5000)
    try:
        assert depth(3000) == 3000
    finally:
        sys.setrecursionlimit(before)
    assert watched.hits == 3001


def test_low_limit_of_recursion_ends_no_hits_for_good(debugger: nonstop.Debugger) -> None:
    before = sys.getrecursionlimit()
    watched = debugger.counter(line_of(depth, 1), condition="level >= 0")
    here = len(inspect.stack(0))
    sys.setrecursionlimit(here + 60)
    try:
        with pytest.raises(RecursionError):
            depth(500)
    finally:
        sys.setrecursionlimit(before)
    gc.collect()
    reached = watched.report().arrivals
    assert reached > 0
    depth(10)
    assert watched.arrivals == reached + 11


# Finalisers and the collector


class Order:
    def __init__(self, done: list[str]) -> None:
        self.done = done

    def __del__(self) -> None:
        self.done.append("finalised")


def test_finaliser_is_hit_when_the_last_reference_goes(debugger: nonstop.Debugger) -> None:
    watched = debugger.breakpoint(line_of(Order.__del__, 1), capture="self.done")
    done: list[str] = []
    order = Order(done)
    assert watched.hits == 0
    del order
    assert done == ["finalised"]
    assert watched.hits == 1
    assert next(watched.snapshots(timeout=5)).location.function == "__del__"


def test_finaliser_in_a_collection_is_hit(debugger: nonstop.Debugger) -> None:
    watched = debugger.counter(line_of(Order.__del__, 1))
    done: list[str] = []
    order: Any = Order(done)
    order.itself = order
    del order
    gc.collect()
    assert done == ["finalised"]
    assert watched.hits == 1


def test_finaliser_that_runs_inside_a_hit_is_not_hit_and_does_its_work(tracing: nonstop.Debugger) -> None:
    """The interpreter traces nothing inside a tracer."""
    done: list[str] = []

    def work() -> int:
        return len(done)

    watched = tracing.counter(line_of(Order.__del__, 1))
    condition = tracing.counter(work, condition="ORDERS.pop() is not None")
    globals()["ORDERS"] = [Order(done)]
    try:
        assert work() == 1
    finally:
        del globals()["ORDERS"]
    assert (condition.hits, watched.hits) == (1, 0)


def test_callback_of_a_weak_reference_is_hit(debugger: nonstop.Debugger) -> None:
    done: list[str] = []

    def gone(reference: Any) -> None:
        done.append("gone")

    watched = debugger.counter(gone)
    order = Order([])
    kept = weakref.ref(order, gone)
    del order
    assert (done, watched.hits, kept()) == (["gone"], 1, None)


def test_callback_of_the_collector_is_hit_and_the_programs_list_stays(debugger: nonstop.Debugger) -> None:
    phases: list[str] = []

    def collected(phase: str, info: Any) -> None:
        phases.append(phase)

    gc.callbacks.append(collected)
    gc.disable()
    try:
        watched = debugger.counter(collected)
        gc.collect()
        debugger.close()
        assert watched.hits == len(phases) > 0
        assert collected in gc.callbacks
    finally:
        gc.enable()
        gc.callbacks.remove(collected)


def test_callbacks_of_the_collector_are_the_programs_own_afterwards() -> None:
    before = list(gc.callbacks)
    with nonstop.Debugger() as debugger:
        debugger.counter(depth)
        depth(1)
    assert gc.callbacks == before


def test_callbacks_that_the_program_clears_end_no_hits(debugger: nonstop.Debugger) -> None:
    watched = debugger.counter(depth)
    before = list(gc.callbacks)
    gc.callbacks.clear()
    try:
        depth(0)
        gc.collect()
        depth(0)
    finally:
        gc.callbacks[:] = before
    assert watched.hits == 2
