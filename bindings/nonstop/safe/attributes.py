"""Reading attributes by the interpreter's own means."""

from __future__ import annotations

import collections
import datetime
import enum
import operator
import types
from typing import TYPE_CHECKING, Any

from nonstop.safe.budget import Refused
from nonstop.safe.builtin_types import described
from nonstop.safe.items import found_in
from nonstop.walk.objects import MEMBER, Layout, class_attribute, class_dict, derives, module_dict, type_name

if TYPE_CHECKING:
    from nonstop.safe.budget import Budget

_FUNCTION = types.FunctionType

#: Fields that are given by code of the interpreter or of the standard library that runs nothing else.
_FIELDS: dict[type, frozenset[str]] = {
    complex: frozenset({"real", "imag"}),
    int: frozenset({"real", "imag", "numerator", "denominator"}),
    float: frozenset({"real", "imag"}),
    range: frozenset({"start", "stop", "step"}),
    slice: frozenset({"start", "stop", "step"}),
    BaseException: frozenset({"args", "__cause__", "__context__"}),
    StopIteration: frozenset({"value"}),
    SystemExit: frozenset({"code"}),
    OSError: frozenset({"errno", "strerror", "filename"}),
    datetime.date: frozenset({"year", "month", "day"}),
    datetime.datetime: frozenset({"hour", "minute", "second", "microsecond", "tzinfo", "fold"}),
    datetime.time: frozenset({"hour", "minute", "second", "microsecond", "tzinfo", "fold"}),
    datetime.timedelta: frozenset({"days", "seconds", "microseconds"}),
}
#: Where the members of enumerations keep what their class gives under another name.
_OF_MEMBERS = {"name": "_name_", "value": "_value_"}
#: What stands in the class of a named tuple: on PyPy a property.
_NAMED_FIELD = type(class_dict(collections.namedtuple("_", ["field"]))["field"])
_MISSING: Any = object()


def attribute(budget: Budget, value: Any, name: str) -> object:
    """What an attribute holds: a field of the object, or a constant of its class.

    Raises ``Refused`` for what the program would have to be asked for, `AttributeError` for what is not there.
    """
    budget.spend()
    kind = type(value)
    if kind is types.ModuleType:
        found = found_in(budget, module_dict(value), name, _MISSING)
        if found is _MISSING:
            raise AttributeError(f"the module has no attribute {name!r} of its own")
        return found
    if derives(kind, type):
        return _of_class(value, name)
    of_class: Any = class_attribute(kind, name, _MISSING)
    if type(of_class) is MEMBER or _is_known_field(kind, name, of_class):
        return of_class.__get__(value)
    index = _place_in_tuple(kind, name, of_class)
    if index is not None:
        return tuple.__getitem__(value, index)
    if name in _OF_MEMBERS and _is_given_by_enum(kind, name, of_class):
        return attribute(budget, value, _OF_MEMBERS[name])
    if _is_data_descriptor(of_class):
        raise Refused(f"{_a(of_class)} gives {name!r} of {described(value)}, and may run code of the program")
    attributes = Layout(kind).attributes(value)
    found = _MISSING if attributes is None else found_in(budget, attributes, name, _MISSING)
    if found is not _MISSING:
        return found
    if of_class is not _MISSING:
        return _constant(of_class, name, described(value))
    if class_attribute(kind, "__getattr__") is not None:
        raise Refused(f"{described(value)} has no field {name!r}, and its __getattr__ is code of the program")
    raise AttributeError(f"{described(value)} has no attribute {name!r}")


def _of_class(owner: type, name: str) -> object:
    if name == "__name__":
        return type_name(owner)
    found = class_attribute(owner, name, _MISSING)
    if found is _MISSING:
        raise AttributeError(f"the class {type_name(owner)} has no attribute {name!r} of its own")
    return _constant(found, name, f"the class {type_name(owner)}")


def _constant(found: object, name: str, owner: str) -> object:
    """What stands in a class, where reading it through the class gives just that."""
    if class_attribute(type(found), "__get__") is None:
        return found
    raise Refused(f"{name!r} of {owner} is {_a(found)}, which safe expressions do not read")


def _is_known_field(kind: type, name: str, found: object) -> bool:
    return any(
        name in names and derives(kind, base) and class_dict(base).get(name) is found for base, names in _FIELDS.items()
    )


def _place_in_tuple(kind: type, name: str, found: object) -> int | None:
    """The index of a field of a named tuple, where its class gives just that."""
    if not derives(kind, tuple) or type(found) is not _NAMED_FIELD:
        return None
    getter = getattr(found, "fget", None)
    if type(found) is property and type(getter) is not operator.itemgetter:
        return None
    names = class_attribute(kind, "_fields")
    if type(names) is not tuple or not all(type(one) is str for one in names):
        return None
    return names.index(name) if name in names else None


def _is_given_by_enum(kind: type, name: str, found: object) -> bool:
    return derives(kind, enum.Enum) and class_dict(enum.Enum).get(name) is found


def _is_data_descriptor(found: object) -> bool:
    kind = type(found)
    return class_attribute(kind, "__set__") is not None or class_attribute(kind, "__delete__") is not None


def _a(found: object) -> str:
    return "a method" if type(found) is _FUNCTION else described(found)
