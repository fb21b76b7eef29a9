"""Conditions that the native callback decides by itself: what they come to is what Python comes to."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List

import nonstop
import pytest
from nonstop.simple_conditions import SimpleCondition, simple_condition

NATIVE = pytest.mark.skipif(sys.version_info < (3, 12), reason="frames tell their variables from 3.12 on")


class Equal:
    """Equal to all, by code of the program."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


class Text(str):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


class Empty:
    def __bool__(self) -> bool:
        return False


VALUES: List[Any] = [
    *(None, True, False, 0, 1, -1, 7, 10**30, -(2**70), 1.5, -0.0, float("nan"), float("inf")),
    *("", "one", "eins", [], [0], (), {}, {"a": 1}, set(), frozenset(), b"", b"one", 1j, 0j),
    *(Equal(), Text("x"), Empty(), object(), int, len),
]
SIMPLE = """
x == 1
x != 1
x < 7
x <= 1.5
x > -1
x >= 0
1 < x
"one" == x
x == "one"
x != "one"
x < "one"
x == None
x != None
x is None
x is not None
x == True
x is False
x == x
x != x
x
not x
not not x
x and y
x or y
x and not y
not (x or y)
x == 1 and y == 1
x == 1 or y == 1 or x is None
x == 1 and (y or not y) and x is not None
(x or y) and (not x or y)
x == y
x < y
x is y
x == -1.5
""".strip().splitlines()


def hit(x: Any, y: Any) -> None:
    pass


def _python(text: str, x: Any, y: Any) -> str:
    try:
        return "hits" if eval(text) else "false"
    except Exception:
        return "errors"


@pytest.mark.parametrize("text", SIMPLE)
def test_outcome_is_that_of_python(text: str) -> None:
    expected = {"hits": 0, "false": 0, "errors": 0}
    with nonstop.Debugger() as debugger:
        counter = debugger.counter(hit, condition=text)
        for x, y in itertools.product(VALUES, VALUES if "y" in text else [None]):
            before = dict(expected)
            expected[_python(text, x, y)] += 1
            hit(x, y)
            found = {"hits": counter.hits, "false": counter.false, "errors": counter.errors}
            assert found == expected, (x, y, before)


@pytest.mark.parametrize("text", SIMPLE)
def test_all_of_these_are_simple(text: str) -> None:
    assert simple_condition(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "len(x)",
        "x.y",
        "x[0]",
        "x + 1 > 2",
        "1",
        "True",
        "x in y",
        "1 < x < 3",
        "-x > 1",
        "x == b'a'",
        "x == (1,)",
        "~1 == x",
        "x is 1",
        "'one' is not x",
        "x is -1.5",
    ],
)
def test_others_are_not(text: str) -> None:
    assert simple_condition(text) is None


def _asked(debugger: nonstop.Debugger) -> List[str]:
    """Lets Python say that it was asked."""
    asked: List[str] = []
    actions = debugger._hits._actions
    for token, action in list(actions.items()):

        def ask(frame: Any, before: Any = action.condition, text: str = action.condition_text) -> bool:
            asked.append(text)
            return bool(before(frame))

        actions[token] = action._replace(condition=ask)
    return asked


@NATIVE
def test_python_is_not_asked_about_builtin_values() -> None:
    with nonstop.Debugger() as debugger:
        counter = debugger.counter(hit, condition="x > 5 and y is not None")
        logged = debugger.logpoint(hit, "{x}", condition="x == 9")
        asked = _asked(debugger)
        for x in range(10):
            hit(x, 1)
        assert (counter.hits, counter.false, logged.captured, logged.false) == (4, 6, 1, 9)
        assert asked == []
        hit(Equal(), 1)
        assert asked == ["x > 5 and y is not None", "x == 9"]
        assert (counter.errors, logged.captured) == (1, 2)


def _in_a_closure(limit: int) -> Callable[[int], None]:
    def inner(value: int) -> None:
        if value:
            limit  # noqa: B018

    return inner


def _with_a_cell(value: int) -> Callable[[], int]:
    found = value
    # the line

    def inner() -> int:
        return found

    return inner


def _generator(last: int) -> Any:
    for value in range(last):
        yield value + 0


def _unbound(value: int) -> None:
    if value > 1:
        late = value
    late = value
    assert late


GLOBAL = 3


def _global(value: int) -> None:
    pass


def _inside(value: int) -> List[int]:
    return [
        one
        for one in range(value)
        if one % 2
    ]  # fmt: skip


@NATIVE
def test_variables_are_those_of_the_frame() -> None:
    with nonstop.Debugger() as debugger:
        first = _in_a_closure.__code__.co_firstlineno
        closure = debugger.counter(f"{__file__}:{first + 2}", condition="limit == 3 and value == 1")
        cell = debugger.counter(f"{__file__}:{_with_a_cell.__code__.co_firstlineno + 4}", condition="found == 4")
        made = debugger.counter(f"{__file__}:{_generator.__code__.co_firstlineno + 2}", condition="value == 2")
        comprehension = debugger.counter(f"{__file__}:{_inside.__code__.co_firstlineno + 4}", condition="one == 2")
        asked = _asked(debugger)
        inner = _in_a_closure(3)
        inner(1)
        inner(2)
        _with_a_cell(4)()
        _with_a_cell(5)()
        assert list(_generator(4)) == [0, 1, 2, 3]
        assert _inside(5) == [1, 3]
        assert (closure.hits, closure.false) == (1, 1)
        assert (cell.hits, cell.false) == (1, 1)
        assert (made.hits, made.false) == (1, 3)
        assert (comprehension.hits, comprehension.false) == (1, 4)
        assert asked == []


def test_names_that_are_no_variables_are_looked_up_by_python() -> None:
    with nonstop.Debugger() as debugger:
        of_module = debugger.counter(_global, condition="GLOBAL == 3 and value")
        late = debugger.counter(f"{__file__}:{_unbound.__code__.co_firstlineno + 3}", condition="late == 5")
        for value in range(300):
            _global(value)
        _unbound(1)
        _unbound(5)
        assert (of_module.hits, of_module.false) == (299, 1)
        assert (late.hits, late.errors) == (1, 1)


def test_name_in_the_body_of_a_class_is_its_own(tmp_path: Path) -> None:
    file = tmp_path / "made_class.py"
    file.write_text("def make(x):\n    class Made:\n        locals()['x'] = 2\n        y = x\n    return Made\n")
    space: Dict[str, Any] = {"__name__": "made_class"}
    with nonstop.Debugger() as debugger:
        exec(compile(file.read_text(), str(file), "exec"), space)
        inside = debugger.counter(f"{file}:4", condition="x == 2")
        assert space["make"](1).y == 2
        assert (inside.hits, inside.false) == (1, 0)


def test_condition_is_forgotten_with_its_breakpoint() -> None:
    with nonstop.Debugger() as debugger:
        counter = debugger.counter(hit, condition="x == 1")
        hit(1, 1)
        counter.remove()
        again = debugger.counter(hit, condition="x == 2")
        hit(1, 1)
        hit(2, 1)
        assert (counter.hits, again.hits, again.false) == (1, 1, 1)
        debugger.stop()
        later = debugger.counter(hit, condition="x == 3")
        debugger.start()
        hit(3, 1)
        assert (later.hits, again.hits, again.false) == (1, 1, 2)


@NATIVE
@pytest.mark.parametrize(
    "steps",
    [[(1, 2, 0, 2)], [(2, 0, 2, 0)], [(1, 8, 0, 1)], [(6, 0, 0, 0)], [(4, 0, 0, 0)], [(5, 0, 2, 0)], [(0, 0, 0, 0)]],
)
def test_steps_that_make_no_sense_are_not_taken(steps: Any) -> None:
    with nonstop.Debugger() as debugger:
        debugger.start()
        hooks = debugger._backend._hooks  # type: ignore[attr-defined]
        assert not hooks.set_condition(99, SimpleCondition(["x"], [1], steps))
        assert hooks.set_condition(99, SimpleCondition(["x"], [1], [(1, 2, 0, 1)]))
        assert hooks.set_condition(99, None)


@pytest.mark.filterwarnings("ignore:.is. with:SyntaxWarning")
@pytest.mark.parametrize("backend", nonstop.available_backends())
def test_identity_with_a_text_is_what_python_says(backend: str) -> None:
    with nonstop.Debugger(backend=backend) as debugger:
        # The compiler shares such texts, and the parser does not.
        same = debugger.counter(hit, condition="x is 'one'")
        hit("one", None)
        assert same.hits == 1
