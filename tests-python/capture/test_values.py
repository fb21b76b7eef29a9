"""How values are shown, as the engine's JSON."""

from __future__ import annotations

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import ipaddress
import math
import operator
import pathlib
import re
import sys
import threading
import types
import uuid
import weakref
from typing import Any, NamedTuple

import pytest

PYPY = sys.implementation.name == "pypy"


def text(type_name: str, value: str, **more: Any) -> dict[str, Any]:
    return {"type": type_name, "value": value, **more}


def number(value: int) -> dict[str, Any]:
    return {"type": "int", "value": value}


# Numbers and texts


@pytest.mark.parametrize("value", [0, 1, -1, 999, 1000, -101, 2**63 - 1, -(2**63), 2**64 - 1])
def test_integers_are_shown(show: Any, value: int) -> None:
    assert show(value) == number(value)


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, 10**600])
def test_integers_beyond_64_bits_are_shown_by_their_digits(show: Any, value: int) -> None:
    assert show(value) == text("int", str(value))


def test_huge_integers_are_shown_by_their_first_digits(show: Any) -> None:
    assert show(1 << 4000) == text("int", "0x1" + "0" * 63, size=1003, cut="characters")
    assert show(-(1 << 4_000_000))["value"] == "-0x1" + "0" * 63


@pytest.mark.skipif(not hasattr(sys, "set_int_max_str_digits"), reason="this interpreter has no limit")
def test_strictest_limit_of_digits_is_no_problem(show: Any) -> None:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        assert show((1 << 2000) - 1)["type"] == "int"
        assert show(1 << 2001)["cut"] == "characters"
    finally:
        sys.set_int_max_str_digits(before)


@pytest.mark.parametrize(
    ("value", "shown"), [(1.5, 1.5), (-0.0, -0.0), (1e300, 1e300), (math.inf, "inf"), (-math.inf, "-inf")]
)
def test_floats_are_shown(show: Any, value: float, shown: Any) -> None:
    assert show(value) == {"type": "float", "value": shown}


def test_nan_is_shown(show: Any) -> None:
    assert show(math.nan) == text("float", "nan")


def test_constants_are_shown(show: Any) -> None:
    assert show(None) == {"type": "NoneType", "value": None}
    assert show(True) == {"type": "bool", "value": True}
    assert show(False) == {"type": "bool", "value": False}
    assert show(...)["value"] == "Ellipsis"
    assert show(NotImplemented)["value"] == "NotImplemented"
    assert show(1 + 2j) == text("complex", "(1+2j)")


@pytest.mark.parametrize(
    "value",
    ["", "plain", "Zoë €😀", "a\nb\t\0", "\x10\x1e\x1f\x10p\x10", "x" * 200 + "\x1f", "\x7f\x80\u2028", 'say "hi" \\'],
)
def test_texts_are_shown_as_they_are(show: Any, value: str) -> None:
    assert show(value) == text("str", value)


def test_lone_surrogates_become_readable(show: Any) -> None:
    assert show("caf\udce9")["value"] == "caf\\udce9"
    assert show("\udce9" * 30)["value"] == "\\udce9" * 30


def test_long_texts_are_cut(show: Any) -> None:
    assert show("é" * 1000) == text("str", "é" * 256, size=1000, cut="characters")
    assert show("abcdef", text_chars=3) == text("str", "abc", size=6, cut="characters")


def test_bytes_are_shown_as_literals(show: Any) -> None:
    assert show(b"a\x00'") == text("bytes", repr(b"a\x00'"))
    assert show(bytearray(b"ab")) == text("bytearray", "b'ab'")
    assert show(b"a" * 1000) == text("bytes", "b'" + "a" * 254, size=1000, cut="characters")
    assert show(b"\0" * 256) == text("bytes", ("b'" + r"\x00" * 64)[:256], size=256, cut="characters")


def test_memory_is_shown_by_its_size(show: Any) -> None:
    view = memoryview(b"abc")
    assert show(view) == text("memoryview", "<memory of 3 bytes>")
    view.release()
    assert show(view) == {"type": "memoryview", "cut": "could not be read: ValueError"}


# Collections


def test_collections_are_shown_with_their_size(show: Any) -> None:
    for value in ([1, 2], (1, 2), {1, 2}, frozenset((1, 2)), collections.deque((1, 2)), array.array("i", (1, 2))):
        assert show(value) == {"type": type(value).__name__, "items": [number(1), number(2)], "size": 2}
    for value in ([], (), set(), frozenset(), collections.deque()):
        assert show(value) == {"type": type(value).__name__, "items": [], "size": 0}


def test_mappings_are_shown_as_pairs(show: Any) -> None:
    expected = [[number(1), text("str", "a")], [text("str", "b"), number(2)]]
    pairs = [(1, "a"), ("b", 2)]
    kinds = (dict, collections.OrderedDict, functools.partial(collections.defaultdict, None))
    for value in (*(kind(pairs) for kind in kinds), types.MappingProxyType(dict(pairs))):
        assert show(value) == {"type": type(value).__name__, "entries": expected, "size": 2}
    assert show({}) == {"type": "dict", "entries": [], "size": 0}
    assert show(collections.Counter("aab"))["entries"] == [[text("str", "a"), number(2)], [text("str", "b"), number(1)]]


def test_views_of_mappings_are_shown(show: Any) -> None:
    value = {1: 2}
    assert show(value.keys())["items"] == [number(1)]
    assert show(value.values())["items"] == [number(2)]
    assert show(value.items())["items"] == [{"type": "tuple", "items": [number(1), number(2)], "size": 2}]


def test_order_of_an_ordered_dict_is_its_own(show: Any) -> None:
    value = collections.OrderedDict([("a", 1), ("b", 2)])
    value.move_to_end("a")
    assert [key["value"] for key, _ in show(value)["entries"]] == ["b", "a"]


@pytest.mark.parametrize("size", [25, 26, 1000])
def test_items_beyond_the_limit_are_cut(show: Any, size: int) -> None:
    for value in (list(range(size)), tuple(range(size)), set(range(size)), collections.deque(range(size))):
        shown = show(value)
        assert (len(shown["items"]), shown["size"], shown.get("cut")) == (25, size, "items" if size > 25 else None)
    shown = show(dict.fromkeys(range(size)))
    assert (len(shown["entries"]), shown["size"], shown.get("cut")) == (25, size, "items" if size > 25 else None)


def test_large_limit_of_items_is_kept(show: Any) -> None:
    shown = show(list(range(1000)), items=100)
    assert (len(shown["items"]), shown["cut"]) == (100, "items")
    assert len(show(list(range(90)), items=100)["items"]) == 90


def test_levels_beyond_the_depth_are_cut(show: Any) -> None:
    shown = show([[[[1]]]])
    assert shown["items"][0]["items"][0]["items"] == [{"type": "list", "size": 1, "cut": "depth"}]
    assert show([1], depth=1)["items"] == [number(1)]
    assert show({1: (2,)}, depth=1)["entries"][0][1] == {"type": "tuple", "size": 1, "cut": "depth"}


def test_value_that_was_cut_at_the_depth_is_shown_where_there_is_room(show: Any) -> None:
    deep = [7]
    shown = show([[[deep]], deep], depth=3)
    assert shown["items"][1] == {"type": "list", "items": [number(7)], "size": 1}


def test_deepest_nesting_is_walked(show: Any) -> None:
    value: Any = 1
    for _ in range(5000):
        value = [value]
    assert show(value, depth=1000)["type"] == "list"


def test_cycles_are_references(show: Any) -> None:
    value: Any = [1]
    value.append(value)
    assert show(value) == {"type": "list", "items": [number(1), {"type": "list", "ref": 1}], "size": 2, "id": 1}
    mapping: Any = {}
    mapping["self"] = mapping
    assert show(mapping)["entries"][0][1] == {"type": "dict", "ref": 1}
    plain = types.SimpleNamespace()
    plain.self = plain
    assert show(plain)["fields"]["self"] == {"type": "SimpleNamespace", "ref": 1}


def test_shared_values_are_shown_once(show: Any) -> None:
    shared = [7]
    other = {8: 9}
    shown = show([shared, other, shared, other, shared])
    assert [item.get("id") for item in shown["items"]] == [1, 2, None, None, None]
    assert [item.get("ref") for item in shown["items"]] == [None, None, 1, 2, 1]


def test_ranges_and_slices_are_shown(show: Any) -> None:
    assert show(range(3)) == text("range", "range(0, 3)")
    assert show(range(5, 0, -2)) == text("range", "range(5, 0, -2)")
    assert show(slice(1, None))["fields"] == {
        "start": number(1),
        "stop": {"type": "NoneType", "value": None},
        "step": {"type": "NoneType", "value": None},
    }


# Objects


class Point(NamedTuple):
    x: int
    password: str


@dataclasses.dataclass
class Cart:
    owner: str
    rows: list[int]


class Slotted:
    __slots__ = ("_b", "a", "unset")

    def __init__(self) -> None:
        self.a, self._b = 1, 2


class SlottedAndMore(Slotted):
    def __init__(self) -> None:
        super().__init__()
        self.more = 3


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Name(str, enum.Enum):
    ADA = "ada"


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


def test_objects_are_shown_by_their_fields(show: Any) -> None:
    assert show(Cart("ada", [1])) == {
        "type": "Cart",
        "fields": {"owner": text("str", "ada"), "rows": {"type": "list", "items": [number(1)], "size": 1}},
        "size": 2,
    }
    assert show(types.SimpleNamespace(a=1))["fields"] == {"a": number(1)}


def test_slots_are_fields_and_those_not_set_are_left_out(show: Any) -> None:
    assert sorted(show(Slotted())["fields"]) == ["_b", "a"]
    assert show(Slotted())["size"] == 2
    assert list(show(SlottedAndMore())["fields"])[-1] == "more"
    assert show(SlottedAndMore())["size"] == 3


def test_named_tuples_are_shown_with_their_names(show: Any) -> None:
    assert show(Point(1, "secret")) == {
        "type": "Point",
        "fields": {"x": number(1), "password": {"type": "str", "redacted": True}},
        "size": 2,
    }


def test_names_that_look_like_secrets_reach_the_engine(show: Any) -> None:
    assert show(types.SimpleNamespace(api_key="abc"))["fields"]["api_key"] == {"type": "str", "redacted": True}
    assert show({"token": "abc"})["entries"][0][1] == {"type": "str", "redacted": True}


def test_fields_beyond_the_limit_are_cut(show: Any) -> None:
    shown = show(types.SimpleNamespace(**{f"f{number}": number for number in range(60)}))
    assert (len(shown["fields"]), shown["size"], shown["cut"]) == (50, 60, "fields")


def test_members_of_enumerations_are_shown_by_their_name(show: Any) -> None:
    assert show(Colour.RED) == text("Colour", "Colour.RED")
    assert show(Level.HIGH) == text("Level", "Level.HIGH")
    assert show(Name.ADA) == text("Name", "Name.ADA")
    assert show(Rights.READ) == text("Rights", "Rights.READ")
    assert show(Rights.READ | Rights.WRITE)["type"] == "Rights"


def test_exceptions_are_shown_with_their_arguments(show: Any) -> None:
    error: Any = ValueError("bad", 3)
    error.order = 7
    assert show(error)["fields"] == {
        "args": {"type": "tuple", "items": [text("str", "bad"), number(3)], "size": 2},
        "order": number(7),
    }
    assert show(KeyError())["fields"]["args"]["size"] == 0
    assert show(OSError(2, "gone"))["fields"]["args"]["size"] == 2


def test_subclasses_of_builtins_are_shown_like_them(show: Any) -> None:
    for base, value, shown in (
        (int, 3, {"value": 3}),
        (float, 1.5, {"value": 1.5}),
        (str, "abc", {"value": "abc"}),
        (bytes, b"abc", {"value": "b'abc'"}),
        (bytearray, b"abc", {"value": "b'abc'"}),
        (complex, 1j, {"value": "1j"}),
        (list, [1], {"items": [number(1)], "size": 1}),
        (tuple, (1,), {"items": [number(1)], "size": 1}),
        (set, {1}, {"items": [number(1)], "size": 1}),
        (frozenset, {1}, {"items": [number(1)], "size": 1}),
        (collections.deque, [1], {"items": [number(1)], "size": 1}),
        (dict, {1: 2}, {"entries": [[number(1), number(2)]], "size": 1}),
        (collections.OrderedDict, {1: 2}, {"entries": [[number(1), number(2)]], "size": 1}),
    ):
        kind: Any = type("Mine", (base,), {})
        assert show(kind(value)) == {"type": "Mine", **shown}


def test_long_values_of_subclasses_are_cut(show: Any) -> None:
    assert show(type("Mine", (str,), {})("a" * 300)) == text("Mine", "a" * 256, size=300, cut="characters")
    assert show(type("Mine", (bytes,), {})(b"a" * 300))["size"] == 300
    assert show(type("Mine", (int,), {})(1 << 4000))["value"].startswith("0x1")


# Texts of the standard library


class Elsewhere(datetime.tzinfo):
    def utcoffset(self, when: Any) -> datetime.timedelta:
        raise AssertionError("the program's code ran")


NOON = datetime.datetime(2024, 2, 29, 12, 0)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (NOON, "2024-02-29 12:00:00"),
        (NOON.replace(tzinfo=datetime.timezone.utc), "2024-02-29 12:00:00+00:00"),
        (NOON.replace(tzinfo=Elsewhere()), "2024-02-29 12:00:00 <Elsewhere>"),
        (NOON.date(), "2024-02-29"),
        (NOON.time(), "12:00:00"),
        (NOON.time().replace(tzinfo=Elsewhere()), "12:00:00 <Elsewhere>"),
        (datetime.timedelta(seconds=90), "0:01:30"),
        (decimal.Decimal("1.50"), "1.50"),
        (decimal.Decimal("NaN"), "NaN"),
        (fractions.Fraction(1, 3), "1/3"),
        (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (pathlib.PurePosixPath("/srv/shop.py"), "/srv/shop.py"),
        (pathlib.Path("a") / "b", str(pathlib.Path("a") / "b")),
        (ipaddress.ip_address("::1"), "::1"),
        (re.compile("a+"), "a+"),
        (re.compile(b"a+"), "b'a+'"),
        (re.match("a", "ab"), "<match at 0 to 1>"),
    ],
)
def test_values_of_the_standard_library_are_shown_as_text(show: Any, value: Any, shown: str) -> None:
    assert show(value) == text(type(value).__name__, shown)


def test_showing_a_decimal_makes_no_context_in_the_thread(show: Any) -> None:
    value = decimal.Decimal("1.5")
    default, precision = decimal.DefaultContext, decimal.DefaultContext.prec
    seen = []

    def look() -> None:
        show(value)
        default.prec = 7
        seen.append(decimal.getcontext().prec)

    thread = threading.Thread(target=look)
    try:
        thread.start()
        thread.join()
    finally:
        default.prec = precision
    assert seen == [7]


# Code


def function(self: Any = None) -> Any:
    yield 1


def test_code_is_shown_by_its_name(show: Any) -> None:
    assert show(function) == text("function", f"<function {__name__}.function>")
    assert show(lambda: 0)["value"].endswith(".test_code_is_shown_by_its_name.<locals>.<lambda>>")
    assert show(len)["value"] == "<built-in function len>"
    assert show(Cart) == text("type", f"<class {__name__}.Cart>")
    assert show(int) == text("type", "<class int>")
    assert show(types.MethodType(function, 1)) == text("method", f"<method {__name__}.function>")
    assert show(math) == text("module", "<module math>")
    assert show(function()) == text("generator", "<generator function>")
    assert show(function.__code__) == text("code", "<code function>")
    assert show(sys._getframe())["value"].startswith("<frame test_code_is_shown_by_its_name, line ")


def test_partial_functions_are_shown_by_their_parts(show: Any) -> None:
    shown = show(functools.partial(divmod, 7))["fields"]
    assert shown["func"]["value"] == "<built-in function divmod>"
    assert shown["args"]["items"] == [number(7)]


def test_coroutines_are_shown_and_not_run(show: Any) -> None:
    async def work() -> None:
        raise AssertionError

    coroutine = work()
    assert show(coroutine)["value"] == "<coroutine test_coroutines_are_shown_and_not_run.<locals>.work>"
    coroutine.close()


# What cannot be seen from outside


def test_values_without_fields_are_opaque(show: Any) -> None:
    for value in (object(), threading.Lock(), iter([1]), operator.itemgetter(1)):
        shown = show(value)
        assert shown["type"] == type(value).__name__
        if not PYPY:
            assert shown == {"type": type(value).__name__, "cut": "opaque"}


def test_weak_proxies_are_not_touched(show: Any) -> None:
    cart = Cart("ada", [])
    proxy = weakref.proxy(cart)
    assert show(proxy)["cut"] == "opaque"
    del cart
    assert show(proxy)["cut"] == "opaque"


def test_thread_locals_are_not_set_up(show: Any) -> None:
    class Local(threading.local):
        made = 0

        def __init__(self) -> None:
            Local.made += 1

    local = Local()
    seen = []
    thread = threading.Thread(target=lambda: seen.append(show(local)))
    thread.start()
    thread.join()
    assert seen == [{"type": "Local", "cut": "opaque"}]
    assert Local.made == 1


# Hostile programs


def test_nothing_of_a_hostile_object_is_called(show: Any, hostile: Any) -> None:
    kind = hostile.kind()
    value = kind()
    vars(value).update(x=1, y=[value])
    with hostile.armed():
        shown = show(value)
        assert shown["fields"]["x"] == number(1)
        assert show([value, {1: value}, (value,)])["size"] == 3
        assert show(kind)["type"] == "HostileMeta"
        assert show(kind)["value"].endswith(".Hostile>")


@pytest.mark.parametrize(
    ("base", "make"),
    [
        (int, lambda kind: kind(3)),
        (float, lambda kind: kind(1.5)),
        (complex, lambda kind: kind(1)),
        (str, lambda kind: kind("abc\x1f\n")),
        (str, lambda kind: kind("a" * 300)),
        (bytes, lambda kind: kind(b"abc")),
        (bytes, lambda kind: kind(b"a" * 300)),
        (bytearray, lambda kind: kind(b"abc")),
        (list, lambda kind: kind([1, 2])),
        (tuple, lambda kind: kind([1, 2])),
        (set, lambda kind: kind([1, 2])),
        (frozenset, lambda kind: kind([1, 2])),
        (collections.deque, lambda kind: kind([1, 2])),
        (dict, lambda kind: kind(a=1)),
        (collections.OrderedDict, lambda kind: kind(a=1)),
        (collections.defaultdict, lambda kind: kind(None, a=1)),
        (BaseException, lambda kind: kind(1)),
        (OSError, lambda kind: kind(1, "text")),
        (types.ModuleType, lambda kind: kind("hostile")),
        (datetime.datetime, lambda kind: kind(2024, 1, 1)),
        (decimal.Decimal, lambda kind: kind("1.5")),
        (pathlib.PurePosixPath, lambda kind: kind("a/b")),
        (uuid.UUID, lambda kind: kind(int=1)),
        (weakref.ref, lambda kind: kind(Cart)),
        (threading.local, lambda kind: kind()),
        (Point, lambda kind: kind(1, 2)),
        (Cart, lambda kind: kind("ada", [])),
        (Slotted, lambda kind: kind()),
    ],
)
def test_nothing_of_a_hostile_subclass_is_called(show: Any, hostile: Any, base: Any, make: Any) -> None:
    value = make(hostile.kind(base))
    with hostile.armed():
        assert show(value)["type"] == "Hostile"
        assert show([value])["items"][0]["type"] == "Hostile"


def test_nothing_of_hostile_keys_and_items_is_called(show: Any, hostile: Any) -> None:
    calls: list[str] = []

    def noted(name: str, result: Any) -> Any:
        def method(self: Any, *args: Any) -> Any:
            calls.append(name)
            return result

        return method

    kind = hostile.kind(__hash__=noted("hash", 1), __eq__=noted("eq", False))
    first, second = kind(), kind()
    values: list[Any] = [{first: 1, second: 2}, {first, second}, frozenset((first, second))]
    values += [collections.OrderedDict.fromkeys([first, second]), collections.Counter([first, second])]
    values += [values[0].keys(), values[0].items(), collections.deque((first, second))]
    calls.clear()
    with hostile.armed():
        for value in values:
            assert show(value)["size"] == 2
    assert calls == []


def test_names_that_are_no_plain_texts_are_shown(show: Any, hostile: Any) -> None:
    kept = {"__hash__": object.__hash__, "__eq__": object.__eq__}
    value = Cart("", [])
    vars(value).clear()
    vars(value).update({hostile.kind(str, __hash__=str.__hash__, __eq__=str.__eq__)("odd\x1f"): 1})
    try:
        vars(value)[hostile.kind(**kept)()] = 2
        vars(value)[3] = 4  # type: ignore[index]
    except TypeError:
        pytest.skip("this interpreter takes texts only")
    with hostile.armed():
        assert show(value)["fields"] == {"odd\x1f": number(1), "<Hostile>": number(2), "<int>": number(4)}


def test_class_with_an_odd_name_is_shown(show: Any) -> None:
    class Odd:
        pass

    class Text(str):
        def __str__(self) -> str:
            raise AssertionError

        __repr__ = __format__ = __str__  # type: ignore[assignment]

    Odd.__name__ = Text("odd\x1f\n")
    assert show(Odd())["type"] == "odd\x1f\n"
    assert show(type("", (), {})())["type"] == "?"


def test_dict_behind_a_property_is_not_asked_for(show: Any) -> None:
    class Below:
        pass

    class Lying(Below):
        @property
        def __dict__(self) -> Any:  # type: ignore[override]
            raise AssertionError

    lying = Lying()
    lying.x = 1  # type: ignore[attr-defined]
    assert show(lying)["fields"] == {"x": number(1)}

    class Alone:
        @property
        def __dict__(self) -> Any:  # type: ignore[override]
            raise AssertionError

    assert show(Alone()) == {"type": "Alone", "cut": "opaque"}


def test_slot_that_was_replaced_is_not_asked_for(show: Any) -> None:
    class Changing:
        __slots__ = ("a", "b")

    value = Changing()
    value.a = value.b = 1
    assert list(show(value)["fields"]) == ["a", "b"]

    def trap(self: Any) -> None:
        raise AssertionError

    Changing.a = property(trap)  # type: ignore[assignment]
    assert list(show(value)["fields"]) == ["b"]


def test_attributes_in_a_dict_of_a_hostile_class_are_shown(show: Any, hostile: Any) -> None:
    cart = Cart("", [])
    cart.__dict__ = hostile.kind(dict)(x=1)
    with hostile.armed():
        assert show(cart)["fields"] == {"x": number(1)}


def test_collections_that_other_threads_change_are_shown(show: Any) -> None:
    mapping: dict[int, int] = {}
    members: set[int] = set()
    rows: list[int] = []
    queue: Any = collections.deque()
    over = threading.Event()

    def change() -> None:
        number = 0
        while not over.is_set():
            number += 1
            for one in range(50):
                mapping[number * 50 + one] = one
                members.add(number * 50 + one)
                rows.append(one)
                queue.append(one)
            for each in (mapping, members, rows, queue):
                each.clear()  # type: ignore[attr-defined]

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(30):
            for value in (mapping, members, rows, queue):
                assert show(value)["type"] == type(value).__name__
    finally:
        over.set()
        thread.join()


def test_collection_that_never_holds_still_says_so(show: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from nonstop.walk import values

    monkeypatch.setattr(values, "_first", lambda each, value, most: None)
    reason = "changed while it was read"
    assert show({1, 2}) == {"type": "set", "items": [], "size": 2, "cut": reason}
    assert show(collections.OrderedDict(a=1)) == {"type": "OrderedDict", "entries": [], "size": 1, "cut": reason}
    assert show(types.SimpleNamespace(a=1)) == {"type": "SimpleNamespace", "fields": {}, "size": 1, "cut": reason}
