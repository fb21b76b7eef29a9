"""The backend that puts calls into code: what it reaches, what it leaves behind, and what stays as it was."""

from __future__ import annotations

import functools
import gc
import importlib
import inspect
import os
import signal
import sys
import threading
import time
import traceback
import types
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nonstop
import pytest
from nonstop import BackendError
from nonstop.backends import bytecode, choose, rewriting
from nonstop.rewritten import origin_of, original_of
from settling import settle

if choose.why_unavailable("bytecode"):
    pytest.skip("calls are not put into code here", allow_module_level=True)

PYPY = sys.implementation.name == "pypy"


def price(amount: int) -> int:
    less = amount // 10
    return amount - less


def plain(amount: int) -> int:
    return amount + 1


def line_of(function: Any, offset: int = 1) -> str:
    code = original_of(function.__code__)
    return f"{code.co_filename}:{code.co_firstlineno + offset}"


@pytest.fixture
def debugger() -> Iterator[nonstop.Debugger]:
    with nonstop.Debugger(backend="bytecode") as made:
        yield made
    assert made._hits.internal_errors == 0
    assert sys.gettrace() is None


def made(tmp_path: Path, text: str, name: str = "made") -> tuple[Path, dict[str, Any]]:
    """A file, and the namespace that it has run in."""
    path = tmp_path / f"{name}.py"
    path.write_text(text)
    space: dict[str, Any] = {"__name__": name}
    exec(compile(text, str(path), "exec"), space)
    return path, space


# Choice


def test_it_is_the_default_where_it_can_be_used() -> None:
    assert nonstop.available_backends()[0] == "bytecode"


# What is hit


def test_function_is_hit_at_native_speed_of_all_others(debugger: nonstop.Debugger) -> None:
    before, other = price.__code__, plain.__code__
    watched = debugger.counter(price)
    settle(debugger)
    assert (watched.state, price(10), watched.hits) == ("bound", 9, 1)
    assert price.__code__ is not before
    assert plain.__code__ is other
    assert sys.gettrace() is None
    assert threading._trace_hook is None if not hasattr(threading, "gettrace") else threading.gettrace() is None
    assert watched.armed.missed == []


def test_code_comes_back_as_the_same_object(debugger: nonstop.Debugger) -> None:
    before = price.__code__
    first = debugger.counter(price)
    settle(debugger)
    armed = price.__code__
    second = debugger.counter(line_of(price, 2))
    third = debugger.counter(line_of(price, 2))
    settle(debugger)
    assert len({id(before), id(armed), id(price.__code__)}) == 3
    price(1)
    assert [one.hits for one in (first, second, third)] == [1, 1, 1]
    third.remove()
    second.disable()
    price(1)
    assert origin_of(price.__code__).lines == {before.co_firstlineno + 1}  # type: ignore[union-attr]
    first.remove()
    assert price.__code__ is before
    second.enable()
    settle(debugger)
    price(1)
    assert (first.hits, second.hits) == (2, 2)
    debugger.stop()
    assert price.__code__ is before
    debugger.start()
    price(1)
    assert second.hits == 3
    debugger.close()
    assert price.__code__ is before


def test_spent_breakpoint_lets_the_code_go_back(debugger: nonstop.Debugger) -> None:
    before = price.__code__
    watched = debugger.counter(price, max_hits=2)
    settle(debugger)
    for _ in range(5):
        price(1)
    assert (watched.hits, watched.state) == (2, "exhausted")
    assert price.__code__ is before


def test_what_a_program_sees_of_its_code_stays(debugger: nonstop.Debugger) -> None:
    def fails(value: int) -> int:
        here = value
        raise KeyError(here)

    debugger.counter(line_of(fails))
    debugger.counter(line_of(fails, 2))
    settle(debugger)
    original = original_of(fails.__code__)
    assert original is not fails.__code__
    assert inspect.getsource(fails).startswith("    def fails")
    for name in ("co_name", "co_firstlineno", "co_filename", "co_flags", "co_argcount", "co_varnames", "co_names"):
        assert getattr(fails.__code__, name) == getattr(original, name)
    with pytest.raises(KeyError) as caught:
        fails(1)
    *_, last = traceback.extract_tb(caught.value.__traceback__)
    assert (last.lineno, last.line) == (original.co_firstlineno + 2, "raise KeyError(here)")


KINDS = """
import functools

def decorate(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return function(*arguments)
    return wrapper

@decorate
def decorated():
    return 1                 # decorated

class Shop:
    def method(self):
        return 1             # method

    @property
    def value(self):
        return 1             # property

    @staticmethod
    def static():
        return 1             # static

    @classmethod
    def of_class(cls):
        return 1             # of_class

    @functools.lru_cache(maxsize=None)
    def cached(self):
        return 1             # cached

    class Inner:
        def method(self):
            return 1         # inner

def make():
    seen = 0
    def closure():
        nonlocal seen
        seen += 1            # closure
        return seen
    return closure

early = make()
small = (lambda:
    1)                       # lambda

def comprehends(words):
    return [
        word                 # element
        for word in words
    ]

def generates():
    yield 1                  # generator
    yield 2

async def waits():
    return 1                 # coroutine

def nested():
    class Made:
        one = 1              # class body
        def method(self):
            return 1         # made method
    return Made
"""


@pytest.mark.parametrize("waits", [True, False])
def test_every_kind_of_function_is_hit(debugger: nonstop.Debugger, tmp_path: Path, waits: bool) -> None:
    path, space = made(tmp_path, KINDS)
    lines = {line.partition("# ")[2]: number for number, line in enumerate(KINDS.splitlines(), 1) if "# " in line}
    codes = {name: value.__code__ for name, value in space.items() if type(value) is types.FunctionType}
    watched = {name: debugger.counter(f"{path}:{number}") for name, number in lines.items()}
    if waits:
        settle(debugger)
    shop = space["Shop"]()
    coroutine = space["waits"]()
    for call in (
        space["decorated"], shop.method, lambda: shop.value, shop.static, shop.of_class, shop.cached,
        space["Shop"].Inner().method, space["early"], space["make"](), space["small"],
        lambda: space["comprehends"]("ab"), lambda: list(space["generates"]()), lambda: space["nested"]()().method(),
        lambda: pytest.raises(StopIteration, coroutine.send, None),
    ):  # fmt: skip
        call()
    hits = {name: one.hits for name, one in watched.items()}
    assert hits == {**dict.fromkeys(lines, 1), "closure": 2, "element": 2}
    settle(debugger)
    assert sys.gettrace() is None
    debugger.close()
    assert all(space[name].__code__ is code for name, code in codes.items())
    assert [name for name, code in codes.items() if code.co_consts != space[name].__code__.co_consts] == []


def test_lines_of_a_module_that_is_imported_later_are_hit(
    debugger: nonstop.Debugger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "made = 1\n\ndef work():\n    return made\n\nclass Kind:\n    value = 2\n\nresult = work()\n"
    (tmp_path / "laterone.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    watched = {line: debugger.counter(f"{tmp_path}/laterone.py:{line}") for line in (1, 3, 4, 7, 9)}
    assert {one.state for one in watched.values()} == {"pending"}
    module: Any = importlib.import_module("laterone")
    assert [one.hits for one in watched.values()] == [1, 1, 1, 1, 1]
    settle(debugger)
    assert sys.gettrace() is None
    module.work()
    assert watched[4].hits == 2
    importlib.reload(module)
    assert [one.hits for one in watched.values()] == [2, 2, 3, 2, 2]
    module.work()
    assert watched[4].hits == 4
    del sys.modules["laterone"]


def test_code_that_is_executed_again_and_again_is_hit(debugger: nonstop.Debugger, tmp_path: Path) -> None:
    path = tmp_path / "made.py"
    path.write_text("first = 1\nsecond = 2\n")
    watched = debugger.counter(f"{path}:2")
    code = compile(path.read_text(), str(path), "exec")
    for _ in range(3):
        exec(code, {})
    assert watched.hits == 3


# What runs already


def test_suspended_generators_are_hit_and_not_traced_for_ever(debugger: nonstop.Debugger) -> None:
    def steps() -> Iterator[int]:
        yield 1
        yield 2
        yield 3

    begun = steps()
    fresh = steps()
    next(begun)
    watched = debugger.counter(line_of(steps, 2))
    assert next(begun) == 2
    assert watched.hits == 1
    assert list(fresh) == [1, 2, 3]
    assert watched.hits == 2
    assert list(begun) == [3]
    del begun
    gc.collect()
    plain(1)
    settle(debugger)
    assert debugger.missed() == []
    assert sys.gettrace() is None


def test_generator_that_runs_calls_is_followed_for_what_they_lack(debugger: nonstop.Debugger) -> None:
    def steps() -> Iterator[int]:
        for number in range(4):
            first = number
            second = first
            yield second

    one = debugger.counter(line_of(steps, 2))
    running = steps()
    next(running)
    another = debugger.counter(line_of(steps, 3))
    next(running)
    next(running)
    assert (one.hits, another.hits) == (3, 2)
    one.remove()
    next(running)
    assert (one.hits, another.hits) == (3, 3)


def test_loop_that_runs_in_another_thread_is_hit() -> None:
    halt = threading.Event()

    def work() -> None:
        turns = 0
        while not halt.is_set():
            turns += 1
            time.sleep(0.0001)
            list(range(3))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        with nonstop.Debugger(backend="bytecode") as debugger:
            watched = debugger.counter(line_of(work, 3))
            deadline = time.monotonic() + 5
            while watched.hits < 3 and time.monotonic() < deadline:
                time.sleep(0.001)
            missed = watched.armed.missed
            assert watched.hits >= 3 or (PYPY and missed)
    finally:
        halt.set()
        thread.join()


def test_generator_goes_on_being_hit_when_its_function_is_found(debugger: nonstop.Debugger) -> None:
    def numbers() -> Any:
        while True:
            yield 1

    watched = debugger.counter(line_of(numbers, 2))
    generator = numbers()
    for _ in range(10):
        next(generator)
    settle(debugger)
    for _ in range(10):
        next(generator)
    assert watched.hits == 20


def test_function_that_runs_is_followed_until_it_returns(debugger: nonstop.Debugger) -> None:
    def work() -> list[int]:
        watched = debugger.counter(line_of(work, 5))
        assert sys.gettrace() is not None
        counted = []
        for _ in range(2):
            counted.append(watched.hits)
        made = lambda: watched.hits  # noqa: E731
        return [*counted, made()]

    assert work() == [1, 2, 2]
    settle(debugger)
    assert sys.gettrace() is None


def test_closure_that_a_running_function_makes_is_hit(debugger: nonstop.Debugger) -> None:
    def make() -> Any:
        def inner() -> int:
            return 1

        watched = debugger.counter(line_of(inner))

        def make_more() -> Any:
            def inner() -> int:
                return 1

            return inner

        again = debugger.counter(f"{__file__}:{make_more.__code__.co_firstlineno + 2}")
        return watched, inner, again, make_more

    watched, inner, again, make_more = make()
    inner()
    made = make_more()
    made()
    assert (watched.hits, again.hits) == (1, 1)
    settle(debugger)
    assert sys.gettrace() is None


def test_rewriter_that_refuses_is_made_up_for_by_following(
    debugger: nonstop.Debugger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any) -> Any:
        raise rewriting.Refused("there is no place for it")

    monkeypatch.setattr(rewriting, "with_calls", refuse)
    before = price.__code__
    watched = debugger.counter(price)
    settle(debugger)
    price(1)
    price(2)
    assert price.__code__ is before
    assert watched.hits == 2
    assert any("there is no place for it" in sentence for sentence in watched.armed.missed)
    watched.remove()
    plain(1)
    assert sys.gettrace() is None


# Inside of a hit


def test_condition_that_runs_armed_code_arrives_nowhere(debugger: nonstop.Debugger) -> None:
    inner = debugger.counter(plain)
    watched = debugger.counter(price, condition="plain(amount) > 1")
    price(1)
    assert (watched.hits, inner.hits) == (1, 0)
    plain(1)
    assert inner.hits == 1


def test_capture_shows_the_frame_that_arrived(debugger: nonstop.Debugger) -> None:
    watched = debugger.breakpoint(line_of(price, 2), capture=["amount", "less"])
    price(30)
    snapshot = next(watched.snapshots(timeout=5))
    assert (snapshot.location.function, snapshot.location.line) == (
        "price",
        original_of(price.__code__).co_firstlineno + 2,
    )
    assert {name: value.value for name, value in snapshot.captures.items()} == {"amount": 30, "less": 3}


def test_thread_of_a_name_is_told_apart(debugger: nonstop.Debugger) -> None:
    watched = debugger.counter(price, thread="one")
    for name in ("one", "two"):
        thread = threading.Thread(target=price, args=(1,), name=name)
        thread.start()
        thread.join()
    assert (watched.hits, watched.skipped) == (1, 1)


@pytest.mark.skipif(PYPY, reason="a function in Python needs a level of the stack")
def test_a_call_takes_no_level_of_the_recursion_limit(debugger: nonstop.Debugger) -> None:
    def depth(level: int) -> int:
        try:
            return depth(level + 1)
        except RecursionError:
            return level

    before = depth(0)
    watched = debugger.counter(line_of(depth, 2))
    assert depth(0) == before
    assert watched.hits == before + 1


def test_recursion_without_end_leaves_it_as_it_was(debugger: nonstop.Debugger) -> None:
    def endless(level: int) -> int:
        return endless(level + 1) + 1

    for _ in range(15):  # on PyPy a collection, which is hastened, may come at the limit
        watched = debugger.counter(line_of(endless))
        with pytest.raises(RecursionError):
            endless(0)
        assert watched.hits > 300
        watched.remove()
    # What is called at the very limit cannot be answered. That is counted, and is the program's doing.
    debugger._hits.internal_errors = 0


def test_other_tracers_are_told_the_same(debugger: nonstop.Debugger) -> None:
    events: list[tuple[str, str, int]] = []

    def trace(frame: Any, event: str, arg: Any) -> Any:
        if frame.f_code.co_filename == __file__:
            events.append((event, frame.f_code.co_name, frame.f_lineno))
            return trace
        return None

    def told() -> list[tuple[str, str, int]]:
        events.clear()
        sys.settrace(trace)
        try:
            price(1)
        finally:
            sys.settrace(None)
        return list(events)

    before = told()
    watched = [debugger.counter(line_of(price, offset)) for offset in (1, 2)]
    settle(debugger)
    assert told() == before
    assert [one.hits for one in watched] == [1, 1]


@pytest.mark.skipif(PYPY, reason="a function in Python is a call there")
def test_profilers_are_told_the_same(debugger: nonstop.Debugger) -> None:
    events: list[tuple[str, str]] = []

    def told() -> list[tuple[str, str]]:
        events.clear()
        sys.setprofile(lambda frame, event, arg: events.append((event, frame.f_code.co_name)))
        try:
            price(1)
        finally:
            sys.setprofile(None)
        return list(events)

    before = told()
    debugger.counter(price)
    assert told() == before


def test_error_of_a_signal_handler_goes_on(debugger: nonstop.Debugger) -> None:
    class Stop(Exception):
        pass

    def handler(number: int, frame: Any) -> None:
        raise Stop

    before = signal.signal(signal.SIGUSR1, handler)
    try:

        def fires() -> bool:
            os.kill(os.getpid(), signal.SIGUSR1)
            return any(_ is None for _ in range(1000))

        globals()["fires"] = fires
        watched = debugger.counter(price, condition="fires()")
        with pytest.raises(Stop):
            price(1)
            time.sleep(0.1)
        assert watched.arrivals == 1
    finally:
        signal.signal(signal.SIGUSR1, before)
        globals().pop("fires", None)


def test_child_of_a_fork_goes_on_with_its_breakpoints(debugger: nonstop.Debugger) -> None:
    watched = debugger.counter(price)
    price(1)
    child = os.fork()
    if child == 0:
        price(1)
        passed = watched.hits == 2
        more = debugger.counter(line_of(price, 2))
        price(1)
        os._exit(0 if passed and (watched.hits, more.hits) == (3, 1) else 1)
    assert os.waitpid(child, 0)[1] == 0
    price(1)
    assert watched.hits == 2


def test_threads_that_hit_at_once_are_all_counted(debugger: nonstop.Debugger) -> None:
    watched = debugger.counter(price)

    def work() -> None:
        for _ in range(1000):
            price(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        debugger.counter(line_of(price, 2)).remove()
    for thread in threads:
        thread.join()
    assert watched.hits == 4000


# Sessions


def test_one_session_at_a_time(debugger: nonstop.Debugger) -> None:
    debugger.start()
    for backend in ("bytecode", "settrace"):
        with nonstop.Debugger(backend=backend) as another, pytest.raises(BackendError) as caught:
            another.start()
        assert caught.value.code == "tracer_in_use"


def test_generator_with_calls_of_an_earlier_session_hits_in_the_next() -> None:
    def steps() -> Iterator[int]:
        for number in range(4):
            first = number
            yield first

    with nonstop.Debugger(backend="bytecode") as debugger:
        one = debugger.counter(line_of(steps, 2))
        running = steps()
        next(running)
        assert one.hits == 1
    with nonstop.Debugger(backend="bytecode") as debugger:
        others = [debugger.counter(price), debugger.counter(line_of(steps, 2))]
        next(running)
        next(running)
        assert [other.hits for other in others] == [0, 2]
    assert one.hits == 1
    assert next(running) == 3
    running.close()


# What is kept


def test_code_and_modules_that_die_are_let_go(debugger: nonstop.Debugger, tmp_path: Path) -> None:
    path = tmp_path / "made.py"
    path.write_text("def made():\n    return 1\n")
    watched = debugger.counter(f"{path}:2")

    class Held:
        pass

    references: list[Any] = []

    def make() -> None:
        space: dict[str, Any] = {"held": Held()}
        exec(compile(path.read_text(), str(path), "exec"), space)
        space["made"]()
        references.extend((weakref.ref(space["held"]), weakref.ref(space["made"].__code__)))
        space.clear()

    for _ in range(20):
        make()
    assert watched.hits == 20
    settle(debugger)
    for _ in range(3):
        gc.collect()
    # On PyPy what was compiled holds the code that it was compiled for.
    held = 1 if PYPY else 0
    assert len([one for one in references if one() is not None]) <= held
    backend: Any = debugger._backend
    assert len(backend.decisions.codes.plans()) <= held
    assert watched.armed.code_objects <= held


def test_partial_functions_and_bound_methods_are_hit(debugger: nonstop.Debugger) -> None:
    class Shop:
        def sell(self, amount: int) -> int:
            return price(amount)

    bound, later = Shop().sell, functools.partial(price, 5)
    watched = debugger.counter(Shop.sell), debugger.counter(price)
    bound(1)
    later()
    assert [one.hits for one in watched] == [1, 2]


def test_hook_without_a_session_does_nothing() -> None:
    with nonstop.Debugger(backend="bytecode") as debugger:
        debugger.counter(price)
        armed = types.FunctionType(price.__code__, globals())
    assert armed(10) == 9
    assert bytecode._active is None
