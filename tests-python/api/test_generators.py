"""Generators, coroutines and async generators: followed over suspensions, also those that had begun before."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import nonstop
import pytest


@pytest.fixture
def debugger() -> Any:
    with nonstop.Debugger() as made:
        yield made


def steps(count: int) -> Iterator[int]:
    for number in range(count):
        doubled = number * 2
        yield doubled
    yield -1


FIRST = steps.__code__.co_firstlineno


def values(watched: Any, name: str) -> list[object]:
    return [snapshot.captures[name].value for snapshot in watched.snapshots(timeout=0.3)]


def test_line_after_a_resumption_is_hit_at_each_pass(debugger: Any) -> None:
    watched = debugger.breakpoint(f"{__file__}:{FIRST + 2}", capture="number")
    assert list(steps(3)) == [0, 2, 4, -1]
    assert values(watched, "number") == [0, 1, 2]


def test_yield_is_hit_once_a_pass(debugger: Any) -> None:
    watched = debugger.breakpoint(f"{__file__}:{FIRST + 3}", capture="doubled")
    list(steps(3))
    assert values(watched, "doubled") == [0, 2, 4]


def test_suspended_generator_is_hit(debugger: Any) -> None:
    suspended = steps(3)
    next(suspended)
    watched = debugger.breakpoint(f"{__file__}:{FIRST + 2}", capture="number")
    assert list(suspended) == [2, 4, -1]
    assert values(watched, "number") == [1, 2]


def test_generator_made_before_and_not_begun_is_hit(debugger: Any) -> None:
    fresh = steps(2)
    watched = debugger.counter(steps)
    assert list(fresh) == [0, 2, -1]
    assert watched.hits == 3


def test_generator_expression_and_lambda_are_hit(debugger: Any) -> None:
    line = sys._getframe().f_lineno + 3
    watched = debugger.counter(f"{__file__}:{line}")
    doubled = map(
        lambda number: number * 2,
        range(3),
    )
    assert list(doubled) == [0, 2, 4]
    assert watched.hits >= 3


def test_tasks_are_hit(debugger: Any) -> None:
    async def work(number: int) -> int:
        await asyncio.sleep(0)
        result = number + 1
        await asyncio.sleep(0)
        return result

    async def main() -> list[int]:
        return await asyncio.gather(*(work(number) for number in range(3)))

    watched = debugger.breakpoint(f"{__file__}:{work.__code__.co_firstlineno + 2}", capture="number")
    assert asyncio.run(main()) == [1, 2, 3]
    assert sorted(values(watched, "number")) == [0, 1, 2]  # type: ignore[type-var]


def test_suspended_task_is_hit(debugger: Any) -> None:
    async def work() -> int:
        await asyncio.sleep(0.01)
        return 5

    watched: list[Any] = []

    async def main() -> int:
        task = asyncio.ensure_future(work())
        await asyncio.sleep(0)
        watched.append(debugger.counter(f"{__file__}:{work.__code__.co_firstlineno + 2}"))
        return await task

    assert asyncio.run(main()) == 5
    assert watched[0].hits == 1


def test_async_generator_is_hit(debugger: Any) -> None:
    async def rows() -> AsyncIterator[int]:
        for number in range(3):
            await asyncio.sleep(0)
            yield number

    async def main() -> list[int]:
        return [number async for number in rows()]

    watched = debugger.counter(f"{__file__}:{rows.__code__.co_firstlineno + 3}")
    assert asyncio.run(main()) == [0, 1, 2]
    assert watched.hits == 3
