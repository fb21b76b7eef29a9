"""How values of each type are shown: what is looked up once and used again for every value of the type."""

from __future__ import annotations

import collections
import enum
import gc
import sys
import threading
import types
import weakref
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from nonstop.hits import raised_by_signal
from nonstop.walk import texts
from nonstop.walk.objects import Layout, class_attribute, derives, is_from, mro_of, plain, type_name
from nonstop.walk.records import field

if TYPE_CHECKING:
    from collections.abc import Callable

    from nonstop.walk.values import Inside, Walk

    #: Writes one value, or begins it and gives what is inside: the walk, the value, how many containers are around it,
    #: what is known of its type.
    Writer = Callable[[Walk, Any, int, "Kind"], Optional[Inside]]


class Kind(NamedTuple):
    """What is known of a type. It holds nothing that would keep the type alive."""

    #: The type, if it may go away some day.
    type: weakref.ref[type] | None
    #: Its name, as it stands in records.
    name: str
    write: Writer
    #: What `write` needs to know besides.
    detail: Any


# Writers. The methods of the base are called, never those of the value: it may be of a class of the program.


def _collection(walk: Walk, value: Any, level: int, kind: Kind) -> Inside | None:
    length, each = kind.detail
    return walk.items(kind.name, value, level, length(value), each)


def _mapping(walk: Walk, value: Any, level: int, kind: Kind) -> Inside | None:
    return walk.entries(kind.name, value, level, dict.__len__(value), dict.items)


def _ordered(walk: Walk, value: Any, level: int, kind: Kind) -> Inside | None:
    # Only `move_to_end` makes its order differ from that of the dictionary that it is. Iterating over it hashes and
    # compares keys, which only the interpreter's own bear.
    size = dict.__len__(value)
    harmless = size <= walk.most_items and all(type(key) is str or type(key) is int for key in dict.keys(value))
    each = collections.OrderedDict.items if harmless else dict.items
    return walk.entries(kind.name, value, level, size, each)


def _mapping_proxy(walk: Walk, value: Any, level: int, kind: Kind) -> Inside | None:
    behind = gc.get_referents(value)
    if len(behind) == 1 and type(behind[0]) is dict:
        return _mapping(walk, behind[0], level, kind)
    _opaque(walk, value, level, kind)
    return None


def _tuple(walk: Walk, value: Any, level: int, kind: Kind) -> Inside | None:
    names = kind.detail
    size = tuple.__len__(value)
    if names is not None and len(names) == size:
        return walk.fields(kind.name, value, level, zip(names, tuple.__iter__(value)))
    return walk.items(kind.name, value, level, size, tuple.__iter__)


def _str(walk: Walk, value: Any, level: int, kind: Kind) -> None:
    size, most = str.__len__(value), walk.most_chars
    if size > most:
        walk.part(kind.name, str.__getitem__(value, slice(most)), size)
    else:
        walk.text(kind.name, plain(value))


def _bytes(walk: Walk, value: Any, level: int, kind: Kind) -> None:
    base = kind.detail
    size, most = base.__len__(value), walk.most_chars
    begin = base.__getitem__(value, slice(most))
    shown = bytes.__repr__(begin if base is bytes else bytes(begin))
    if size > most or len(shown) > most:
        walk.part(kind.name, shown[:most], size)  # its size in bytes, like its `len`
    else:
        walk.text(kind.name, shown)


def _int(walk: Walk, value: Any, level: int, kind: Kind) -> None:
    walk.integer(kind.name, value)


def _float(walk: Walk, value: Any, level: int, kind: Kind) -> None:
    walk.number(kind.name, value)


def _text(walk: Walk, value: Any, level: int, kind: Kind) -> None:
    try:
        text = plain(kind.detail(value))
    except Exception as error:
        if raised_by_signal(error):
            raise
        walk.omit(kind.name, f"could not be read: {type_name(type(error))}")
    else:
        walk.text(kind.name, text)


def _enum(walk: Walk, value: Any, level: int, kind: Kind) -> Inside | None:
    attributes = kind.detail.attributes(value)
    name = None if attributes is None else dict.get(attributes, "_name_")
    if type(name) is not str:  # flags that were or-ed have no name on some versions
        return _object(walk, value, level, kind)
    walk.text(kind.name, f"{type_name(type(value))}.{name}")
    return None


def _exception(walk: Walk, value: Any, level: int, kind: Kind) -> Inside | None:
    # The slots are those of OSError, SyntaxError and the like: most are not used.
    slots = (slot for slot in kind.detail.slots(value) if slot[1] is not None)
    return walk.fields(kind.name, value, level, (("args", _args_of(value)), *slots), kind.detail.attributes(value))


def _slice(walk: Walk, value: Any, level: int, kind: Kind) -> Inside | None:
    fields = (("start", value.start), ("stop", value.stop), ("step", value.step))
    return walk.fields(kind.name, value, level, fields)


def _object(walk: Walk, value: Any, level: int, kind: Kind) -> Inside | None:
    return walk.fields(kind.name, value, level, kind.detail.slots(value), kind.detail.attributes(value))


def _opaque(walk: Walk, value: Any, level: int, kind: Kind) -> None:
    """Nothing can be seen of it from outside: a lock, a file, a weak proxy."""
    walk.omit(kind.name, "opaque")


_args_of: Callable[[BaseException], object] = BaseException.__dict__["args"].__get__

#: How instances of a type and of classes derived from it are shown.
_BASES: dict[type, tuple[Writer, Any]] = {
    dict: (_mapping, None),
    collections.OrderedDict: (_ordered if sys.implementation.name == "cpython" else _mapping, None),
    list: (_collection, (list.__len__, list.__iter__)),
    tuple: (_tuple, None),
    set: (_collection, (set.__len__, set.__iter__)),
    frozenset: (_collection, (frozenset.__len__, frozenset.__iter__)),
    collections.deque: (_collection, (collections.deque.__len__, collections.deque.__iter__)),
    str: (_str, None),
    bytes: (_bytes, bytes),
    bytearray: (_bytes, bytearray),
    int: (_int, None),
    float: (_float, None),
    complex: (_text, complex.__repr__),
    type: (_text, texts.class_text),
    types.ModuleType: (_text, texts.module_text),
    # Reading its attributes may call the program: its `__init__`, once for each thread.
    threading.local: (_opaque, None),
}

#: How instances of exactly a type are shown.
_EXACT: dict[type, tuple[Writer, Any]] = {
    slice: (_slice, None),
    types.MappingProxyType: (_mapping_proxy, None),
    type({}.keys()): (_collection, (len, iter)),
    type({}.values()): (_collection, (len, iter)),
    type({}.items()): (_collection, (len, iter)),
    **{kind: (_text, text) for kind, text in texts.BUILTIN_TEXTS.items()},
}

# By address: a class of the program may hash and compare as it likes.
_bases = {id(kind): how for kind, how in _BASES.items()}
_known: dict[int, Kind] = {
    id(kind): Kind(None, field(type_name(kind)), write, detail)
    for kind, (write, detail) in (*_BASES.items(), *_EXACT.items())
}


def kind_of(kind: type) -> Kind:
    """What is known of a type."""
    known = _known.get(id(kind))
    if known is None or (known.type is not None and known.type() is not kind):
        known = _learn(kind)
    return known


def _learn(kind: type) -> Kind:
    key = id(kind)

    def gone(_: weakref.ref[type]) -> None:
        _known.pop(key, None)

    write, detail = _how(kind)
    _known[key] = known = Kind(weakref.ref(kind, gone), field(type_name(kind)), write, detail)
    return known


def _how(kind: type) -> tuple[Writer, Any]:
    text = texts.library_text(kind)
    if text is not None:
        return _text, text
    if is_from(kind, "array", "array"):
        return _collection, (len, iter)
    if derives(kind, enum.Enum):
        return _enum, Layout(kind)
    if derives(kind, BaseException):
        return _exception, Layout(kind)
    for base in mro_of(kind):
        how = _bases.get(id(base))
        if how is not None:
            return (_tuple, _field_names(kind)) if base is tuple else how
    layout = Layout(kind)
    return (_object, layout) if layout.has_fields else (_opaque, None)


def _field_names(kind: type) -> tuple[str, ...] | None:
    """The names of a named tuple."""
    names = class_attribute(kind, "_fields")
    if type(names) is tuple and all(type(name) is str for name in names):
        return names
    return None
