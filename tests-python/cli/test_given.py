"""Breakpoints as they are written on the command line."""

from __future__ import annotations

from typing import Optional

import pytest
from nonstop.cli.given import Given, breakpoint_from, counter_from, logpoint_from
from nonstop.errors import ArgumentError, NonstopError, TemplateError


@pytest.mark.parametrize(
    ("text", "location", "condition"),
    [
        ("shop.py:42", "shop.py:42", None),
        ("shop.py:42 if total > 100", "shop.py:42", "total > 100"),
        ("  shop.py:42   if   total > 100  ", "shop.py:42", "total > 100"),
        ("shop.py:Cart.total if self", "shop.py:Cart.total", "self"),
        ("shop.py:größe if x", "shop.py:größe", "x"),
        ("package.module:7 if x", "package.module:7", "x"),
        ("my if file.py:3 if x == ':'", "my if file.py:3", "x == ':'"),
        ("a b/shop.py:3 if f(x if y else z)", "a b/shop.py:3", "f(x if y else z)"),
        ("shop.py:3 if {1: 2}[x:1 if y else 2]", "shop.py:3", "{1: 2}[x:1 if y else 2]"),
        ("shop.py:3 if\tx", "shop.py:3", "x"),
        ("C:\\shop.py:3 if x", "C:\\shop.py:3", "x"),
        ("shop.py:3\nif (x\n  and y)", "shop.py:3", "(x\n  and y)"),
        # What is no location is for the engine to refuse.
        ("shop.py if x", "shop.py if x", None),
        ("shop.py:3 iff x", "shop.py:3 iff x", None),
        ("", "", None),
    ],
)
def test_location_ends_at_the_first_if_behind_a_target(text: str, location: str, condition: Optional[str]) -> None:
    given = breakpoint_from(text)
    assert (given.location, given.condition, given.action) == (location, condition, "breakpoint")
    assert counter_from(text)[2:4] == (location, condition)


@pytest.mark.parametrize("text", ["shop.py:3 if", "shop.py:3 if  "])
def test_if_without_a_condition_is_refused(text: str) -> None:
    with pytest.raises(ArgumentError, match=r"-b 'shop.py:3 if'.*'shop.py:3 if x > 3'"):
        breakpoint_from(text)


@pytest.mark.parametrize(
    ("text", "location", "condition", "message"),
    [
        ("shop.py:42: total={total}", "shop.py:42", None, "total={total}"),
        ("shop.py:42:total={total:>6}", "shop.py:42", None, "total={total:>6}"),
        ("shop.py:Cart.total: it is 3:4 if x: y", "shop.py:Cart.total", None, "it is 3:4 if x: y"),
        ("shop.py:3 if x: message: more", "shop.py:3", "x", "message: more"),
        ("shop.py:3 if d['a':]: got {d}", "shop.py:3", "d['a':]", "got {d}"),
        ("shop.py:3 if x == ':': got {d!r:>3}", "shop.py:3", "x == ':'", "got {d!r:>3}"),
        ("shop.py:3 if (lambda y: y)(x): got", "shop.py:3", "(lambda y: y)(x)", "got"),
        ("my if file.py:3 if x: t", "my if file.py:3", "x", "t"),
        # A condition that is none: refused later, in the parser's words.
        ("shop.py:3 if x >: text", "shop.py:3", "x >", "text"),
    ],
)
def test_message_follows_the_location_or_the_condition(
    text: str, location: str, condition: Optional[str], message: str
) -> None:
    given = logpoint_from(text)
    assert (given.location, given.condition, given.template) == (location, condition, message)
    assert given.action == "logpoint"


@pytest.mark.parametrize(
    "text", ["shop.py:3", "shop.py:3:", "shop.py:3:  ", "shop.py:3 if x", "shop.py:3 if x:", "", "x"]
)
def test_log_without_a_message_is_refused(text: str) -> None:
    with pytest.raises(TemplateError, match="message"):
        logpoint_from(text)


def test_refusals_name_the_option_and_the_text() -> None:
    with pytest.raises(NonstopError, match=r"^--log 'shop.py:3': "):
        logpoint_from("shop.py:3")
    assert counter_from("shop.py:3").text == "--count 'shop.py:3'"


def test_rules_go_where_they_make_sense() -> None:
    rules = {"capture": ["x"], "rate": 2.0, "limits": {"depth": 2}}
    assert breakpoint_from("a.py:1").with_defaults(rules).rules == rules
    assert logpoint_from("a.py:1: x").with_defaults(rules).rules == {"rate": 2.0, "limits": {"depth": 2}}
    assert counter_from("a.py:1").with_defaults(rules).rules == {"rate": 2.0}


def test_what_a_breakpoint_says_itself_wins() -> None:
    given = Given("x", "breakpoint", "a.py:1", rules={"rate": 1.0})
    assert given.with_defaults({"rate": 9.0, "max_hits": 3}).rules == {"rate": 1.0, "max_hits": 3}
