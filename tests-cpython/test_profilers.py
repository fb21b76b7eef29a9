"""Profilers beside breakpoints: both see all that they are there for, and the profiler nothing of nonstop."""

from __future__ import annotations

import cProfile
import gc
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from types import FrameType
from typing import Any

import nonstop
import pytest

NONSTOP = nonstop.__path__[0]


def discount(amount: int) -> int:
    return amount // 10


def price(amount: int) -> int:
    less = discount(amount)
    return amount - less


def total(count: int) -> int:
    return sum(price(number) for number in range(count))


@pytest.fixture
def watched() -> Iterator[Any]:
    """A breakpoint with all that a hit may do."""
    with nonstop.Debugger() as debugger:
        line = price.__code__.co_firstlineno + 2
        yield debugger.breakpoint(f"{__file__}:{line}", condition="amount % 2 == 0", capture=["amount + less"])


def shown(profile: cProfile.Profile) -> dict[str, tuple[int, int]]:
    """What a profile says of the functions of this file: name to (calls, primitive calls); and of any of nonstop's.

    It tells code objects apart, also the one that a function has while calls are in it: `pstats` shows one of them.
    """
    calls: dict[str, tuple[int, int]] = {}
    for entry in profile.getstats():  # type: ignore[attr-defined]
        code: Any = entry.code
        if not isinstance(code, str) and code.co_filename.startswith((__file__, NONSTOP)):
            all_calls, primitive = calls.get(code.co_name, (0, 0))
            all_calls += entry.callcount
            calls[code.co_name] = all_calls, primitive + entry.callcount - entry.reccallcount
    return calls


def profiled() -> dict[str, tuple[int, int]]:
    profile = cProfile.Profile()
    profile.enable()
    total(10)
    profile.disable()
    return shown(profile)


def test_profile_counts_the_same_calls_with_breakpoints(request: pytest.FixtureRequest) -> None:
    before = profiled()
    assert before["price"] == before["discount"] == (10, 10)
    watched = request.getfixturevalue("watched")
    assert profiled() == before
    assert (watched.arrivals, watched.hits) == (10, 5)


def test_breakpoint_set_while_a_profile_is_taken_is_hit_and_the_profile_goes_on() -> None:
    profile = cProfile.Profile()
    profile.enable()
    try:
        price(1)
        with nonstop.Debugger() as debugger:
            watched = debugger.counter(price)
            total(10)
        price(1)
    finally:
        profile.disable()
    assert watched.hits == 10
    assert shown(profile)["price"] == (12, 12)


def test_profile_function_sees_the_same_events_with_breakpoints(request: pytest.FixtureRequest) -> None:
    def events() -> list[tuple[str, str]]:
        seen: list[tuple[str, str]] = []

        def profile(frame: FrameType, event: str, arg: Any) -> None:
            if event in ("call", "return"):
                seen.append((event, frame.f_code.co_name))

        sys.setprofile(profile)
        try:
            total(3)
        finally:
            sys.setprofile(None)
        return seen

    before = events()
    assert before.count(("call", "price")) == before.count(("return", "discount")) == 3
    watched = request.getfixturevalue("watched")
    assert events() == before
    assert watched.arrivals == 3


def test_hits_are_the_same_while_a_profile_function_runs(watched: Any) -> None:
    total(10)
    without = watched.report().hits
    sys.setprofile(lambda frame, event, arg: None)
    try:
        total(10)
    finally:
        sys.setprofile(None)
    assert (without, watched.hits) == (5, 10)
    assert watched.armed.missed == []


def test_profile_function_for_threads_to_come_is_called_in_them(watched: Any) -> None:
    calls: list[str] = []

    def profile(frame: FrameType, event: str, arg: Any) -> None:
        if event == "call" and frame.f_code is price.__code__:
            calls.append(threading.current_thread().name)

    threading.setprofile(profile)
    try:
        thread = threading.Thread(target=total, args=(4,), name="worker")
        thread.start()
        thread.join()
    finally:
        threading.setprofile(None)  # type: ignore[arg-type]
    assert calls == ["worker"] * 4
    assert (watched.arrivals, watched.hits) == (4, 2)


def test_profile_function_that_raises_is_taken_away_and_breakpoints_stay(watched: Any) -> None:
    def profile(frame: FrameType, event: str, arg: Any) -> None:
        if frame.f_code is price.__code__:
            raise LookupError("of the profiler")

    sys.setprofile(profile)
    try:
        with pytest.raises(LookupError, match="of the profiler"):
            total(2)
        assert sys.getprofile() is None
    finally:
        sys.setprofile(None)
    before = watched.report().arrivals
    total(2)
    assert watched.arrivals == before + 2


def test_allocations_are_traced_beside_breakpoints(watched: Any) -> None:
    tracemalloc.start()
    try:
        kept = [price(number) for number in range(10**6, 10**6 + 100)]
        snapshot = tracemalloc.take_snapshot()
    finally:
        tracemalloc.stop()
    lines = {trace.traceback[0].lineno for trace in snapshot.traces if trace.traceback[0].filename == __file__}
    assert price.__code__.co_firstlineno + 2 in lines
    assert watched.hits == len(kept) / 2


def test_thousand_hits_keep_no_memory() -> None:
    with nonstop.Debugger() as debugger:
        watched = debugger.counter(price, condition="len([amount]) == 1")
        total(100)
        tracemalloc.start()
        try:
            total(100)
            gc.collect()
            before, _ = tracemalloc.get_traced_memory()
            total(1000)
            gc.collect()
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert watched.hits == 1200
    assert after - before < 10_000
