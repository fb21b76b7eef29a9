"""Threads that were running before: CPython up to 3.11 reaches them at a garbage collection, which is hastened."""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import nonstop
import pytest

pytestmark = pytest.mark.skipif(sys.version_info >= (3, 12), reason="reached at once from 3.12 on")


def price(amount: int) -> int:
    return amount * 2


class Item:
    """Lists and tuples come from free lists, which the collector does not count; objects of classes are counted."""


@pytest.fixture
def steady() -> Iterator[threading.Thread]:
    """A thread that makes as much as it lets go, so that by itself it would never be collected in."""
    halt = threading.Event()

    def work() -> None:
        while not halt.is_set():
            items = [Item() for _ in range(5)]
            price(len(items))
            del items

    thread = threading.Thread(target=work, name="steady")
    thread.start()
    yield thread
    halt.set()
    thread.join()


def wait_for(reached: Any) -> bool:
    deadline = time.monotonic() + 5
    while not reached() and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(reached())


def test_thread_in_its_steady_state_is_followed_soon(steady: threading.Thread) -> None:
    before = gc.get_threshold()
    with nonstop.Debugger(backend="settrace") as debugger:
        watched = debugger.counter(price)
        assert wait_for(lambda: watched.hits > 0)
        assert watched.armed.missed == []
        assert wait_for(lambda: gc.get_threshold() == before)


def test_idle_thread_does_not_hasten_collections_for_long() -> None:
    before = gc.get_threshold()
    halt = threading.Event()
    thread = threading.Thread(target=halt.wait, name="idle")
    thread.start()
    with nonstop.Debugger(backend="settrace") as debugger:
        watched = debugger.counter(price)
        assert any("idle" in sentence for sentence in watched.armed.missed)
        time.sleep(0.6)
        kept = [[] for _ in range(10)]
        assert gc.get_threshold() == before
        del kept
    halt.set()
    thread.join()


def test_stop_gives_the_thresholds_back(steady: threading.Thread) -> None:
    before = gc.get_threshold()
    debugger = nonstop.Debugger(backend="settrace")
    debugger.start()
    debugger.close()
    assert gc.get_threshold() == before


def test_program_without_collections_is_left_so(steady: threading.Thread) -> None:
    gc.disable()
    try:
        before = gc.get_threshold()
        with nonstop.Debugger(backend="settrace") as debugger:
            watched = debugger.counter(price)
            assert gc.get_threshold() == before
            assert any("steady" in sentence for sentence in watched.armed.missed)
    finally:
        gc.enable()


def test_thresholds_that_the_program_sets_meanwhile_stay() -> None:
    before = gc.get_threshold()
    halt = threading.Event()
    thread = threading.Thread(target=halt.wait)
    thread.start()
    try:
        with nonstop.Debugger(backend="settrace") as debugger:
            debugger.start()
            gc.set_threshold(1234, 5, 6)
        assert gc.get_threshold() == (1234, 5, 6)
    finally:
        gc.set_threshold(*before)
        halt.set()
        thread.join()
