"""Counts are exact wherever they are kept: in the engine, or in Python until somebody asks."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nonstop
import pytest
from nonstop.backends.tallies import Tallies
from nonstop.errors import StateError
from settling import settle

SITE, OTHER_SITE = 11, 12

needs_tallies = pytest.mark.skipif(
    sys.implementation.name != "pypy", reason="native hooks count in the engine: nothing is kept in Python"
)


class Told(dict[int, int]):
    """The totals by site, as an engine keeps them."""

    def __call__(self, site: int, total: int) -> None:
        self[site] = max(total, self.get(site, 0))


@pytest.fixture
def debugger() -> Iterator[nonstop.Debugger]:
    with nonstop.Debugger() as made:
        yield made
    assert made._hits.internal_errors == 0


def work(times: int) -> int:
    total = 0
    for number in range(times):
        total += number
    return total


LINE = f"{__file__}:{work.__code__.co_firstlineno + 3}"


@needs_tallies
def test_what_was_counted_is_told_when_somebody_asks() -> None:
    told = Told()
    tallies = Tallies(told)
    tallies.count(1, SITE)
    for _ in range(3):
        next(tallies.counting[1])
    assert told == {}
    tallies.gather_all()
    assert told == {SITE: 3}


@needs_tallies
def test_one_who_was_about_to_count_when_that_ended_is_told_of_too() -> None:
    told = Told()
    tallies = Tallies(told)
    tallies.count(1, SITE)
    count = tallies.counting[1]
    tallies.pause(1)
    assert not tallies.counting
    next(count)
    tallies.gather(1)
    assert told == {SITE: 1}
    tallies.count(1, SITE)
    next(tallies.counting[1])
    tallies.gather_all()
    assert told == {SITE: 2}, "the count of a site goes on"


@needs_tallies
def test_another_site_has_a_count_of_its_own() -> None:
    told = Told()
    tallies = Tallies(told)
    tallies.count(1, SITE)
    next(tallies.counting[1])
    tallies.count(1, OTHER_SITE)
    next(tallies.counting[1])
    tallies.gather_all()
    assert told == {SITE: 1, OTHER_SITE: 1}


@needs_tallies
def test_a_site_that_the_engine_forgot_is_let_go() -> None:
    asked = []

    def forgotten(site: int, total: int) -> None:
        asked.append(site)
        raise StateError("no such site")

    tallies = Tallies(forgotten)
    tallies.count(1, SITE)
    next(tallies.counting[1])
    tallies.gather_all()
    tallies.gather_all()
    tallies.forget(1)
    assert asked == [SITE]


def test_counters_are_exact_under_threads_while_others_come_and_go(debugger: nonstop.Debugger) -> None:
    counter = debugger.counter(LINE)
    settle(debugger)
    threads = [threading.Thread(target=work, args=(200_000,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        with debugger.counter(LINE, condition="number % 2"), debugger.counter(LINE):
            assert counter.hits <= 800_000
    for thread in threads:
        thread.join()
    assert (counter.hits, counter.skipped, counter.arrivals) == (800_000, 0, 800_000)


def test_a_counter_that_comes_later_does_not_get_what_was_counted_before(debugger: nonstop.Debugger) -> None:
    first = debugger.counter(LINE)
    settle(debugger)
    work(1000)
    second = debugger.counter(LINE)
    assert (first.hits, second.hits) == (1000, 0)
    settle(debugger)
    work(10)
    assert (first.hits, second.hits) == (1010, 10)


def test_what_was_counted_before_an_edit_stays_counted(debugger: nonstop.Debugger) -> None:
    counter = debugger.counter(LINE)
    settle(debugger)
    work(1000)
    counter.disable()
    work(10)
    assert counter.hits == 1000
    counter.enable()
    settle(debugger)
    work(100)
    with debugger.breakpoint(LINE, max_hits=1):
        work(10)
    counter.remove()
    work(10)
    assert counter.hits == 1110


def test_what_was_counted_before_the_debugger_stopped_stays_counted(debugger: nonstop.Debugger) -> None:
    counter = debugger.counter(LINE)
    settle(debugger)
    work(1000)
    debugger.stop()
    work(10)
    assert counter.hits == 1000
    debugger.start()
    settle(debugger)
    work(100)
    debugger.close()
    assert counter.hits == 1100


def test_a_function_that_dies_takes_no_counts_with_it(debugger: nonstop.Debugger, tmp_path: Path) -> None:
    path = tmp_path / "made.py"
    path.write_text("def made():\n    return 1\n")
    space: dict[str, Any] = {"__name__": "made"}
    exec(compile(path.read_text(), str(path), "exec"), space)
    counter = debugger.counter(f"{path}:2")
    settle(debugger)
    for _ in range(100):
        space["made"]()
    del space["made"]
    assert counter.hits == 100


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_the_child_of_a_fork_has_counted_what_its_parent_has(debugger: nonstop.Debugger) -> None:
    counter = debugger.counter(LINE)
    settle(debugger)
    work(1000)
    child = os.fork()
    if not child:
        try:
            before = counter.hits
            work(10)
            found = before == 1000 and counter.hits == 1010
        finally:
            os._exit(0 if found else 1)
    _, status = os.waitpid(child, 0)
    work(100)
    assert (status, counter.hits) == (0, 1100)
    assert sys.gettrace() is None or debugger.backend == "settrace"
