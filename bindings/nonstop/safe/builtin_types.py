"""Which types are the interpreter's own, so that what they do runs nothing of the program.

Types are told apart by their address: a metaclass may define equality and hashes.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

from nonstop.walk.objects import class_attribute, class_dict, derives, mro_of, plain, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def _addresses(*kinds: type) -> frozenset[int]:
    return frozenset(map(id, kinds))


#: Real numbers.
REALS = _addresses(int, float, bool)
NUMBERS = REALS | _addresses(complex)
#: Integers.
INTEGERS = _addresses(int, bool)
TEXTS = _addresses(str, bytes)
#: What holds no other objects. Two of these are compared, hashed and shown by the interpreter alone.
SCALARS = NUMBERS | TEXTS | _addresses(type(None), type(...), type(NotImplemented), bytearray, range)
SEQUENCES = _addresses(list, tuple)
SETS = _addresses(set, frozenset)

_OBJECT_EQUALITY: Any = class_dict(object)["__eq__"]


def is_scalar(value: object) -> bool:
    """Whether a value is of a builtin type that holds no other objects."""
    return id(type(value)) in SCALARS


def all_scalars(values: Iterable[object]) -> bool:
    """Whether all values are."""
    return SCALARS.issuperset(map(id, map(type, values)))


def is_any(value: object, kinds: frozenset[int]) -> bool:
    """Whether the type of a value is one of these."""
    return id(type(value)) in kinds


def has_plain_metaclass(kind: type) -> bool:
    """Whether a class is compared and checked as classes are, and not as a metaclass of the program's says."""
    return type(kind) is type


def is_compared_by_identity(value: object) -> bool:
    """Whether a value is equal to itself only, as its class defines nothing else."""
    kind = type(value)
    if kind is type or kind is types.FunctionType or kind is types.ModuleType:
        return True
    return class_attribute(kind, "__eq__") is _OBJECT_EQUALITY


def builtin_base(kind: type, bases: Iterable[type], *methods: str) -> type | None:
    """The first of these bases that a class has, unless a class before it defines one of these methods anew."""
    base = next((base for base in bases if derives(kind, base)), None)
    for one in mro_of(kind):
        if one is base:
            return base
        if any(method in class_dict(one) for method in methods):
            return None
    return None


#: By builtin type: the value of an object of a class that is made of it, as one of the type itself.
_PLAIN: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (int, int.__pos__),
    (float, float.__pos__),
    (str, plain),
    (bytes, lambda value: bytes.__getitem__(value, slice(None))),
    (tuple, lambda value: tuple.__getitem__(value, slice(None))),
    (list, lambda value: list.__getitem__(value, slice(None))),
)
_COMPARES = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__")


def comparable(value: Any) -> Any:
    """The same value as one of a builtin type, where its class compares as that does: a member of `enum.IntEnum`, a
    named tuple. Others are given back.
    """
    kind = type(value)
    if id(kind) in SCALARS or id(kind) in SEQUENCES:
        return value
    for base, convert in _PLAIN:
        if builtin_base(kind, (base,), *_COMPARES) is not None:
            return convert(value)
    return value


def described(value: object) -> str:
    """A value in an error: its type, with an article."""
    name = type_name(type(value))
    return f"{'an' if name[:1] in 'aeiouAEIOU' else 'a'} {name}"
