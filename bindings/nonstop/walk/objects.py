"""Looking at objects without running a line of the program.

Attribute access asks the program: ``__getattr__``, properties, a ``__class__`` that lies, a metaclass. Here the
interpreter's own descriptors are used: those of :class:`type` for a class, and for an object those that its class got
when it was made. Types are told apart by ``is``, since a metaclass may define equality and hashes.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_type_dict: Any = type.__dict__

#: The classes in which attributes of an instance are looked up, in that order.
mro_of: Callable[[type], tuple[type, ...]] = _type_dict["__mro__"].__get__
#: The attributes of a class itself, without those of its bases.
class_dict: Callable[[type], Any] = _type_dict["__dict__"].__get__
_name_of: Callable[[type], str] = _type_dict["__name__"].__get__
_qualname_of: Callable[[type], str] = _type_dict["__qualname__"].__get__
_module_of: Callable[[type], object] = _type_dict["__module__"].__get__
#: The names in a module.
module_dict: Callable[[ModuleType], dict[Any, Any]] = class_dict(ModuleType)["__dict__"].__get__


class _Example:
    __slots__ = ("__dict__", "slot")


_GETSET = type(class_dict(_Example)["__dict__"])
#: The type of slots; and on CPython that of the fields of types written in C.
MEMBER = type(class_dict(_Example)["slot"])

# How the `__dict__` of an instance is reached: not at all, by plain lookup, or behind something of the program's with
# that name.
_NO_DICT, _DICT, _HIDDEN_DICT = range(3)

_WHOLE = slice(None)

_read_dict = object.__getattribute__


def plain(text: str) -> str:
    """A text as an exact ``str``: the methods of a program's own class of texts are never called."""
    # Not `str.__str__`, which asks for the length on PyPy 3.9.
    return text if type(text) is str else str.__getitem__(text, _WHOLE)


def type_name(kind: type) -> str:
    """Name of a type."""
    return plain(_name_of(kind)) or "?"


def full_name(kind: type) -> str:
    """Name of a type with its module, where it has one that is text."""
    name = plain(_qualname_of(kind)) or "?"
    module = type_module(kind)
    return f"{module}.{name}" if module and module != "builtins" else name


def type_module(kind: type) -> str:
    """Name of the module that a type says it is from; empty if it says something else."""
    try:
        module = _module_of(kind)
    except AttributeError:  # somebody deleted it
        return ""
    return module if type(module) is str else ""


def is_from(kind: type, module: str, name: str) -> bool:
    """Whether a type is the one that stands under this name in a module that is loaded."""
    loaded = sys.modules.get(module)
    return type(loaded) is ModuleType and module_dict(loaded).get(name) is kind


def derives(kind: type, base: type) -> bool:
    """``issubclass``, which a metaclass cannot answer."""
    return any(one is base for one in mro_of(kind))


def class_attribute(kind: type, name: str, default: object = None) -> object:
    """What stands under a name in the first class that has it; the default if none has."""
    for one in mro_of(kind):
        attributes = class_dict(one)
        if name in attributes:
            return attributes[name]
    return default


def raised_in_c(error: Exception) -> bool:
    """Whether an error came out of a call into the interpreter, and not out of a signal handler that ran just then."""
    trace = error.__traceback__
    return trace is None or trace.tb_next is None


class Layout:
    """Where the instances of one class keep their fields. Holds names only, so that no class is kept alive by it."""

    __slots__ = ("_dict", "_slots", "has_fields")

    def __init__(self, kind: type) -> None:
        slots: dict[str, int] = {}
        dicts = []
        for index, one in enumerate(mro_of(kind)):
            for name, attribute in class_dict(one).items():
                if type(name) is not str:
                    continue
                if name == "__dict__":
                    dicts.append(type(attribute) is _GETSET or type(attribute) is MEMBER)
                elif type(attribute) is MEMBER and not (name[:2] == "__" == name[-2:]):
                    slots.setdefault(name, index)
        #: With the place of their class; fields of bases first, and in the order in which they were defined.
        self._slots = sorted(slots.items(), key=lambda slot: -slot[1])
        self._dict = _NO_DICT
        if True in dicts:
            self._dict = _DICT if dicts[0] else _HIDDEN_DICT
        self.has_fields = bool(slots) or self._dict != _NO_DICT

    def slots(self, value: object) -> Iterator[tuple[str, object]]:
        """The slots that are set."""
        if not self._slots:
            return
        classes = mro_of(type(value))
        for name, index in self._slots:
            descriptor = class_dict(classes[index]).get(name)
            if type(descriptor) is not MEMBER:  # replaced since
                continue
            try:
                field = descriptor.__get__(value)
            except AttributeError as error:
                if not raised_in_c(error):
                    raise
                continue
            yield name, field

    def attributes(self, value: object) -> dict[Any, Any] | None:
        """The ``__dict__`` of an instance; None if there is none, or none that can be read."""
        if self._dict == _NO_DICT:
            return None
        # The first `__dict__` that lookup finds is the interpreter's: the class was searched for it.
        found = _read_dict(value, "__dict__") if self._dict == _DICT else self._behind(value)
        return found if type(found) is dict or derives(type(found), dict) else None

    def _behind(self, value: object) -> Any:
        for one in mro_of(type(value)):
            descriptor = class_dict(one).get("__dict__")
            if type(descriptor) is _GETSET or type(descriptor) is MEMBER:
                return descriptor.__get__(value)
        return None
