"""Inside a comprehension (docs/semantics.md, rule 1.7): every expectation holds on every interpreter, whether the
comprehension has a frame of its own there or not.
"""

# ruff: noqa: B023, C400, C416, F841 (these comprehensions are looked into, not used)

from __future__ import annotations

import asyncio
import sys
import textwrap
import types
from typing import Any

import nonstop
import pytest
from nonstop import scopes
from nonstop.conditions import compile_condition, compile_expression

limit = "the module's"


def here(text: str) -> Any:
    """The value of an expression in the frame that calls."""
    return compile_expression(text)(sys._getframe(1))


def run(text: str, **given: Any) -> dict[str, Any]:
    namespace = {"__name__": "shop", "sys": sys, "here": here, **given}
    exec(compile(textwrap.dedent(text), "/srv/shop.py", "exec"), namespace)
    return namespace


def shown(document: Any, frame: int = 0) -> dict[str, Any]:
    """The values of the variables of a frame; what is no scalar is None."""
    return {name: value.get("value") for name, value in document["frames"][frame]["locals"].items()}


def functions(document: Any) -> list[str]:
    return [frame["function"] for frame in document["frames"]]


# Snapshots


def test_comprehension_is_shown_as_a_part_of_the_function_around(snapshot: Any) -> None:
    def total(amounts: Any) -> Any:
        factor = 3
        return [
            snapshot(sys._getframe())
            for amount in amounts
        ]  # fmt: skip

    (document,) = total((20,))
    assert functions(document)[:2] == [
        "total",
        "test_comprehension_is_shown_as_a_part_of_the_function_around",
    ]
    assert document["location"]["function"] == "total"
    assert document["frames"][0]["line"] == total.__code__.co_firstlineno + 3
    variables = shown(document)
    del variables["snapshot"]
    assert variables == {"amounts": None, "factor": 3, "amount": 20}


@pytest.mark.parametrize("text", ["[{}]", "{{{}}}", "{{{}: one}}", "{{one: {}}}"])
def test_every_kind_of_comprehension_is_shown_so(snapshot: Any, text: str) -> None:
    seen: list[Any] = []
    take = "seen.append(snapshot(sys._getframe()))"
    body = text.format(take)[:-1] + " for one in many" + text[-1]
    run(f"def f(many):\n    return {body}", seen=seen, snapshot=snapshot)["f"]((7,))
    (document,) = seen
    assert functions(document)[:2] == ["f", "test_every_kind_of_comprehension_is_shown_so"]
    assert shown(document) == {"many": None, "one": 7}


def test_nested_comprehensions_are_one_frame(snapshot: Any) -> None:
    def grid(size: int) -> Any:
        return [[snapshot(sys._getframe()) for column in (row + 1,)] for row in (size,)]

    ((document,),) = grid(4)
    assert functions(document)[:2] == ["grid", "test_nested_comprehensions_are_one_frame"]
    assert {name: value for name, value in shown(document).items() if name != "snapshot"} == {
        "size": 4,
        "row": 4,
        "column": 5,
    }


def test_variable_of_the_comprehension_hides_that_of_the_function(snapshot: Any) -> None:
    def f(one: str) -> Any:
        inside = [snapshot(sys._getframe()) for one in (1,)]
        return *inside, snapshot(sys._getframe())

    inside, after = f("the function's")
    assert shown(inside)["one"] == 1
    assert shown(after)["one"] == "the function's"


def test_caller_inside_a_comprehension_is_shown_so_too(snapshot: Any) -> None:
    def inner() -> Any:
        return snapshot(sys._getframe())

    def outer() -> Any:
        own = 5
        return {number: inner() for number in (own,)}

    document = outer()[5]
    assert functions(document)[:3] == ["inner", "outer", "test_caller_inside_a_comprehension_is_shown_so_too"]
    assert shown(document, 1)["own"] == shown(document, 1)["number"] == 5


def test_comprehension_and_function_count_as_one_frame(snapshot: Any) -> None:
    def f() -> Any:
        own = 1
        return [snapshot(sys._getframe(), frames=1, frames_with_locals=1) for number in (own,)]

    (document,) = f()
    assert functions(document) == ["f"]
    assert {"own", "number"} <= {*shown(document)}
    assert document["cut"] == ["frames"]


def test_generator_expression_keeps_its_own_frame(snapshot: Any) -> None:
    def f(many: Any) -> Any:
        return list(snapshot(sys._getframe()) for one in many)

    (document,) = f((1,))
    assert functions(document)[:2] == ["<genexpr>", "f"]
    assert "one" in shown(document)
    assert "many" not in shown(document)
    assert "many" in shown(document, 1)


def test_comprehension_in_a_generator_expression_is_part_of_that(snapshot: Any) -> None:
    def f(many: Any) -> Any:
        return list([snapshot(sys._getframe()) for two in (one,)] for one in many)

    ((document,),) = f((1,))
    assert functions(document)[:2] == ["<genexpr>", "f"]
    assert {"one", "two"} <= {*shown(document)}


def test_comprehension_in_a_lambda_is_part_of_that(snapshot: Any) -> None:
    f = lambda size: [snapshot(sys._getframe()) for one in (size,)]  # noqa: E731
    (document,) = f(3)
    assert functions(document)[:2] == ["<lambda>", "test_comprehension_in_a_lambda_is_part_of_that"]
    assert shown(document)["size"] == shown(document)["one"] == 3


def test_function_made_and_called_in_a_comprehension_keeps_its_own_frame(snapshot: Any) -> None:
    def f() -> Any:
        return [(lambda: (snapshot(sys._getframe()), one))() for one in (1,)]

    ((document, _),) = f()
    assert functions(document)[:2] == ["<lambda>", "f"]
    assert shown(document)["one"] == 1


def test_asynchronous_comprehension_is_part_of_its_coroutine(snapshot: Any) -> None:
    async def many() -> Any:
        yield 1
        await asyncio.sleep(0)
        yield 2

    async def f() -> Any:
        own = 5
        return [(own, snapshot(sys._getframe())) async for one in many()]

    first, second = (document for _, document in asyncio.run(f()))
    assert functions(first)[:1] == functions(second)[:1] == ["f"]
    assert (shown(first)["one"], shown(second)["one"]) == (1, 2)
    assert shown(first)["own"] == shown(second)["own"] == 5


def test_comprehension_of_a_module_is_shown_with_its_variables_and_no_definitions(snapshot: Any) -> None:
    space = run(
        """
        import os
        def total(): pass
        count = 3
        one = "the module's"
        documents = [[snapshot(sys._getframe()) for two in (2,)] for one in (1,)]
        """,
        snapshot=snapshot,
    )
    ((document,),) = space["documents"]
    assert document["location"]["function"] == "<module>"
    variables = shown(document)
    del variables["snapshot"]
    assert variables == {"count": 3, "one": 1, "two": 2}


def test_comprehension_of_a_class_shows_what_it_sees_itself(snapshot: Any) -> None:
    def make(own: int) -> Any:
        class Cart:
            count: int = 3
            documents = [(own, snapshot(sys._getframe())) for one in (1,)]

        return Cart

    ((_, document),) = make(5).documents
    assert functions(document)[:2] == ["Cart", "make"]
    variables = shown(document)
    del variables["snapshot"]
    assert variables == {"own": 5, "one": 1}
    assert shown(document, 1)["own"] == 5


def test_comprehension_of_a_class_in_a_module_shows_what_it_sees_itself(snapshot: Any) -> None:
    space = run(
        """
        class Cart:
            count = 3
            documents = [[snapshot(sys._getframe()) for two in (2,)] for one in (1,)]
        """,
        snapshot=snapshot,
    )
    ((document,),) = space["Cart"].documents
    assert functions(document)[:2] == ["Cart", "<module>"]
    assert shown(document) == {"one": 1, "two": 2}


def test_keys_of_a_modules_own_making_are_not_called(snapshot: Any, hostile: Any) -> None:
    key = hostile.kind(str)("odd")
    space = {"snapshot": snapshot, "sys": sys, "hostile": hostile, key: 3}
    code = compile("with hostile.armed():\n    made = [snapshot(sys._getframe()) for one in (1,)]", "shop.py", "exec")
    exec(code, space)
    (document,) = space["made"]
    assert (shown(document)["one"], shown(document)["odd"]) == (1, 3)


def test_comprehension_in_an_annotation_of_a_class_is_part_of_that(snapshot: Any) -> None:
    """It cannot be inlined: it may see the class."""
    try:
        space = run(
            """
            class Cart:
                count = 3
                type Pair = [snapshot(sys._getframe()) for one in (count,)]
            """,
            snapshot=snapshot,
        )
    except SyntaxError:
        pytest.skip("the `type` statement came with Python 3.12")
    (document,) = space["Cart"].Pair.__value__
    assert functions(document)[0] == "Pair"
    assert shown(document)["one"] == 3


# Conditions, captures, log templates


def test_expressions_see_the_function_around() -> None:
    factor, one = 3, "the function's"
    assert [here("amount * factor") for amount in (1, 2)] == [3, 6]
    assert [here("one") for one in (1, 2)] == [1, 2]
    assert [[here("(first, second, factor)") for second in (first + 1,)] for first in (1,)] == [[(1, 2, 3)]]
    assert {here("amount + factor") for amount in (1,)} == {4}
    assert {here("(amount, factor)"): here("amount") for amount in (1,)} == {(1, 3): 1}
    assert (factor, one) == (3, "the function's")


def test_conditions_see_the_function_around() -> None:
    condition = compile_condition("amount > least and len(str(amount)) < 3")

    def f(amounts: Any, least: int) -> list[bool]:
        return [condition(sys._getframe()) for amount in amounts]

    assert f((1, 20, 300), 10) == [False, True, False]
    assert f((1, 20, 300), 0) == [True, True, False]


def test_one_expression_serves_comprehensions_and_functions() -> None:
    value_of = compile_expression("(one, own)")

    def f(own: int, one: int) -> Any:
        return value_of(sys._getframe()), [value_of(sys._getframe()) for one in (1,)], value_of(sys._getframe())

    assert f(5, 7) == f(5, 7) == ((7, 5), [(1, 5)], (7, 5))


def test_variable_of_a_finished_comprehension_is_gone() -> None:
    def f() -> Any:
        assert [one for one in (1,)] == [1]
        return [here("'one' in locals()") for two in (2,)], here("'one' in locals()")

    assert f() == ([False], False)


def test_assignment_expression_binds_in_the_function() -> None:
    def f() -> Any:
        return [(last := one, here("(last, one)")) for one in (1, 2)], last

    assert f() == ([(1, (1, 1)), (2, (2, 2))], 2)


def test_locals_are_those_of_both() -> None:
    def f(own: int) -> Any:
        return [here("sorted(locals().items())") for one in (1,)]

    assert f(5) == [[("one", 1), ("own", 5)]]
    assert run('own = 5\nmade = [here(\'locals()["own"], locals()["one"]\') for one in (1,)]')["made"] == [(5, 1)]


def test_captures_and_log_lines_see_the_function_around(snapshot: Any, log: Any) -> None:
    texts = ["one + own", "missing"]
    captures = [(text, compile_expression(text)) for text in texts]

    def f(own: int) -> Any:
        return [
            (
                snapshot(sys._getframe(), captures),
                log(sys._getframe(), "{one} of {own}", *map(compile_expression, ("one", "own"))),
            )
            for one in (1,)
        ]

    ((document, line),) = f(5)
    assert document["captures"]["one + own"]["value"] == 6
    assert "NameError" in str(document["captures"]["missing"])
    assert line["message"] == "1 of 5"
    assert line["location"]["function"] == "f"


def test_expressions_of_an_asynchronous_comprehension_see_its_coroutine() -> None:
    async def many() -> Any:
        yield 1
        await asyncio.sleep(0)
        yield 2

    async def f(own: int) -> Any:
        return [here("one * own") async for one in many() if here("own > one")]

    assert asyncio.run(f(5)) == [5, 10]


def test_expressions_in_a_modules_comprehension_see_the_module() -> None:
    space = run("limit = 3\nmade = [[here('(one, two, limit, len)') for two in (2,)] for one in (1,)]")
    assert space["made"] == [[(1, 2, 3, len)]]


def test_expressions_in_a_classs_comprehension_see_what_the_comprehension_sees() -> None:
    def make(own: int) -> Any:
        class Cart:
            limit = "the class's"
            made = [here("(one, own, limit)") for one in (own,)]

        return Cart

    assert make(5).made == [(5, 5, "the module's")]


def test_class_body_sees_the_variables_of_functions_around_that_it_mentions() -> None:
    own, hidden = 5, 6

    class Cart:
        own
        limit = "the class's"
        made = here("(own, limit)")
        with pytest.raises(NameError, match="hidden"):
            here("hidden")

        class Inner:
            made = here("own"), own

    assert Cart.made == (5, "the class's")
    assert Cart.Inner.made == (5, 5)
    assert hidden == 6


# Where what is around is not known


def test_frame_whose_caller_is_not_the_code_around_is_left_as_it_is(snapshot: Any) -> None:
    """As where a tool calls the code of a comprehension by itself."""
    both = lambda one: (snapshot(sys._getframe()), compile_expression("'own' in locals()")(sys._getframe()))  # noqa: E731
    function = types.FunctionType(both.__code__.replace(co_name="<listcomp>"), globals(), "f", None, both.__closure__)

    def calls(own: int) -> Any:
        return function(own)

    document, is_seen = calls(5)
    assert functions(document)[:2] == ["<listcomp>", "calls"]
    assert shown(document)["one"] == 5
    assert "own" not in shown(document)
    assert shown(document, 1)["own"] == 5
    assert not is_seen


def test_answers_that_are_kept_are_bounded() -> None:
    for number in range(3 * scopes._MOST_PAIRS):
        assert run(f"own = {number}\nclass C:\n    made = here('made_by')", made_by=number)["C"].made == number
        space = run("def f(own):\n    class C:\n        own\n        made = here('own')\n    return C.made")
        assert space["f"](number) == number
    assert 0 < len(scopes._pairs) <= scopes._MOST_PAIRS


def test_comprehension_in_code_that_was_copied_is_known_all_the_same(snapshot: Any) -> None:
    """The parent's constant and the code that runs may be different copies, where one was replaced meanwhile."""

    def f(own: int) -> Any:
        return [snapshot(sys._getframe()) for one in (1,)]

    constants = [
        constant.replace() if isinstance(constant, types.CodeType) else constant for constant in f.__code__.co_consts
    ]
    code, other = f.__code__, f.__code__.replace(co_consts=tuple(constants))
    for constant, copy in zip(code.co_consts, other.co_consts):
        if isinstance(constant, types.CodeType):
            assert scopes._made_by(constant, other)
            assert scopes._made_by(copy, code)
    assert scopes._made_by(code, test_comprehension_in_code_that_was_copied_is_known_all_the_same.__code__)
    assert not scopes._made_by(code, other)


# Through the debugger


def test_hit_in_a_comprehension_names_the_function_and_sees_its_variables() -> None:
    def total(amounts: Any, least: int) -> Any:
        return [
            amount * 2
            for amount in amounts
            if amount
        ]  # fmt: skip

    line = total.__code__.co_firstlineno + 2
    with nonstop.Debugger() as debugger:
        watched = debugger.breakpoint(
            f"{__file__}:{line}", condition="amount > least", capture=["amount + least"], max_hits=2
        )
        noted = debugger.logpoint(f"{__file__}:{line}", "{amount} of {least}", condition="amount > least")
        assert total((1, 20, 300), 10) == [2, 40, 600]
        snapshots = list(watched.snapshots(timeout=5))
        lines = [next(noted.snapshots(timeout=5)) for _ in range(2)]
    assert watched.arrivals == 3
    assert [one.location.function for one in snapshots] == ["total", "total"]
    assert [one.location.line for one in snapshots] == [line, line]
    assert [one.captures["amount + least"].value for one in snapshots] == [30, 310]
    assert [one.frames[0].locals["least"].value for one in snapshots] == [10, 10]
    assert [one.message for one in lines] == ["20 of 10", "300 of 10"]


# CPython 3.13.0 to 3.13.2 misreads some variables; reading those would end the process


def test_variable_that_comprehension_and_closure_share_ends_no_process(snapshot: Any) -> None:
    def f(own: int) -> Any:
        one = 1
        get = lambda: one  # noqa: E731
        return [(snapshot(sys._getframe()), here("own")) for one in (2,)], get, snapshot(sys._getframe())

    ((inside, own),), get, after = f(5)
    assert own == 5
    assert get() == 1
    assert shown(inside)["own"] == shown(after)["own"] == 5
    assert shown(inside).get("one", 2) == 2
    assert shown(after).get("one", 1) == 1


@pytest.mark.parametrize("others", [0, 300])
def test_condition_has_the_value_or_says_why_not(others: int) -> None:
    many = "; ".join(f"v{number} = {number}" for number in range(others)) or "pass"
    space = run(
        f"""
        def f(condition):
            {many}
            one = 1
            get = lambda: one
            return [condition(sys._getframe()) for one in (2,)], get
        """
    )
    try:
        (value,), _ = space["f"](compile_expression("one"))
    except NameError as error:
        assert "take a later 3.13" in str(error)  # noqa: PT017 (only there)
    else:
        assert value == 2
