"""The places where a breakpoint must fire, whatever was there when it was set: none is missed on any backend."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nonstop
import pytest
from nonstop.backends.choose import choose_backend

# Each is a module. `prepare` runs before the breakpoint is set, on the line that ends with `# here`; `use` runs after,
# with what `prepare` gave. The number says how often the line is entered meanwhile.
PLACES = {
    "closure made before": (
        2,
        """
        def outer(number):
            def inner():
                return number + 1  # here
            return inner
        def prepare():
            return [outer(1), outer(2)]
        def use(made):
            return [one() for one in made]
        """,
    ),
    "closure made after": (
        2,
        """
        def outer(number):
            def inner():
                return number + 1  # here
            return inner
        def prepare():
            return outer
        def use(outer):
            return [outer(1)(), outer(2)()]
        """,
    ),
    "closure that a running function goes on to make": (
        3,
        """
        def makes():
            for number in range(4):
                def inner():
                    return number + 1  # here
                if number == 0:
                    yield
                yield inner()
        def prepare():
            running = makes()
            next(running)
            return running
        def use(running):
            next(running)
            return [next(running) for _ in range(2)]
        """,
    ),
    "function that only a deque holds": (
        1,
        """
        import collections
        def outer():
            return lambda: (
                1)  # here
        def prepare():
            return collections.deque([outer()])
        def use(queue):
            return queue.popleft()()
        """,
    ),
    "function that only a slot of an object holds": (
        1,
        """
        class Holder:
            __slots__ = ("call",)
        def outer():
            def call():
                return 1  # here
            return call
        def prepare():
            holder = Holder()
            holder.call = outer()
            return holder
        def use(holder):
            return holder.call()
        """,
    ),
    "function that only a thread waits to run": (
        1,
        """
        import threading
        def outer():
            def call():
                return 1  # here
            return call
        def prepare():
            return threading.Timer(3600, outer())
        def use(timer):
            return timer.function()
        """,
    ),
    "lambda": (
        2,
        """
        add = lambda number: (
            number + 1)  # here
        def prepare():
            return {"add": add}
        def use(made):
            return made["add"](1), add(2)
        """,
    ),
    "default argument that is a lambda": (
        1,
        """
        def call(function=lambda: (
                1)):  # here
            return function()
        def prepare():
            return call
        def use(call):
            return call()
        """,
    ),
    "element of a comprehension": (
        3,
        """
        def squares(numbers):
            return [
                number * number  # here
                for number in numbers
            ]
        def prepare():
            return squares
        def use(squares):
            return squares([1, 2, 3])
        """,
    ),
    "element of a comprehension that runs": (
        2,
        """
        def squares(numbers):
            return [
                number * number  # here
                for number in numbers
            ]
        def prepare():
            steps = iter([1, 2, 3])
            def numbers():
                for number in steps:
                    yield number
            running = numbers()
            next(running)
            return running
        def use(running):
            return squares(running)
        """,
    ),
    "generator that waits": (
        2,
        """
        def count():
            for number in range(3):
                yield number
                number += 1  # here
        def prepare():
            running = count()
            next(running)
            return running
        def use(running):
            return next(running), next(running)
        """,
    ),
    "generator that has not begun": (
        1,
        """
        def count():
            yield 1  # here
        def prepare():
            return count()
        def use(running):
            return next(running)
        """,
    ),
    "coroutine that waits": (
        1,
        """
        import types
        @types.coroutine
        def wait():
            yield
        async def work():
            await wait()
            return 1  # here
        def prepare():
            running = work()
            running.send(None)
            return running
        def use(running):
            try:
                running.send(None)
            except StopIteration as end:
                return end.value
        """,
    ),
    "asynchronous generator that waits": (
        1,
        """
        async def count():
            yield 1
            number = 2  # here
            yield number
        def step(running):
            try:
                running.asend(None).send(None)
            except StopIteration as end:
                return end.value
        def prepare():
            running = count()
            step(running)
            return running
        def use(running):
            return step(running)
        """,
    ),
    "body of a class that is made later": (
        2,
        """
        def make():
            class Made:
                size = 1  # here
            return Made
        def prepare():
            return make
        def use(make):
            return make(), make()
        """,
    ),
    "method of a class that is made later": (
        2,
        """
        def make():
            class Made:
                def size(self):
                    return 1  # here
            return Made
        def prepare():
            return make
        def use(make):
            return make()().size(), make()().size()
        """,
    ),
    "method, through an instance, its class and a bound method": (
        3,
        """
        class Made:
            def size(self):
                return 1  # here
        def prepare():
            return Made().size
        def use(bound):
            return bound(), Made().size(), Made.size(Made())
        """,
    ),
    "method of a metaclass": (
        1,
        """
        class Meta(type):
            def size(cls):
                return 1  # here
        class Made(metaclass=Meta):
            pass
        def prepare():
            return Made
        def use(made):
            return made.size()
        """,
    ),
    "property": (
        1,
        """
        class Made:
            @property
            def size(self):
                return 1  # here
        def prepare():
            return Made()
        def use(made):
            return made.size
        """,
    ),
    "class method and static method": (
        2,
        """
        def shared(*_):
            return 1  # here
        class Made:
            of_class = classmethod(shared)
            of_nobody = staticmethod(shared)
        def prepare():
            return Made()
        def use(made):
            return made.of_class(), made.of_nobody()
        """,
    ),
    "function behind decorators": (
        2,
        """
        import functools
        def twice(function):
            @functools.wraps(function)
            def wrapper(*arguments):
                return function(*arguments) + function(*arguments)
            return wrapper
        @functools.lru_cache(maxsize=None)
        @twice
        def size(number):
            return number  # here
        def prepare():
            return size
        def use(size):
            return size(1), size(1)
        """,
    ),
    "context manager of a generator": (
        1,
        """
        import contextlib
        @contextlib.contextmanager
        def entered():
            yield 1  # here
        def prepare():
            return entered
        def use(entered):
            with entered() as value:
                return value
        """,
    ),
    "single dispatch": (
        1,
        """
        import functools
        @functools.singledispatch
        def show(value):
            return "any"
        @show.register(int)
        def _(value):
            return "int"  # here
        def prepare():
            return show
        def use(show):
            return show(1), show("1")
        """,
    ),
    "partial": (
        1,
        """
        import functools
        def outer():
            def add(one, other):
                return one + other  # here
            return functools.partial(add, 1)
        def prepare():
            return [outer()]
        def use(made):
            return made[0](2)
        """,
    ),
    "function made of a code object": (
        2,
        """
        import types
        def size():
            return 1  # here
        def prepare():
            return types.FunctionType(size.__code__, {"__name__": __name__})
        def use(copy):
            return copy(), size()
        """,
    ),
    "function that was given the code of another": (
        2,
        """
        def size():
            return 1  # here
        def other():
            return 2
        def prepare():
            other.__code__ = size.__code__
            return other
        def use(other):
            return other(), size()
        """,
    ),
}


@pytest.fixture(params=nonstop.available_backends())
def debugger(request: pytest.FixtureRequest) -> Iterator[nonstop.Debugger]:
    with nonstop.Debugger(backend=request.param) as made:
        yield made
    assert made._hits.internal_errors == 0


def load(tmp_path: Path, text: str) -> tuple[dict[str, Any], str]:
    """A module that has run, and the location of the line `# here`."""
    lines = [line[8:] for line in text.splitlines()]
    path = tmp_path / "place.py"
    path.write_text("\n".join(lines))
    space: dict[str, Any] = {"__name__": "place"}
    exec(compile(path.read_text(), str(path), "exec"), space)
    return space, f"{path}:{1 + next(at for at, line in enumerate(lines) if line.endswith('# here'))}"


@pytest.mark.parametrize("place", PLACES)
def test_place_is_hit(debugger: nonstop.Debugger, tmp_path: Path, place: str) -> None:
    expected, text = PLACES[place]
    space, location = load(tmp_path, text)
    prepared = space["prepare"]()
    watched = debugger.counter(location)
    assert watched.armed.missed == []
    space["use"](prepared)
    assert watched.hits == expected
    watched.remove()
    space["use"](space["prepare"]())


LOOP = """
        import time
        running, rounds, made = [True], [0], []
        def work():
            while running[0]:
                rounds[0] += 1  # here
                made[:] = [bytearray(10_000), time.sleep(0.0001)]
"""


def test_loop_of_a_thread_that_runs_already_is_hit_or_reported(debugger: nonstop.Debugger, tmp_path: Path) -> None:
    space, location = load(tmp_path, LOOP)
    thread = threading.Thread(target=space["work"])
    thread.start()
    try:
        while not space["rounds"][0]:
            time.sleep(0.001)
        watched = debugger.counter(location)
        reported, begun = watched.armed.missed, time.monotonic()
        if "earlier_threads" in choose_backend(debugger.backend).capabilities:
            assert reported == []
        # What is reported is reached at a collection in that thread, which need not come.
        while not watched.hits and time.monotonic() < begun + (2 if reported else 30):
            time.sleep(0.001)
            reported = watched.armed.missed
        assert watched.hits or any(f"thread {thread.name}" in one for one in reported)
        watched.remove()
        before = space["rounds"][0]
        while space["rounds"][0] < before + 10:
            time.sleep(0.001)
        assert thread.is_alive()
    finally:
        space["running"][0] = False
        thread.join()


def test_later_lines_of_a_module_that_runs_are_hit(debugger: nonstop.Debugger, tmp_path: Path) -> None:
    path = tmp_path / "place.py"
    path.write_text("arm()\nfor number in range(3):\n    last = number\n")
    found: list[nonstop.Breakpoint] = []
    space: dict[str, Any] = {
        "__name__": "place",
        "arm": lambda: found.append(debugger.counter(f"{path}:3")),
    }
    exec(compile(path.read_text(), str(path), "exec"), space)
    assert found[0].hits == 3
