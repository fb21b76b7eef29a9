"""What a hit captures: frames with their variables, expressions, thread and task; and what it leaves behind."""

from __future__ import annotations

import _thread
import asyncio
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import types
import weakref
from types import FrameType
from typing import Any, Callable

import pytest
from nonstop import conditions
from nonstop.capture import Recorder
from nonstop.limits import Limits
from nonstop.walk import kinds, values

PYPY = sys.implementation.name == "pypy"
#: Where the breakpoint of these snapshots stands.
LINE = 3


def captures(*texts: str) -> list[tuple[str, Callable[[FrameType], object]]]:
    return [(text, conditions.compile_expression(text)) for text in texts]


def expressions(*texts: str) -> list[Callable[[FrameType], object]]:
    return [conditions.compile_expression(text) for text in texts]


def names(document: Any, frame: int = 0) -> list[str]:
    return list(document["frames"][frame]["locals"])


def run(text: str, **given: Any) -> dict[str, Any]:
    namespace = {"__name__": "shop", "sys": sys, **given}
    exec(compile(textwrap.dedent(text), "/srv/shop.py", "exec"), namespace)
    return namespace


# Frames


def test_frames_are_told_innermost_first(snapshot: Any) -> None:
    def inner(amount: int) -> Any:
        return snapshot(sys._getframe())

    def outer() -> Any:
        count = 3
        return inner(count + 1)

    document = outer()
    first, second, third = document["frames"][:3]
    assert [frame["function"] for frame in (first, second, third)] == [
        "inner",
        "outer",
        "test_frames_are_told_innermost_first",
    ]
    assert first["locals"]["amount"] == {"type": "int", "value": 4}
    assert second["locals"]["count"] == {"type": "int", "value": 3}
    assert first["line"] == inner.__code__.co_firstlineno + 1
    assert second["line"] == outer.__code__.co_firstlineno + 2
    assert first["file"] == __file__
    # The line is the one that the breakpoint stands at.
    assert document["location"] == {"file": first["file"], "line": LINE, "function": "inner"}


def test_frames_beyond_the_limit_are_cut(snapshot: Any) -> None:
    def deep(level: int) -> Any:
        return snapshot(sys._getframe(), frames=5, frames_with_locals=2) if level == 0 else deep(level - 1)

    document = deep(10)
    assert ["locals" in frame for frame in document["frames"]] == [True, True, False, False, False]
    assert document["cut"] == ["locals", "frames"]


def test_whole_stack_is_not_cut(snapshot: Any) -> None:
    seen = []

    def work() -> None:
        seen.append(snapshot(sys._getframe(), frames=100, frames_with_locals=100))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert [frame["function"] for frame in seen[0]["frames"]] == ["work", "run", "_bootstrap_inner", "_bootstrap"]
    assert seen[0]["cut"] == []


def test_frames_of_nonstop_are_not_the_programs(snapshot: Any) -> None:
    own = os.path.join(os.path.dirname(values.__file__), "own.py")
    namespace: dict[str, Any] = {}
    exec(compile("def call(function):\n    return function()\n", own, "exec"), namespace)

    def hit() -> Any:
        return snapshot(sys._getframe())

    assert [frame["function"] for frame in namespace["call"](hit)["frames"]][:2] == [
        "hit",
        "test_frames_of_nonstop_are_not_the_programs",
    ]


def test_variables_shared_with_other_functions_are_shown(snapshot: Any) -> None:
    shared = 1

    def inner(own: int) -> Any:
        return snapshot(sys._getframe()), shared

    assert sorted(names(inner(2)[0])) == ["own", "shared", "snapshot"]


def test_variable_without_a_value_is_left_out(snapshot: Any) -> None:
    kept, gone = 1, 2
    del gone
    document = snapshot(sys._getframe())
    assert names(document) == ["snapshot", "kept"]
    assert kept == 1


def test_names_of_the_compiler_are_no_variables(snapshot: Any) -> None:
    class Base:
        def look(self) -> Any:
            return None

    class Derived(Base):
        def look(self) -> Any:
            super().look()
            return snapshot(sys._getframe())

    document = Derived().look()
    assert "__class__" not in names(document)
    assert "self" in names(document)
    (comprehension,) = [snapshot(sys._getframe()) for number in (1,)]
    (generator,) = tuple(snapshot(sys._getframe()) for number in (1,))
    for document in (comprehension, generator):
        assert "number" in names(document)
        assert not any(name.startswith(".") for name in names(document))


def test_module_shows_its_variables_and_no_definitions(snapshot: Any) -> None:
    namespace = run(
        """
        import os
        import os.path as paths
        from os.path import join
        from builtins import len
        class Cart: pass
        def total(): pass
        count = 3
        handler = total
        kind = Cart
        __version__ = "1"
        _private = 4
        document = snapshot(sys._getframe())
        """,
        snapshot=snapshot,
    )
    shown = names(namespace["document"])
    assert [name for name in shown if name != "snapshot"] == ["count", "handler", "kind", "_private"]


def test_class_body_shows_its_variables(snapshot: Any) -> None:
    class Cart:
        limit = 3

        def total(self) -> None: ...

        document = snapshot(sys._getframe())

    assert names(Cart.document) == ["limit"]


def test_namespace_that_is_no_dict_is_not_asked(snapshot: Any) -> None:
    class Meta(type):
        @classmethod
        def __prepare__(cls, *args: Any) -> Any:
            return Space()

        def __new__(cls, name: str, bases: Any, space: Any) -> Any:
            return super().__new__(cls, name, bases, dict(space.data))

    class Space:
        asked = False

        def __init__(self) -> None:
            self.data: dict[str, Any] = {}

        def __getitem__(self, name: str) -> Any:
            return self.data[name]

        def __setitem__(self, name: str, value: Any) -> None:
            self.data[name] = value

        def keys(self) -> Any:
            raise AssertionError

    class Cart(metaclass=Meta):
        document = snapshot(sys._getframe(), frames=1)

    assert "locals" not in Cart.document["frames"][0]
    assert Cart.document["cut"][0] == "locals"


def test_namespace_derived_from_dict_is_read_as_one(snapshot: Any) -> None:
    class Space(dict):  # type: ignore[type-arg]
        def keys(self) -> Any:
            raise AssertionError

        __iter__ = items = keys  # type: ignore[assignment]

    space = Space()
    exec("count = 1\ndocument = snapshot(frame())", {"snapshot": snapshot, "frame": sys._getframe}, space)
    assert names(space["document"]) == ["count"]


def test_names_that_are_no_texts_in_a_namespace_are_harmless(snapshot: Any, hostile: Any) -> None:
    space: dict[Any, Any] = {"snapshot": snapshot, "sys": sys}
    space[hostile.kind(__hash__=object.__hash__, __eq__=object.__eq__)()] = 1
    code = compile("document = snapshot(sys._getframe())", "/srv/shop.py", "exec")
    with hostile.armed():
        exec(code, space)
    assert "<Hostile>" in names(space["document"])


@pytest.mark.skipif(PYPY, reason="makes no such frames")
def test_code_with_odd_names_is_shown(snapshot: Any) -> None:
    def look() -> Any:
        return snapshot(sys._getframe())

    look.__code__ = look.__code__.replace(co_name="odd\x1f\n", co_filename="caf\udce9\x1e.py")
    document = look()
    assert document["location"]["function"] == "odd\x1f\n"
    assert document["location"]["file"] == "caf\\udce9\x1e.py"


# Expressions


def test_expressions_are_evaluated_in_the_frame(snapshot: Any) -> None:
    def hit(rows: list[int], limit: int) -> Any:
        return snapshot(sys._getframe(), captures("rows[limit]", "[row for row in rows if row > limit]"))

    document = hit([1, 2, 3], 1)
    assert document["captures"]["rows[limit]"] == {"type": "int", "value": 2}
    assert document["captures"]["[row for row in rows if row > limit]"]["size"] == 2


def test_expression_that_raises_says_what(snapshot: Any, log: Any) -> None:
    class Quiet(Exception):
        pass

    class Silent(Exception):
        def __str__(self) -> str:
            raise ValueError

    def fail(error: BaseException) -> None:
        raise error

    document = snapshot(
        sys._getframe(),
        captures("missing", "1 // 0", "fail(Quiet())", "fail(Silent('a'))", "fail(SystemExit(3))", "'after'"),
    )
    assert document["captures"] == {
        "missing": {"type": "NameError", "cut": "name 'missing' is not defined"},
        "1 // 0": {"type": "ZeroDivisionError", "cut": document["captures"]["1 // 0"]["cut"]},
        "fail(Quiet())": {"type": "Quiet", "cut": "raised"},
        "fail(Silent('a'))": {"type": "Silent", "cut": "raised"},
        "fail(SystemExit(3))": {"type": "SystemExit", "cut": "3"},
        "'after'": {"type": "str", "value": "after"},
    }
    assert "by zero" in document["captures"]["1 // 0"]["cut"]
    assert log(sys._getframe(), "{missing}", *expressions("missing"))["message"] == (
        "<NameError: name 'missing' is not defined>"
    )


def test_values_that_were_asked_for_have_wider_limits(snapshot: Any) -> None:
    def hit(rows: list[int], text: str) -> Any:
        return snapshot(sys._getframe(), captures("rows", "text"))

    document = hit(list(range(1000)), "x" * 10_000)
    assert len(document["captures"]["rows"]["items"]) == 100
    assert len(document["captures"]["text"]["value"]) == 4096
    assert len(document["frames"][0]["locals"]["rows"]["items"]) == 25
    assert len(document["frames"][0]["locals"]["text"]["value"]) == 256


def test_values_that_were_asked_for_are_shown_whole(snapshot: Any) -> None:
    def hit(rows: list[list[int]]) -> Any:
        return snapshot(sys._getframe(), captures("rows", "rows[0]"))

    document = hit([[1], [2]])
    assert document["captures"]["rows"]["size"] == 2
    assert document["captures"]["rows[0]"]["items"] == [{"type": "int", "value": 1}]


def test_numbers_of_shared_values_are_not_used_twice(snapshot: Any) -> None:
    one: Any = [1]
    two: Any = [2]
    first, second = [one, one], [two, two]
    document = snapshot(sys._getframe(), captures("first", "second"))
    shown = [*document["captures"].values(), *document["frames"][0]["locals"].values()]
    ids = [item["id"] for value in shown for item in value.get("items", ()) if "id" in item]
    ids += [value["id"] for value in shown if "id" in value]
    assert len(ids) == len(set(ids)) == 4
    assert first and second


def test_values_that_were_asked_for_come_before_locals_when_room_ends(snapshot: Any) -> None:
    def hit(more: list[dict[int, str]]) -> Any:
        return snapshot(sys._getframe(), captures("len(more)", "'y' * 4000"))

    document = hit([dict.fromkeys(range(25), "x" * 200) for _ in range(25)])
    assert document["captures"]["len(more)"] == {"type": "int", "value": 25}
    assert document["captures"]["'y' * 4000"]["value"] == "y" * 4000
    assert "snapshot size" in document["cut"]


def test_walk_ends_when_room_ends(snapshot: Any) -> None:
    wide = [[[{"name": str(number)} for _ in range(25)] for _ in range(25)] for number in range(25)]
    recorder = Recorder(Limits(depth=10))
    records = recorder.snapshot(sys._getframe(), ())
    assert len(records) < 3 * 65536
    document = snapshot(sys._getframe(), depth=10)
    assert document["cut"][0] == "snapshot size"
    assert len(wide) == 25


def test_walk_ends_when_time_is_up(snapshot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def hit(first: Any, second: Any, third: Any, last: Any) -> Any:
        return snapshot(sys._getframe(), frames=1)

    ticks = iter(range(1000))
    monkeypatch.setattr(values, "_clock", lambda: next(ticks) * 0.02)
    document = hit([1], (2,), {3: 4}, "text")
    shown = document["frames"][0]["locals"]
    assert shown["first"]["items"] == [{"type": "int", "value": 1}]
    assert shown["second"]["items"] == [{"type": "int", "value": 2}]
    assert shown["third"] == {"type": "dict", "entries": [], "size": 1, "cut": "time"}
    assert shown["last"] == {"type": "str", "value": "text"}
    assert document["cut"] == ["time", "frames"]


def test_time_that_an_expression_takes_is_not_counted(snapshot: Any) -> None:
    rows = [1]
    document = snapshot(sys._getframe(), captures("time.sleep(0.06) or rows"))
    assert document["captures"]["time.sleep(0.06) or rows"]["items"] == [{"type": "int", "value": 1}]
    assert "time" not in document["cut"]
    assert time and rows


# Log lines


def test_log_lines_hold_the_values_in_order(log: Any) -> None:
    name, total = "Zoë", 9.5
    document = log(sys._getframe(), "{name} pays {total}", *expressions("name", "total"))
    assert document["message"] == "Zoë pays 9.5"
    assert document["location"]["function"] == "test_log_lines_hold_the_values_in_order"
    assert (name, total) == ("Zoë", 9.5)


def test_log_lines_show_shared_values_each_time_and_cycles_once(log: Any) -> None:
    one = [1]
    cycle: Any = [2]
    cycle.append(cycle)
    document = log(sys._getframe(), "{[one, one]} {cycle} {one}", *expressions("[one, one]", "cycle", "one"))
    assert document["message"] == "[[1], [1]] [2, <list ...>] [1]"
    assert one and cycle


def test_log_lines_show_objects(log: Any) -> None:
    cart = types.SimpleNamespace(owner="ada", password="x")
    document = log(sys._getframe(), "{cart}", *expressions("cart"))
    assert document["message"] == "SimpleNamespace(owner='ada', password=<redacted>)"
    assert cart


# Thread and task


def test_thread_is_named(snapshot: Any) -> None:
    assert snapshot(sys._getframe())["thread"] == {"id": threading.get_ident(), "name": "MainThread"}


def test_thread_that_threading_does_not_know_has_no_name(snapshot: Any) -> None:
    seen: list[Any] = []
    before = threading.active_count()

    def work() -> None:
        seen.append(snapshot(sys._getframe()))

    _thread.start_new_thread(work, ())
    deadline = time.monotonic() + 10
    while not seen and time.monotonic() < deadline:
        time.sleep(0.01)
    assert seen[0]["thread"]["name"] is None
    assert threading.active_count() == before


def test_task_is_named(snapshot: Any) -> None:
    async def work() -> Any:
        return snapshot(sys._getframe())

    async def main() -> Any:
        return await asyncio.get_running_loop().create_task(work(), name="worker\x1f1")

    assert asyncio.run(main())["task"] == "worker\x1f1"
    assert snapshot(sys._getframe())["task"] is None


def test_callback_of_a_loop_has_no_task(snapshot: Any) -> None:
    seen = []

    async def main() -> None:
        asyncio.get_running_loop().call_soon(lambda: seen.append(snapshot(sys._getframe())))
        await asyncio.sleep(0.01)

    asyncio.run(main())
    assert seen[0]["task"] is None


def test_task_of_a_class_of_the_program_is_asked_through_its_base(snapshot: Any) -> None:
    class Task(asyncio.Task):  # type: ignore[type-arg]
        def get_name(self) -> str:
            raise AssertionError

        __repr__ = __str__ = get_name

    async def work() -> Any:
        return snapshot(sys._getframe())

    async def main() -> Any:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(lambda loop, coro, **options: Task(coro, loop=loop, **options))
        return await loop.create_task(work(), name="own")

    assert asyncio.run(main())["task"] == "own"


def test_asyncio_is_not_imported_for_its_name() -> None:
    text = """
        import sys
        from nonstop.capture import Recorder
        from nonstop.limits import Limits
        Recorder(Limits()).snapshot(sys._getframe())
        assert "asyncio" not in sys.modules
        assert "decimal" not in sys.modules
    """
    done = subprocess.run(
        [sys.executable, "-c", "import sys; before = set(sys.modules)\n" + textwrap.dedent(text)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


# What belongs to the program


def test_exceptions_of_signal_handlers_go_on(snapshot: Any) -> None:
    class Alarm(Exception):
        pass

    def handler(number: int, frame: Any) -> None:
        raise Alarm

    # What a shell starts in the background ignores SIGINT from the beginning.
    handlers = {signal.SIGUSR1: handler, signal.SIGINT: signal.default_int_handler}
    before = {number: signal.signal(number, wanted) for number, wanted in handlers.items()}
    try:
        with pytest.raises(Alarm):
            snapshot(sys._getframe(), captures("os.kill(os.getpid(), signal.SIGUSR1) or time.sleep(1)"))
        with pytest.raises(KeyboardInterrupt):
            snapshot(sys._getframe(), captures("_thread.interrupt_main() or time.sleep(1)"))
    finally:
        for number, found in before.items():
            signal.signal(number, found)


def test_value_that_cannot_be_read_is_omitted_and_the_others_follow(
    snapshot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Odd:
        pass

    shared = [1]
    before, odd, after = [shared], [shared, [2], Odd()], [shared]
    broken = kinds.kind_of(Odd)._replace(write=lambda *args: 1 // 0)
    monkeypatch.setitem(kinds._known, id(Odd), broken)
    shown = snapshot(sys._getframe(), frames=1)["frames"][0]["locals"]
    assert shown["odd"] == {"type": "list", "cut": "could not be read: ZeroDivisionError"}
    assert shown["before"]["items"][0]["ref"] == shown["shared"]["id"]
    assert shown["after"]["items"][0]["ref"] == shown["shared"]["id"]
    assert before and odd and after


def test_walk_gives_up_when_nothing_can_be_read(snapshot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(kind: type) -> Any:
        raise RecursionError

    monkeypatch.setattr(values, "kind_of", fail)
    odd = {f"v{number}": object() for number in range(100)}
    exec("document = snapshot(sys._getframe(), frames=1)", {"sys": sys, "snapshot": snapshot}, odd)
    assert "errors" in odd["document"]["cut"]  # type: ignore[index]


def test_near_the_recursion_limit_the_program_is_safe() -> None:
    recorder = Recorder(Limits())
    outcomes: list[type] = []
    # PyPy makes a TypeError of one that it cannot chain ("couldn't record exception context"), anywhere near the limit.
    too_deep = (RecursionError, TypeError) if PYPY else RecursionError

    def deep(level: int) -> None:
        value = [{"a": (1, types.SimpleNamespace(b=2))}]
        try:
            deep(level + 1)
        except too_deep:
            pass
        if len(outcomes) < 200:
            outcome: type = RecursionError
            try:
                outcome = type(recorder.snapshot(sys._getframe(), ()))
            except too_deep:
                pass
            outcomes.append(outcome)
        assert value

    deep(0)
    assert set(outcomes) <= {bytes, RecursionError}
    # The last ones are furthest from the limit.
    assert outcomes[-20:] == [bytes] * 20


def test_capturing_keeps_nothing_alive(snapshot: Any) -> None:
    class Cart:
        pass

    def work(kind: Any) -> weakref.ref[Any]:
        cart = kind()
        nested = [{1: cart}, cart]
        document = snapshot(sys._getframe(), captures("cart", "nested", "missing"), frames_with_locals=1)
        assert document and nested
        return weakref.ref(cart)

    gone = work(Cart)
    kind = weakref.ref(Cart)
    address = id(Cart)
    assert address in kinds._known
    del Cart
    # PyPy may take several.
    for _ in range(20):
        gc.collect()
        if kind() is None:
            break
    assert gone() is None
    assert kind() is None
    assert address not in kinds._known


@pytest.mark.skipif(PYPY, reason="collects when it likes")
def test_values_die_at_once_where_the_interpreter_counts_references(snapshot: Any) -> None:
    class Cart:
        pass

    def hit(cart: Cart) -> None:
        snapshot(sys._getframe(), captures("cart"))

    def caller() -> bool:
        cart = Cart()
        gone = weakref.ref(cart)
        hit(cart)
        del cart
        return gone() is None

    gc.disable()
    try:
        # Up to 3.12 a frame that goes on keeps the dictionary of its variables (see nonstop.capture).
        assert caller() is (sys.version_info >= (3, 13))
    finally:
        gc.enable()


def test_variables_of_the_program_stay_as_they_are(snapshot: Any) -> None:
    count = 1
    shared = [1]

    def change() -> None:
        nonlocal count
        count += 1
        shared.append(count)

    snapshot(sys._getframe())
    change()
    snapshot(sys._getframe())
    assert (count, shared) == (2, [1, 2])
    count = 5
    snapshot(sys._getframe())
    assert count == 5


def test_recorder_is_used_by_many_threads_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "COLLECT_SECONDS", 600)  # each waits for the others most of the time
    recorder = Recorder(Limits())
    results: list[set[bytes]] = []

    def work(number: int) -> None:
        rows = [[number]] * 3
        made = set()
        for _ in range(200):
            records = recorder.snapshot(sys._getframe(), ())
            made.add(records.partition(b"n\x1frows")[2].partition(b"n\x1f")[0])
        results.append(made)
        assert rows

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(made) for made in results] == [1, 1, 1, 1]
    assert len(set.union(*results)) == 4
