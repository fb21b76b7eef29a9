"""No safe expression runs code of the program, whatever the program is made of."""

from __future__ import annotations

import abc
import collections
import enum
import sys
from typing import Any, Callable, Dict, List, Mapping

import pytest
from nonstop import conditions
from nonstop.safe.conditions import compile_expression

#: The methods of the program that ran.
RAN: List[str] = []

_SPECIAL = """
    __getattribute__ __getattr__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __hash__ __bool__ __len__ __contains__
    __iter__ __next__ __reversed__ __getitem__ __missing__ __length_hint__ __index__ __int__ __float__ __complex__
    __add__ __radd__ __iadd__ __sub__ __rsub__ __mul__ __rmul__ __truediv__ __rtruediv__ __floordiv__ __mod__ __rmod__
    __pow__ __rpow__ __lshift__ __rlshift__ __and__ __rand__ __or__ __ror__ __xor__ __neg__ __pos__ __invert__ __abs__
    __round__ __trunc__ __str__ __repr__ __format__ __bytes__ __dir__ __sizeof__ __call__ __get__ __instancecheck__
    __subclasscheck__ __fspath__ __enter__ __copy__ __reduce_ex__ keys values items get startswith upper count split
""".split()


def _told(name: str) -> Callable[..., Any]:
    def method(*arguments: Any, **keywords: Any) -> Any:
        RAN.append(name)
        # What would let most callers go on.
        if name in ("__hash__", "__len__", "__index__", "__int__", "__length_hint__"):
            return 7
        if name in ("__eq__", "__bool__", "__contains__", "__lt__", "__instancecheck__"):
            return True
        return "a" if name in ("__str__", "__repr__", "__format__") else None

    return method


def _methods(*without: str) -> Dict[str, Any]:
    found = {name: _told(name) for name in _SPECIAL if name not in without}
    found["field"] = property(_told("field"))
    found["__class__"] = property(_told("__class__"))
    return found


class _Descriptor:
    __get__ = _told("a descriptor")


class _DataDescriptor(_Descriptor):
    __set__ = _told("a descriptor's __set__")


def _class(name: str, *bases: type, without: tuple[str, ...] = (), **more: Any) -> Any:
    return type(name, bases, {**_methods(*without), **more})


Meta = _class("Meta", type, without=("__call__", "__getattribute__"), mro=type.mro)
ASKED = Meta("Asked", (), _methods())


class Virtual(metaclass=abc.ABCMeta):  # noqa: B024
    @classmethod
    def __subclasshook__(cls, other: type) -> bool:
        RAN.append("__subclasshook__")
        return True


class Plain:
    shared = _Descriptor()
    held = _DataDescriptor()
    made = property(_told("made"))

    @classmethod
    def of_class(cls) -> None:
        RAN.append("of_class")

    def method(self) -> None:
        RAN.append("method")


class Behind:
    """Its `__dict__` is a property of the program's."""

    def __init__(self) -> None:
        object.__getattribute__(self, "__dict__")

    __dict__ = property(_told("__dict__"))  # type: ignore[assignment]


class Member(enum.Enum):
    ONE = 1
    value = property(_told("value"))  # type: ignore[assignment]


class Lookup(Mapping):  # type: ignore[type-arg]
    __getitem__ = _told("__getitem__")
    __len__ = _told("__len__")
    __iter__ = _told("__iter__")


def _with_key(key: Any) -> dict[Any, Any]:
    made = {"one": 1, key: 2}
    return made


def _made(kind: Any, *arguments: Any) -> Any:
    return kind.__new__(kind, *arguments)


Hostile = _class("Hostile")
HostileText = _class("HostileText", str, without=("__new__",))
HostileKey = _class("HostileKey", __hash__=lambda self: hash("two"), __eq__=_told("__eq__"))
HostileInt = _class("HostileInt", int)
HostileFloat = _class("HostileFloat", float)
HostileList = _class("HostileList", list)
HostileTuple = _class("HostileTuple", tuple)
HostileDict = _class("HostileDict", dict)
HostileSet = _class("HostileSet", set)
HostileBytes = _class("HostileBytes", bytes)
HostileError = _class("HostileError", Exception)
HostileQueue = _class("HostileQueue", collections.deque)
HostileDefault = _class("HostileDefault", collections.defaultdict)
Missing = type("Missing", (dict,), {"__missing__": _told("__missing__")})
WithAttribute = _made(Plain)
vars(WithAttribute)[HostileKey()] = 3


def _hostile_set() -> set[Any]:
    return {HostileKey()}


HOSTILE: Dict[str, Any] = {
    "an object": _made(Hostile),
    "a text": _made(HostileText, "two"),
    "bytes": _made(HostileBytes, b"two"),
    "an integer": _made(HostileInt, 3),
    "a float": _made(HostileFloat, 3.0),
    "a list": _made(HostileList),
    "a tuple": _made(HostileTuple, (1, 2)),
    "a dictionary": _made(HostileDict),
    "a set": _made(HostileSet),
    "a queue": _made(HostileQueue),
    "a defaultdict": _made(HostileDefault),
    "a defaultdict with a factory": collections.defaultdict(_told("the factory")),
    "one that misses": Missing(),
    "an exception": _made(HostileError),
    "an exception that holds one": ValueError(_made(Hostile)),
    "a class": Hostile,
    "a class of a metaclass": ASKED,
    "an object of a metaclass": _made(ASKED),
    "an abstract class": Virtual,
    "a mapping": Lookup(),
    "descriptors": Plain(),
    "an attribute that is no text": WithAttribute,
    "a hidden namespace": Behind(),
    "a member": Member.ONE,
    "a list of one": [_made(Hostile)],
    "a tuple of one": (_made(Hostile), 1),
    "a dictionary of one": {"two": _made(Hostile), "one": 1},
    "a key like another": _with_key(HostileKey()),
    "a set of one": _hostile_set(),
    "a list inside": [[1, [_made(Hostile)]]],
    "a slice": slice(_made(Hostile), None),
    "a function": Plain.method,
    "a method": Plain().method,
    "a generator": (RAN.append("a generator") for _ in range(3)),
    "a view": {HostileKey(): 1}.keys(),
    "an iterator": iter([_made(Hostile)]),
}

EXPRESSIONS = """
hostile
hostile.field
hostile.other
hostile.shared
hostile.held
hostile.made
hostile.of_class
hostile.method
hostile.value
hostile.name
hostile.args
hostile.two
hostile.x.y
hostile.__class__
hostile.__class__.__name__
hostile.__name__
hostile["two"]
hostile[0]
hostile[0:1]
hostile[0] == 1
hostile[hostile]
table[hostile]
items[hostile]
items[hostile:]
text[hostile]
hostile == hostile
hostile == 3
3 == hostile
hostile != "two"
"two" == hostile
[hostile] == [3]
[hostile] == [hostile]
{"a": hostile} == {"a": 1}
(1, hostile) == (1, 2)
hostile < 3
3 >= hostile
[hostile] < [3]
hostile in items
hostile in table
hostile in text
"two" in hostile
3 in hostile
hostile in hostile
hostile in [hostile, 1]
hostile in {"two"}
hostile is None
not hostile
hostile and 1
1 if hostile else 2
hostile or 1
hostile + 1
1 + hostile
hostile + hostile
hostile * 2
2 * hostile
hostile / 2
hostile % 2
"%s" % hostile
hostile ** 2
2 ** hostile
hostile << 1
hostile & 1
hostile | {1}
-hostile
~hostile
+hostile
f"{hostile}"
f"{hostile!r}"
f"{hostile!a}"
f"{hostile:>10}"
f"{1:{hostile}}"
str(hostile)
repr(hostile)
ascii(hostile)
len(hostile)
abs(hostile)
min(hostile)
max(hostile, 1)
min([hostile, 1])
sum(hostile)
sum([hostile, 1])
sum([1], hostile)
sorted(hostile)
sorted([hostile, 1])
any(hostile)
all([hostile])
bool(hostile)
int(hostile)
float(hostile)
round(hostile)
round(1.5, hostile)
hash(hostile)
hash((hostile, 1))
id(hostile)
type(hostile)
type(hostile) == type(hostile)
type(hostile).field
isinstance(hostile, int)
isinstance(1, hostile)
isinstance(hostile, hostile)
isinstance(1, (hostile, int))
list(hostile)
tuple(hostile)
set(hostile)
set([hostile])
{hostile}
{hostile: 1}
{1: hostile}
[hostile, hostile]
chr(hostile)
ord(hostile)
hostile.keys()
hostile.get("two")
hostile.get(hostile)
table.get(hostile)
table.get("none", hostile)
hostile.upper()
hostile.startswith("a")
text.startswith(hostile)
text.count(hostile)
text.split(hostile)
hostile.items()
""".strip().splitlines()


def test_there_are_enough() -> None:
    assert len(HOSTILE) * len(EXPRESSIONS) > 4000


def _what_ran(hostile: Any, compile_it: Callable[[object], Any], texts: List[str]) -> Dict[str, List[str]]:
    space: Dict[str, Any] = {"hostile": hostile, "items": [1, 2], "table": {"two": 2}, "text": "two"}
    exec("import sys\ndef here(value_of):\n    return value_of(sys._getframe())", space)
    found = {}
    for text in texts:
        RAN.clear()
        try:
            space["here"](compile_it(text))
        except Exception as error:
            # Nor does what a report says of it.
            str(error)
        if RAN:
            found[text] = list(RAN)
    return found


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_of_the_program_runs(name: str) -> None:
    assert _what_ran(HOSTILE[name], compile_expression, EXPRESSIONS) == {}


def test_full_expressions_run_it() -> None:
    assert len(_what_ran(HOSTILE["an object"], conditions.compile_expression, ["hostile.field", "hostile == 3"])) == 2
    assert _what_ran(HOSTILE["a key like another"], conditions.compile_expression, ["hostile['two']"])
    assert _what_ran(HOSTILE["a class of a metaclass"], conditions.compile_expression, ["isinstance(1, hostile)"])


class Space(collections.UserDict):  # type: ignore[type-arg]
    """A namespace that the program looks names up in."""

    def __getitem__(self, name: str) -> Any:
        RAN.append(name)
        return self.data[name]


class Prepared(type):
    @classmethod
    def __prepare__(cls, name: str, bases: tuple[type, ...], **more: Any) -> Any:
        return Space()

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: Any) -> Any:
        return type.__new__(cls, name, bases, namespace.data)


def test_namespace_of_a_class_is_not_asked() -> None:
    refused = []

    def look(compile_it: Callable[[object], Any]) -> None:
        try:
            compile_it("anything")(sys._getframe(1))
        except Exception as error:
            refused.append(str(error))

    for compile_it in (compile_expression, conditions.compile_expression):
        RAN.clear()
        space = {"look": look, "compile_it": compile_it, "Prepared": Prepared, "__name__": __name__}
        exec("class Made(metaclass=Prepared):\n    look(compile_it)", space)
        assert ("anything" in RAN) is (compile_it is conditions.compile_expression)
    assert refused[0] == "the namespace of this frame is of a class that may look names up by code of its own"
