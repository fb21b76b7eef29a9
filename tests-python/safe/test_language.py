"""Safe expressions: what they give is what Python gives, and what they refuse says why."""

from __future__ import annotations

import collections
import datetime
import enum
import sys
from typing import Any, NamedTuple

import nonstop
import pytest
from nonstop.errors import ConditionError
from nonstop.safe.budget import Refused
from nonstop.safe.conditions import compile_condition, compile_expression


class Colour(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Point(NamedTuple):
    x: int
    y: int


class Slotted:
    __slots__ = ("one", "unset")

    def __init__(self) -> None:
        self.one = 1


class User:
    kind = "person"
    nothing = None

    def __init__(self) -> None:
        self.name = "ada"
        self.tags = ["a", "b"]


class Names(dict):  # type: ignore[type-arg]
    pass


#: What the expressions below speak of.
VALUES: dict[str, Any] = {
    "a": 7,
    "b": -3,
    "f": 2.5,
    "big": 10**400,
    "text": "shop ☃",
    "raw": b"shop",
    "items": [3, 1, 2],
    "pair": (1, "one"),
    "nested": [1, [2, (3, {"four": 5})]],
    "table": {"one": 1, 2: "two", (1, 2): 3, None: None},
    "tags": {"x", "y"},
    "frozen": frozenset({1, 2}),
    "nothing": None,
    "yes": True,
    "colour": Colour.RED,
    "level": Level.HIGH,
    "point": Point(3, 4),
    "user": User(),
    "other": User(),
    "slotted": Slotted(),
    "counts": collections.Counter("aab"),
    "default": collections.defaultdict(list, {"x": [1]}),
    "ordered": collections.OrderedDict(x=1),
    "names": Names(x=1),
    "queue": collections.deque([1, 2, 3]),
    "numbers": range(10),
    "day": datetime.date(2026, 11, 27),
    "moment": datetime.datetime(2026, 11, 27, 12, 30),
    "span": datetime.timedelta(days=2),
    "error": KeyError("k"),
    "Level": Level,
    "User": User,
    "sys": sys,
}


def evaluate(text: str, values: dict[str, Any] = VALUES) -> Any:
    space = dict(values)
    exec("import sys\ndef here(value_of):\n    return value_of(sys._getframe())", space)
    return space["here"](compile_expression(text))


def python(text: str) -> Any:
    return eval(text, dict(VALUES))


SAME_AS_PYTHON = """
a
a + b * 2 - a // b % 5
a / b ** 2
a << 3 | b & 6 ^ 1 >> 1
~a + -b - +a
f * 2.0 + 1j
big + 1
a < 10 <= 12 != 5 > b
a == 7.0 == yes * 7
text + "!" * 3
text[0] + text[-1] + text[1:3] + text[::-1]
raw[0] == 115 and raw[:2] == b"sh"
"shop" in text and "x" not in text
text.startswith("sh") and text.upper().endswith(("x", "☃"))
text.split(" ")[1].strip().lower().count("☃")
text.find("o", 1)
items[0] + items[-1]
items + [4] == [3, 1, 2, 4]
items[1:] * 2
items < [3, 2]
items == [3, 1, 2] and items != (3, 1, 2)
2 in items and 9 not in items
nested[1][1][1]["four"]
nested == [1, [2, (3, {"four": 5})]]
nested == [1, [2, (3, {"four": 6})]]
table["one"] + table[1, 2]
table[2] == "two" and table[None] is None
table.get("none") is None and table.get("none", 4) == 4
"one" in table and (1, 2) in table and 5 not in table
len(table) + len(items) + len(text) + len(raw) + len(tags) + len(queue) + len(numbers)
{"x", "y"} == tags and tags >= {"x"} and tags - {"x"} == {"y"}
frozen | {3} == {1, 2, 3}
{1: "x", 2: [a]} == {2: [7], 1: "x"}
nothing is None and nothing is not a
not nothing and not [] and not "" and not 0 and not {}
nothing or a and text
a if f > 2 else b
colour.name + str(colour.value)
colour == colour and colour is colour
level == 2 and level > 1 and level in (2, 3)
point.x + point.y + point[0]
point == (3, 4) and point < (3, 5)
user.name == "ada" and user.kind == "person"
user.nothing is None
user == user and user != other
user.tags[0]
slotted.one
counts["a"] + counts["b"]
default["x"] == [1]
ordered["x"] + names["x"] + ("x" in names)
queue[0] + queue[-1] and 2 in queue
numbers[3] in numbers and numbers.stop == 10
day.year + day.month + day.day + moment.year + moment.hour + span.days
error.args[0]
Level.HIGH.value
User.kind + User.__name__
user.__class__.__name__
sys.maxsize > 0
type(user) is User and type(a) == type(b)
isinstance(a, int) and isinstance(yes, (str, int)) and not isinstance(text, bytes)
isinstance(user, User)
abs(b) + min(items) + max(items) + sum(items) + min(a, b) + len(max("xy"))
sorted(items) + sorted(tags) * 0
any(items) and all(items) and any([]) is False
round(f) + round(f, 1) + int(f) + int("12") + float("1.5") + bool(a)
str(a) + repr(text) + str(f) + repr(raw) + str(nothing) + ascii(text)
repr(nested) + str(table) + repr(pair) + repr((1,)) + repr(()) + repr(frozenset()) + repr(set())
f"{a}:{a:>5}|{f:.2f}|{text!r}|{text:>10}|{a:{b + 8}}|{items}|{nothing}"
hash(text) == hash("shop ☃") and hash(a) == 7 and hash(pair) == hash((1, "one"))
ord("a") + len(chr(97))
list(numbers)[2:4] + list(tuple(items)) + list(table.keys())[:1] + list("ab")
set(items) == {1, 2, 3} and frozenset(items) == {1, 2, 3}
id(user) == id(user)
__debug__
""".strip().splitlines()


@pytest.mark.parametrize("text", SAME_AS_PYTHON)
def test_value_is_that_of_python(text: str) -> None:
    value, expected = evaluate(text), python(text)
    assert type(value) is type(expected)
    assert value == expected


RAISES = {
    "missing": NameError,
    "table['none']": KeyError,
    "items[9]": IndexError,
    "user.email": AttributeError,
    "slotted.unset": AttributeError,
    "a / 0": ZeroDivisionError,
    "a < text": TypeError,
    "int('x')": ValueError,
    "1.5 ** 10000": OverflowError,
    "sys.none": AttributeError,
    "User.none": AttributeError,
    "len()": TypeError,
    "f'{text:d}'": ValueError,
}


@pytest.mark.parametrize("text", RAISES)
def test_error_is_that_of_python(text: str) -> None:
    with pytest.raises(RAISES[text]):
        evaluate(text)
    with pytest.raises(RAISES[text]):
        python(text)


NOT_IN_THE_LANGUAGE = {
    "[n for n in items]": "has a comprehension at column 1",
    "{n for n in items}": "has a comprehension",
    "{n: n for n in items}": "has a comprehension",
    "any(n for n in items)": "has a generator expression at column ",
    "(lambda: 1)()": "calls what is no name",
    "lambda: 1": "has a lambda",
    "open('x')": "calls open, and safe expressions call only abs, all",
    "eval('1')": "calls eval",
    "getattr(a, 'real')": "calls getattr",
    "globals()": "calls globals",
    "locals()": "calls locals",
    "user.__dict__": "reads __dict__",
    "user.name.__globals__": "reads __globals__",
    "[*items]": "unpacks with *",
    "{**table}": "unpacks with **",
    "max(items, default=1)": "calls with a keyword",
    "max(*items)": "unpacks with *",
    "a @ b": "multiplies matrices",
    "(a := 1)": "assigns to a with :=",
    "-" * 60 + "a": "is nested more than 40 levels deep",
}


@pytest.mark.parametrize("text", NOT_IN_THE_LANGUAGE)
def test_what_is_no_part_of_it_is_refused_when_it_is_set(text: str) -> None:
    with pytest.raises(ConditionError) as error:
        compile_condition(text)
    message = str(error.value)
    assert NOT_IN_THE_LANGUAGE[text] in message
    assert ":=" in text or "expressions='full'" in message


TOO_MUCH = [
    "10 ** 10 ** 10",
    "2 ** (1 << 40)",
    "1 << 10 ** 9",
    "1 << (1 << 100)",
    "'x' * 10 ** 9",
    "10 ** 9 * [0]",
    "(0,) * a ** 9",
    "big ** 999",
    "big ** big",
    "str(10 ** 9999)",
    "f'{10 ** 9999}'",
    "f'{a:1000000000}'",
    "f'{a:.100000000f}'",
    "f'{text:>{10 ** 9}}'",
    "huge + huge",
    "huge * 2",
    "huge in huge",
    "huge.upper()",
    "huge.count('a')",
    "f'{huge}'",
    "repr(huge)",
    "repr(long)",
    "sorted(long)",
    "sum(long)",
    "[a] in long",
    "long == again",
    "list(numbers_without_end)",
    "sum(numbers_without_end)",
    "wide[1]",
    "deep == deeper",
    "repr(deep)",
    "int(digits)",
    "{huge: 1}",
    "hash(huge)",
]


def _deep(levels: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


@pytest.fixture(scope="module")
def large() -> dict[str, Any]:
    return {
        **VALUES,
        "huge": "x" * 200_000_000,
        "long": list(range(1_000_000)),
        "again": list(range(1_000_000)),
        "numbers_without_end": range(10**12),
        "wide": dict.fromkeys(range(100_000)),
        "deep": _deep(500),
        "deeper": _deep(500),
        "digits": "9" * 100_000,
    }


@pytest.mark.parametrize("text", TOO_MUCH)
def test_what_would_take_too_much_is_refused_before_it_is_done(text: str, large: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        evaluate(text, large)


def test_time_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nonstop.safe.budget._clock", iter(range(1000)).__next__)
    assert evaluate("sum(some)", {"some": range(100)}) == 4950
    with pytest.raises(Refused, match="takes longer than 5 ms"):
        evaluate("sum(some) + sum(some)", {"some": range(10_000)})


def test_name_of_a_builtin_may_be_the_programs() -> None:
    with pytest.raises(Refused, match="len is no builtin function here"):
        evaluate("len(items)", {**VALUES, "len": lambda value: 1})


def test_debugger_takes_safe_expressions() -> None:
    def price(amount: int) -> int:
        return amount * 2

    with nonstop.Debugger(expressions="safe") as debugger:
        counter = debugger.counter(price, condition="amount > 10 and str(amount) == '20'")
        asked = debugger.breakpoint(price, capture=["amount + 1"], condition="amount == 1", max_hits=1)
        told = debugger.logpoint(price, "{amount:03d}", condition="amount == 1", max_hits=1)
        price(20)
        price(1)
        assert (counter.hits, counter.false) == (1, 1)
        (snapshot,) = asked.snapshots(timeout=5)
        assert snapshot.captures["amount + 1"].value == 2
        (line,) = told.snapshots(timeout=5)
        assert line.message == "001"
        with pytest.raises(ConditionError, match="calls print"):
            debugger.counter(price, condition="print(amount)")
    with pytest.raises(nonstop.ArgumentError, match="expressions is 'fast'; it must be 'full' or 'safe'"):
        nonstop.Debugger(expressions="fast")


def test_refusal_is_an_error_of_the_condition() -> None:
    class Money:
        def __eq__(self, other: object) -> bool:
            raise AssertionError

        __hash__ = None  # type: ignore[assignment]

    def pay(money: Money) -> None:
        pass

    with nonstop.Debugger(expressions="safe") as debugger:
        counter = debugger.counter(pay, condition="money == 3")
        pay(Money())
        assert (counter.hits, counter.errors) == (0, 1)
