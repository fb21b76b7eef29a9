"""Hits keep nothing of the program alive: counted by references, which only CPython has."""

from __future__ import annotations

import sys
import weakref
from typing import Any

import nonstop
import pytest


class Order:
    def __init__(self) -> None:
        self.items = [1, 2, 3]


def total(order: Any, copies: int = 1) -> int:
    amount = sum(order.items) * copies
    return amount


BODY = total.__code__.co_firstlineno + 1


@pytest.fixture
def debugger() -> Any:
    with nonstop.Debugger() as made:
        yield made


def test_captured_objects_die_with_the_programs_last_reference(debugger: Any) -> None:
    # Up to 3.12 a frame that goes on keeps what was read of its variables: here that is this very function.
    limits = {"frames_with_locals": 1}
    debugger.breakpoint(
        f"{__file__}:{BODY + 1}", capture=["order", "order.items"], condition="order.items", limits=limits
    )
    debugger.logpoint(f"{__file__}:{BODY + 1}", "{order} {copies}")
    order = Order()
    gone = weakref.ref(order)
    assert total(order) == 6
    del order
    assert gone() is None


def test_reference_counts_are_the_same_after_a_thousand_hits(debugger: Any) -> None:
    limits = {"frames_with_locals": 1}  # pytest's own would take their time
    watched = debugger.breakpoint(
        f"{__file__}:{BODY + 1}", capture="order", condition="order is not None", limits=limits
    )
    order = Order()
    total(order)
    before = sys.getrefcount(order), sys.getrefcount(total.__code__), sys.getrefcount(None)
    for _ in range(1000):
        total(order)
    after = sys.getrefcount(order), sys.getrefcount(total.__code__), sys.getrefcount(None)
    assert watched.hits == 1001
    assert after[:2] == before[:2]
    # Immortal from 3.12 on; before, others come and go, but not a thousand.
    assert abs(after[2] - before[2]) < 500


def test_condition_that_raises_keeps_no_frame(debugger: Any) -> None:
    watched = debugger.counter(total, condition="order.missing")
    order = Order()
    gone = weakref.ref(order)
    total(order)
    del order
    assert watched.errors == 1
    assert gone() is None
