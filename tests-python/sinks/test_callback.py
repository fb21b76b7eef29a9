"""Snapshots to a function."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from nonstop.errors import ArgumentError
from nonstop.sinks import CallbackSink


async def later(snapshot: object) -> None: ...


class Later:
    async def __call__(self, snapshot: object) -> None: ...


def test_function_gets_each_snapshot(snapshot_of: Any) -> None:
    got: list[Any] = []
    sink = CallbackSink(got.append)
    first, second = snapshot_of(), snapshot_of(hit=3)
    sink.emit(first)
    sink.emit(second)
    assert got == [first, second]
    assert (sink.taken, sink.lost) == (2, 0)


def test_what_the_function_raises_goes_on(snapshot_of: Any) -> None:
    sink = CallbackSink(lambda snapshot: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        sink.emit(snapshot_of())
    assert sink.taken == 0


@pytest.mark.parametrize("function", [later, Later(), functools.partial(later)])
def test_async_function_is_refused(function: Any) -> None:
    with pytest.raises(ArgumentError, match=r"is async.*call_soon_threadsafe"):
        CallbackSink(function)


def test_what_cannot_be_called_is_refused() -> None:
    with pytest.raises(ArgumentError, match="3 cannot be called"):
        CallbackSink(3)  # type: ignore[arg-type]


def test_closing_twice_is_fine() -> None:
    sink = CallbackSink(print)
    sink.close()
    sink.close()
