"""The handle of a breakpoint: state, counters, proof of arming, enabling and removing."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import nonstop
import pytest


def price(amount: int) -> int:
    total = amount * 2
    return total


BODY = price.__code__.co_firstlineno + 1


@pytest.fixture
def debugger() -> Any:
    with nonstop.Debugger() as made:
        yield made


def test_new_breakpoint_is_pending_with_its_line() -> None:
    with nonstop.Debugger(backend="settrace") as debugger:  # others look for the function at once
        watched = debugger.counter(f"{__file__}:{BODY}")
        assert (watched.state, watched.requested_line, watched.resolved_line) == ("pending", BODY, BODY)
        assert watched.location == f"{__file__}:{BODY}"
        assert watched.reason != ""
        assert watched.enabled


def test_ids_are_different(debugger: Any) -> None:
    assert debugger.counter(price).id != debugger.counter(price).id
    assert len(debugger.breakpoints) == 2


def test_bound_breakpoint_proves_its_arming(debugger: Any) -> None:
    watched = debugger.counter(price)
    price(1)
    armed = watched.armed
    assert (watched.state, armed.code_objects, armed.frames, armed.missed) == ("bound", 1, 0, [])


def test_running_frames_are_counted(debugger: Any) -> None:
    watched = debugger.counter(f"{__file__}:{sys._getframe().f_lineno + 2}")
    assert watched.armed.frames == 1
    assert watched.hits == 1


def test_disabled_breakpoint_lets_arrivals_pass_until_it_is_enabled(debugger: Any) -> None:
    watched = debugger.counter(price)
    price(1)
    watched.disable()
    assert not watched.enabled
    price(1)
    price(1)
    watched.enable()
    price(1)
    assert watched.hits == 2


def test_disabled_breakpoint_of_a_running_loop_is_hit_again_when_enabled(debugger: Any) -> None:
    watched = debugger.counter(f"{__file__}:{sys._getframe().f_lineno + 3}")
    for number in range(6):
        watched.disable() if number == 2 else watched.enable() if number == 4 else None
        number += 1
    assert watched.hits == 4


def test_removed_breakpoint_is_not_hit_and_keeps_its_counters(debugger: Any) -> None:
    watched = debugger.counter(price)
    price(1)
    watched.remove()
    price(1)
    assert (watched.hits, watched.state, watched.removed) == (1, "bound", True)
    assert debugger.breakpoints == []
    watched.remove()
    with pytest.raises(nonstop.StateError, match="was removed") as caught:
        watched.enable()
    assert caught.value.code == "removed"


def test_breakpoints_on_the_same_line_count_each_for_itself(debugger: Any) -> None:
    first = debugger.counter(price)
    second = debugger.counter(price, condition="amount > 1")
    third = debugger.counter(price, max_hits=1)
    for amount in (1, 2, 3):
        price(amount)
    assert (first.hits, second.hits, third.hits) == (3, 2, 1)


def test_breakpoint_removes_itself_as_a_context_manager(debugger: Any) -> None:
    with debugger.counter(price) as watched:
        price(1)
    price(1)
    assert watched.hits == 1


def test_report_has_all_of_it(debugger: Any) -> None:
    watched = debugger.counter(price)
    price(1)
    report = watched.report()
    assert (report.id, report.state, report.hits, report.captured) == (watched.id, "bound", 1, 1)
    assert report.armed == watched.armed
    assert repr(watched) == f"<nonstop.Breakpoint {watched.id} at {watched.location}: bound, 1 hits>"


def test_breakpoint_can_be_removed_inside_its_own_hit(debugger: Any) -> None:
    handles: list[Any] = []

    class Remover:
        def __bool__(self) -> bool:
            handles[0].remove()
            return True

    def look(value: Any) -> Any:
        return value

    handles.append(debugger.counter(look, condition="value"))
    look(Remover())
    look(Remover())
    assert handles[0].removed
    assert debugger._hits.internal_errors == 0


def test_hundreds_of_breakpoints_on_one_line_are_all_evaluated(debugger: Any) -> None:
    watched = [debugger.counter(price, condition=f"amount == {number}") for number in range(300)]
    price(7)
    assert [one.hits for one in watched] == [int(number == 7) for number in range(300)]


def test_counts_are_exact_under_threads(debugger: Any) -> None:
    watched = debugger.counter(price, condition="amount % 2")

    def work() -> None:
        for number in range(500):
            price(number)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (watched.arrivals, watched.hits, watched.false) == (2000, 1000, 1000)


def test_edits_while_threads_hit_harm_nobody(debugger: Any) -> None:
    halt = threading.Event()
    wrong: list[int] = []

    def work() -> None:
        while not halt.is_set():
            if price(3) != 6:
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        with debugger.breakpoint(price, condition="amount", capture="amount") as one:
            debugger.counter(f"{__file__}:{BODY + 1}").remove()
            one.disable()
            one.enable()
    halt.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert debugger._hits.internal_errors == 0
