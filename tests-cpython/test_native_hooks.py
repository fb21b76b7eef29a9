"""Native hooks: what the interpreter calls directly. They do what the callbacks in Python do, and stand in the way of
nothing.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import nonstop
import pytest
from nonstop import core
from nonstop.cli import doctor
from nonstop.errors import StateError
from nonstop.sinks.style import Style

if sys.version_info < (3, 12):
    pytest.skip("sys.monitoring came with Python 3.12", allow_module_level=True)

from nonstop.backends import monitoring


def price(amount: int) -> int:
    less = amount // 10
    return amount - less


@pytest.fixture
def debugger() -> Iterator[nonstop.Debugger]:
    with nonstop.Debugger(backend="monitoring") as made:
        yield made


@pytest.fixture
def in_python(debugger: nonstop.Debugger, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the callbacks in Python that were called."""
    called: list[str] = []
    backend: Any = debugger._backend
    for name in ("_answer", "_outdated", "arrive"):
        before = getattr(backend, name)

        def noted(*arguments: Any, name: str = name, before: Any = before) -> Any:
            called.append(name)
            return before(*arguments)

        monkeypatch.setattr(backend, name, noted)
    return called


def hide_symbols(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> Any:
        raise StateError("the symbol PyLong_AsLong is not found in this process", code="not_supported")

    monkeypatch.setattr(core.NativeHooks, "start", refuse)


def test_hooks_work_here() -> None:
    assert core.why_no_native_hooks() is None
    assert monitoring.MonitoringBackend.remarks() == []


def test_hit_that_only_counts_calls_no_python(debugger: nonstop.Debugger, in_python: list[str]) -> None:
    watched = debugger.counter(price)
    for _ in range(10):
        price(1)
    assert (watched.hits, in_python) == (10, [])


def test_hit_condition_and_rate_are_decided_without_python(debugger: nonstop.Debugger, in_python: list[str]) -> None:
    every = debugger.counter(price, hit_condition="% 5")
    seldom = debugger.counter(price, rate=(0.001, 1))
    for _ in range(10):
        price(1)
    assert (every.passed, every.captured) == (8, 2)
    assert (seldom.limited, seldom.captured) == (9, 1)
    assert in_python == []


def test_condition_and_capture_see_the_frame_that_arrived(debugger: nonstop.Debugger) -> None:
    watched = debugger.breakpoint(price, condition="amount > 5", capture="amount * 2")
    price(1)
    price(10)
    (snapshot,) = watched.snapshots(timeout=0.2)
    assert snapshot.captures["amount * 2"].value == 20
    assert snapshot.frames[0].function == "price"
    assert (watched.false, watched.captured) == (1, 1)


def test_arrival_that_ends_a_breakpoint_is_told(debugger: nonstop.Debugger, in_python: list[str]) -> None:
    debugger.counter(price, max_hits=1)
    price(1)
    assert in_python == ["_outdated"]


def test_name_of_the_thread_is_asked_of_python(debugger: nonstop.Debugger, in_python: list[str]) -> None:
    watched = debugger.counter(price, thread="worker")
    thread = threading.Thread(target=price, args=(1,), name="worker")
    thread.start()
    thread.join()
    price(1)
    assert (watched.hits, watched.skipped) == (1, 1)
    assert in_python == ["arrive", "arrive"]


def test_more_breakpoints_than_there_is_room_for_are_all_answered(debugger: nonstop.Debugger) -> None:
    watched = [debugger.counter(price, condition="amount > 0") for _ in range(40)]
    price(1)
    assert [one.hits for one in watched] == [1] * 40


def test_exception_of_a_signal_handler_goes_on(debugger: nonstop.Debugger) -> None:
    class Alarm(Exception):
        pass

    def handler(number: int, frame: Any) -> None:
        raise Alarm

    before = signal.signal(signal.SIGUSR1, handler)
    space = {"os": os, "signal": signal, "time": time}
    globals().update(space)
    try:
        watched = debugger.counter(price, condition="os.kill(os.getpid(), signal.SIGUSR1) or time.sleep(1)")
        second = debugger.counter(price, condition="True")
        with pytest.raises(Alarm):
            price(1)
        assert (watched.errors, second.arrivals) == (1, 1)
        assert watched.arrivals == 1
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_condition_that_ends_the_session_harms_nothing(debugger: nonstop.Debugger) -> None:
    globals()["END"] = debugger.stop
    try:
        first = debugger.counter(price, condition="END() or True")
        second = debugger.counter(price, condition="True")
        assert price(10) == price(10) == 9
        assert (first.hits, second.arrivals) == (1, 1)
        debugger.start()
        price(10)
        assert first.hits == 2
    finally:
        del globals()["END"]


def test_counters_are_exact_in_threads(debugger: nonstop.Debugger) -> None:
    watched = debugger.counter(price)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=lambda: [price(1) for _ in range(2000)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            debugger.counter(price).remove()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert watched.hits == 16_000


def test_time_spent_without_python_is_told(debugger: nonstop.Debugger) -> None:
    debugger.counter(price)
    for _ in range(1000):
        price(1)
    assert 0 < debugger.spent_ns < 1_000_000_000


def test_sessions_one_after_the_other_share_nothing() -> None:
    for turn in range(50):
        with nonstop.Debugger(backend="monitoring") as made:
            watched = made.counter(price)
            price(turn)
            assert watched.hits == 1
        price(turn)
        assert watched.hits == 1


def test_python_answers_where_the_symbols_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    hide_symbols(monkeypatch)
    with nonstop.Debugger(backend="monitoring") as made:
        watched = made.breakpoint(price, condition="amount > 5", max_hits=2)
        counted = made.counter(price)
        for amount in (1, 10, 20, 30):
            price(amount)
        assert (watched.false, watched.captured, watched.state) == (1, 2, "exhausted")
        assert counted.hits == 4


def test_doctor_says_why_hits_are_answered_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = dict(doctor.backends(Style(sys.stdout)))
    assert "" not in shown or "in Python" not in shown[""]
    monkeypatch.setattr(monitoring, "why_no_native_hooks", lambda: "the symbol PyLong_AsLong is not found")
    remarks = [text for name, text in doctor.backends(Style(sys.stdout)) if name == ""]
    assert any("in Python, at ten times the cost: the symbol PyLong_AsLong" in text for text in remarks)
