"""Reading items of builtin containers, also where a class of the program is made of one."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any

from nonstop.safe.budget import Refused, check_size
from nonstop.safe.builtin_types import TEXTS, all_scalars, builtin_base, described, is_any, is_scalar
from nonstop.walk.objects import derives

if TYPE_CHECKING:
    from nonstop.safe.budget import Budget

_INDEXES = frozenset(map(id, (int, bool)))
#: What is read by index. A class of the program's that is made of one, and reads otherwise, is refused.
_SEQUENCES: tuple[Any, ...] = (str, bytes, list, tuple, bytearray, range, collections.deque)
#: Keys of a dictionary that are looked at before it is asked: one of the program's may be equal to what it likes.
_MOST_KEYS = 20_000
_KEYS_PER_STEP = 20
#: Elements that are copied in a step.
_ELEMENTS_PER_STEP = 20
#: Of a tuple that is a key.
_MOST_PARTS = 50

_ABSENT: Any = object()


def item(budget: Budget, value: Any, key: object) -> object:
    """``value[key]``. Raises what that raises, and ``Refused`` where a class of the program has to be asked."""
    budget.spend()
    kind = type(value)
    if derives(kind, dict):
        if builtin_base(kind, (dict,), "__getitem__") is None and not derives(kind, collections.OrderedDict):
            raise Refused(f"{described(value)} reads its items by code of the program")
        found = found_in(budget, value, key, _ABSENT)
        if found is _ABSENT:
            raise KeyError(key if is_scalar(key) else described(key))
        return found
    base: Any = builtin_base(kind, _SEQUENCES, "__getitem__")
    if base is None:
        raise Refused(f"{described(value)} reads its items by code that is not the interpreter's")
    if type(key) is slice:
        if not all(part is None or is_any(part, _INDEXES) for part in (key.start, key.stop, key.step)):
            raise Refused("a slice is from one integer to another")
        check_size(len(range(*key.indices(base.__len__(value)))), "a slice")
    elif not is_any(key, _INDEXES):
        raise Refused(f"{described(key)} is no index of {described(value)}")
    return base.__getitem__(value, key)


def found_in(budget: Budget, mapping: dict[Any, Any], key: object, default: object) -> Any:
    """What a dictionary has under a key, or the default: no key in it is asked whether it is equal."""
    check_hashable(key)
    size = dict.__len__(mapping)
    if size > _MOST_KEYS:
        raise Refused(f"the dictionary has {size} keys: at most {_MOST_KEYS} are looked at")
    budget.spend(1 + size // _KEYS_PER_STEP)
    # Where another thread puts one of its own in just now, that may be asked if its hash is the same.
    if all_scalars(dict.keys(mapping)):
        return dict.get(mapping, key, default)
    for one, found in list(dict.items(mapping)):
        budget.spend()
        if one is key or (_is_plain_key(one) and one == key):
            return found
    return default


def elements_of(budget: Budget, value: Any, kind: Any = None) -> list[Any]:
    """The elements of a builtin container, as they are now: other threads may go on with it. `kind`: the builtin type
    that tells them, where the value is of a class that is made of it.
    """
    kind = kind or type(value)
    budget.spend(1 + kind.__len__(value) // _ELEMENTS_PER_STEP)
    return list(kind.__iter__(value))


def check_hashable(key: object) -> None:
    """Refuse a key whose hash is not the interpreter's alone, or takes long."""
    if not _is_plain_key(key):
        raise Refused(f"{described(key)} as a key may be of code of the program")
    parts = key if type(key) is tuple else (key,)
    for part in parts:
        if is_any(part, TEXTS):
            check_size(len(part), "a key", "characters")


def _is_plain_key(key: object) -> bool:
    return is_scalar(key) or (type(key) is tuple and len(key) <= _MOST_PARTS and all_scalars(key))
