"""Conditions and expressions: what their names mean, what they cannot do, and what is refused with which words."""

from __future__ import annotations

import collections
import gc
import sys
import weakref
from typing import Any

import pytest
from nonstop import ConditionError, conditions
from nonstop.conditions import compile_condition, compile_expression

WIDTH = 7
shadowed = "the module's"


def here(text: str, depth: int = 1) -> Any:
    """The value of an expression in the frame that calls."""
    return compile_expression(text)(sys._getframe(depth))


# What names mean


def test_variables_of_the_frame_come_first() -> None:
    shadowed = "the frame's"
    max = 3  # noqa: A001
    assert here("shadowed") == shadowed
    assert here("max") == max


def test_names_of_the_module_and_builtins_come_next() -> None:
    assert here("shadowed") == "the module's"
    assert here("WIDTH + max(1, 2)") == 9
    assert here("__name__") == __name__


def test_variables_of_functions_around_are_seen_where_they_are_mentioned() -> None:
    shared, hidden = 5, 6

    def inner() -> tuple[Any, Any]:
        shared
        return here("shared", 2), compile_condition("hidden > 0")

    value, condition = inner()
    assert value == 5
    with pytest.raises(NameError, match="hidden"):
        inner_frame = (lambda: sys._getframe())()
        condition(inner_frame)
    assert hidden == 6


def test_comprehensions_and_lambdas_see_the_variables_of_the_frame() -> None:
    rows, limit = [1, 2, 3, 4], 2
    assert here("any(row > limit for row in rows)") is True
    assert here("[row * limit for row in rows if row > limit]") == [6, 8]
    assert here("{row: limit for row in rows}") == dict.fromkeys(rows, limit)
    assert here("{(row, limit) for row in rows}") == {(row, limit) for row in rows}
    assert here("sorted(rows, key=lambda row: -row * limit)") == [4, 3, 2, 1]
    assert here("[[one + limit for one in range(row)] for row in rows]")[1] == [2, 3]
    assert here("(lambda a, *b, c=limit, **d: (a, b, c, d, rows))(1, 2, e=3)") == (1, (2,), 2, {"e": 3}, rows)


def test_names_that_an_expression_binds_itself_are_its_own() -> None:
    row = "the frame's"
    assert here("[row for row in (1, 2)]") == [1, 2]
    assert here("[row for row in row]")[:3] == ["t", "h", "e"]
    assert here("([row for row in (1,)], row)") == ([1], row)
    assert here("(lambda row: row)(3)") == 3
    assert here("(lambda row=row: row)()") == row
    assert here("(lambda one=lambda row: row: one(row))()") == row
    assert here("(lambda row, /, *, other=(lambda row: row): other(row))(5)") == 5
    assert here("[(one, two) for one, (two, *row) in [(1, (2, 3))]]") == [(1, 2)]
    assert here("[a for a in (1, 2) for b in (a, row)]") == [1, 1, 2, 2]


def test_name_without_a_meaning_is_an_error_only_where_it_is_reached() -> None:
    rows: Any = None
    assert here("rows is None or missing > 3") is True
    with pytest.raises(NameError, match="name 'missing' is not defined"):
        here("rows is None and missing > 3")
    assert here("'missing' in locals() and missing") is False
    assert rows is None


def test_variable_without_a_value_falls_back_to_the_module() -> None:
    assert here("shadowed") == "the module's"
    shadowed = 1
    assert here("shadowed") == shadowed == 1


def test_same_expression_serves_changing_frames() -> None:
    condition = compile_condition("amount > 10 and (amount < 100 or other)")

    def hit(amount: int, late: bool = False) -> bool:
        if late:
            other = True
            assert other
        return condition(sys._getframe())

    assert [hit(1), hit(20), hit(200, late=True)] == [False, True, True]
    with pytest.raises(NameError, match="other"):
        hit(200)
    assert hit(20)


def test_many_different_sets_of_missing_names_are_served() -> None:
    names = [f"n{number}" for number in range(5)]
    value_of = compile_expression("[" + ", ".join(f"'{name}' in locals() and {name}" for name in names) + "]")
    for chosen in range(32):
        space: dict[str, Any] = {name: True for place, name in enumerate(names) if chosen >> place & 1}
        exec("frame = sys._getframe()", {"sys": sys}, space)
        frame = space.pop("frame")
        assert value_of(frame) == [name in space for name in names]


def test_locals_and_globals_are_those_of_the_frame() -> None:
    own = 1
    assert here("locals()")["own"] == own
    assert here("globals()") is globals()
    assert here("'own' in locals() and 'WIDTH' in globals()") is True


@pytest.mark.skipif(sys.version_info < (3, 15), reason="new syntax")
def test_comprehensions_that_unpack_see_the_variables_of_the_frame() -> None:
    rows, other = [[1], [2]], [{"a": 1}]
    assert here("[*row for row in rows]") == [1, 2]
    assert here("{**one for one in other}") == {"a": 1}
    assert rows and other


def test_constants_need_no_names() -> None:
    assert here("1 + 1") == 2
    assert here("__debug__") is __debug__
    assert here("f'{1:>{3}}'") == "  1"


def test_formatted_texts_see_the_variables_of_the_frame() -> None:
    name, width = "ada", 5
    assert here("f'{name!r:>{width + 2}}'") == f"{name!r:>{width + 2}}"


def test_class_bodies_and_modules_have_variables() -> None:
    class Cart:
        limit = 3
        seen = here("limit + WIDTH", 1)

    assert Cart.seen == 10
    namespace: dict[str, Any] = {"here": here, "count": 4}
    exec("seen = here('count + 1')", namespace)
    assert namespace["seen"] == 5


def test_other_namespaces_are_asked_for_what_is_needed_only() -> None:
    asked = []

    class Space:
        data = {"count": 4}

        def __getitem__(self, name: str) -> Any:
            asked.append(name)
            return self.data[name]

        def __setitem__(self, name: str, value: Any) -> None:
            self.data[name] = value

        def __delitem__(self, name: str) -> None:
            raise KeyError(name)

    frames: list[Any] = []
    space = Space()
    exec("frames.append(sys._getframe())", {"sys": sys, "frames": frames, "extra": 1}, space)
    value_of = compile_expression("count + extra")
    asked.clear()
    assert value_of(frames[0]) == 5
    assert asked == ["count", "extra"]


def test_namespace_derived_from_dict_is_read_as_one() -> None:
    class Space(collections.defaultdict):  # type: ignore[type-arg]
        def __getitem__(self, name: str) -> Any:
            return dict.__getitem__(self, name)

        def get(self, *args: Any) -> Any:
            raise AssertionError

    frames: list[Any] = []
    space = Space(None, count=4, frames=frames, sys=sys)
    exec("frames.append(sys._getframe())", {}, space)
    assert compile_expression("count")(frames[0]) == 4


def test_mangled_names_are_written_out() -> None:
    class Cart:
        def __init__(self) -> None:
            self.__total = 3

        def look(self, text: str) -> Any:
            return compile_expression(text)(sys._getframe())

    assert Cart().look("self._Cart__total") == 3
    with pytest.raises(AttributeError):
        Cart().look("self.__total")


# Conditions


def test_conditions_give_the_truth_of_the_value() -> None:
    rows: list[int] = []
    assert compile_condition("rows")(sys._getframe()) is False
    assert compile_condition("not rows")(sys._getframe()) is True
    assert compile_condition("'text'")(sys._getframe()) is True
    assert rows == []


def test_value_without_a_truth_raises_inside() -> None:
    class Odd:
        def __bool__(self) -> bool:
            raise ValueError("neither")

    odd = Odd()
    with pytest.raises(ValueError, match="neither"):
        compile_condition("odd")(sys._getframe())
    assert odd is not None


def test_exceptions_come_out_as_they_are() -> None:
    with pytest.raises(ZeroDivisionError):
        here("1 // 0")
    with pytest.raises(KeyError, match="missing"):
        here("{}['missing']")
    with pytest.raises(RecursionError):
        here("(lambda f: f(f))(lambda f: f(f))")


def test_one_expression_serves_many_functions() -> None:
    value_of = compile_expression("count * WIDTH")
    source = "def hit(count):\n    return value_of(frame())\ndef other():\n    return value_of(frame())\ncount = 5"
    for width in (1, 2):
        space: dict[str, Any] = {"value_of": value_of, "frame": sys._getframe, "WIDTH": width}
        exec(source, space)
        for _ in range(2):
            assert (space["hit"](3), space["other"]()) == (3 * width, 5 * width)


def test_nothing_of_the_program_is_kept_alive() -> None:
    class Cart:
        pass

    value_of = compile_expression("cart or missing")

    def hit() -> weakref.ref[Any]:
        cart = Cart()
        assert value_of(sys._getframe()) is cart
        return weakref.ref(cart)

    gone = hit()
    for _ in range(3):
        gc.collect()
    assert gone() is None


def test_conditions_leave_the_variables_as_they_are() -> None:
    count = 1
    assert compile_condition("count == 1 and [count for count in (5,)]")(sys._getframe())
    assert count == 1


# What is refused

PROBLEMS = [
    ("", "is empty; give a Python expression"),
    (" \n\t", "is empty"),
    ("amount >", "does not compile: .* at column [89]; give a Python expression, such as"),
    ("  amount > > 1", "at column 12"),
    ("amount > 1)", "at column 11"),
    ("a) or (b", "does not compile"),
    ("a\nb", "is a statement, no expression"),
    ("x = 1", "is an assignment, and nonstop only reads; compare with =="),
    ("x += 1", "is an assignment"),
    ("x: int = 1", "is an assignment"),
    ("del x", "is a statement, no expression; give one, such as"),
    ("import os", "is a statement"),
    ("return x", "is a statement"),
    ("(n := 3) > 2", r"assigns to n with := at column 2; nonstop only reads"),
    ("'é' + (n := 'a')", r"at column 8"),
    ("[n := 1 for _ in rows]", "assigns to n with :="),
    ("lambda: (n := 1)", "assigns to n with :="),
    ("[0 for cart.total in rows]", "loops over an attribute or item, which it would change, at column 8"),
    ("[0 for rows[0] in rows]", "loops over an attribute or item"),
    ("(yield)", "has a yield at column 2"),
    ("(yield from rows)", "has a yield"),
    ("lambda: (yield)", "has a yield"),
    ("await rows", "has an await at column 1"),
    ("[row async for row in rows]", "has an async for"),
    ("(row async for row in rows)", "has an async for"),
    ("a\0b", "null byte"),
    ("'\ud800'", "cannot be read as source"),
    ("lambda a, a: 1", "does not compile: .*duplicate"),
    ("f(a=1, a=2)", "does not compile: .*keyword argument repeated"),
    ("*rows", "does not compile|is a statement"),
    ("None := 1", "does not compile"),
    ("x" * 5000, "has 5000 characters; at most 4000 are taken"),
]


@pytest.mark.parametrize(("text", "problem"), PROBLEMS)
def test_what_is_no_expression_or_would_write_is_refused(text: str, problem: str) -> None:
    for compile_text, what in ((compile_condition, "condition"), (compile_expression, "expression")):
        with pytest.raises(ConditionError, match=problem) as caught:
            compile_text(text)
        assert caught.value.code == f"invalid_{what}"
        message = str(caught.value)
        assert message.startswith(f"the {what} {text!r} " if len(text) < 100 else f"the {what} 'xxx")
        assert len(message) < 500
        assert caught.value.__cause__ is None


@pytest.mark.parametrize("text", [None, 3, b"amount > 1", ["amount"]])
def test_what_is_no_text_is_refused(text: Any) -> None:
    with pytest.raises(ConditionError, match="it must be text, such as") as caught:
        compile_condition(text)
    assert repr(text) in str(caught.value)
    assert caught.value.code == "invalid_condition"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 1900 + "1" + ")" * 1900,
        "[" * 1900 + "]" * 1900,
        "-" * 3900 + "1",
        "not " * 990 + "1",
        "a" + ".a" * 1900,
        "a" + "()" * 1900,
        "lambda: " * 490 + "1",
        "1" + "+1" * 1900,
        "1" + "**1" * 1300,
        "[1 for a in " * 300 + "[]" + "]" * 300,
    ],
)
def test_deep_nesting_is_refused_or_works(text: str) -> None:
    try:
        compile_expression(text)
    except ConditionError as error:
        assert len(str(error)) < 700


def test_long_texts_are_shown_by_their_begin() -> None:
    with pytest.raises(ConditionError) as caught:
        compile_condition("1 + " * 200)
    assert "…" in str(caught.value)


def test_kept_functions_are_bounded() -> None:
    names = [f"n{number}" for number in range(6)]
    expression = conditions.Expression(conditions._parsed("0 and (" + " + ".join(names) + ")"))
    for chosen in range(64):
        space: dict[str, Any] = {name: True for place, name in enumerate(names) if chosen >> place & 1}
        exec("frame = sys._getframe()", {"sys": sys}, space)
        assert expression.value(space.pop("frame")) == 0
        assert len(expression._functions) <= 16
