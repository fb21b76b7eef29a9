"""Comparisons, membership and truth of what is the interpreter's own, also inside of containers."""

from __future__ import annotations

import collections
import operator
from typing import TYPE_CHECKING, Any

from nonstop.safe.budget import MOST_DEPTH, Refused
from nonstop.safe.builtin_types import (
    REALS,
    SEQUENCES,
    SETS,
    TEXTS,
    all_scalars,
    builtin_base,
    comparable,
    described,
    is_any,
    is_compared_by_identity,
    is_scalar,
)
from nonstop.safe.items import check_hashable, elements_of, found_in
from nonstop.walk.objects import class_attribute, derives

if TYPE_CHECKING:
    from nonstop.safe.budget import Budget

_SIZED: tuple[Any, ...] = (str, bytes, list, tuple, dict, set, frozenset, bytearray, range, collections.deque)
_TRUTHS: tuple[Any, ...] = (int, float, complex, *_SIZED)

_ORDERS: dict[str, Any] = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_ABSENT: Any = object()


def equal(budget: Budget, one: Any, other: Any, level: int = 0) -> bool:
    """``one == other``."""
    budget.spend()
    if level > MOST_DEPTH:
        raise Refused(f"compares containers that are more than {MOST_DEPTH} levels deep")
    if one is other and (level or is_compared_by_identity(one)):
        return True
    one, other = comparable(one), comparable(other)
    if is_scalar(one) and is_scalar(other):
        if is_any(one, TEXTS):
            budget.spend_characters(len(one))
        return bool(one == other)
    kind = type(one)
    if kind is type(other) and is_any(one, SEQUENCES):
        return _equal_items(budget, one, other, level)
    if kind is type(other) is dict:
        return _equal_entries(budget, one, other, level)
    if is_any(one, SETS) and is_any(other, SETS):
        return bool(_scalars(budget, one) == _scalars(budget, other))
    if _is_builtin(one) and _is_builtin(other):
        return False
    if is_compared_by_identity(one) and (is_compared_by_identity(other) or _is_builtin(other)):
        return one is other
    if is_compared_by_identity(other) and _is_builtin(one):
        return False
    theirs = one if not _is_builtin(one) and not is_compared_by_identity(one) else other
    raise Refused(f"{described(theirs)} is compared by code that is not the interpreter's")


def _equal_items(budget: Budget, one: Any, other: Any, level: int) -> bool:
    if len(one) != len(other):
        return False
    ones, others = elements_of(budget, one), elements_of(budget, other)
    return len(ones) == len(others) and all(equal(budget, *pair, level + 1) for pair in zip(ones, others))


def _equal_entries(budget: Budget, one: Any, other: Any, level: int) -> bool:
    if len(one) != len(other):
        return False
    for key, value in elements_of(budget, dict.items(one)):
        found = found_in(budget, other, key, _ABSENT)
        if found is _ABSENT or not equal(budget, value, found, level + 1):
            return False
    return True


def _scalars(budget: Budget, value: Any) -> frozenset[Any]:
    """A set as it is now, if its elements can be compared by the interpreter alone."""
    elements = elements_of(budget, value)
    if not all_scalars(elements):
        raise Refused(f"{described(value)} has elements that may be compared by code of the program")
    return frozenset(elements)


def _is_builtin(value: object) -> bool:
    return is_scalar(value) or is_any(value, SEQUENCES) or is_any(value, SETS) or type(value) is dict


def ordered(budget: Budget, sign: str, one: Any, other: Any) -> bool:
    """``one < other`` and the like."""
    budget.spend()
    compare = _ORDERS[sign]
    one, other = comparable(one), comparable(other)
    if (is_any(one, REALS) and is_any(other, REALS)) or (is_any(one, TEXTS) and is_any(other, TEXTS)):
        return bool(compare(one, other))
    if is_any(one, SETS) and is_any(other, SETS):
        return bool(compare(_scalars(budget, one), _scalars(budget, other)))
    if type(one) is type(other) and is_any(one, SEQUENCES):
        ones, others = elements_of(budget, one), elements_of(budget, other)
        if all_scalars(ones) and all_scalars(others):
            return bool(compare(ones, others))
    if _is_builtin(one) and _is_builtin(other) and not (is_any(one, SEQUENCES) and is_any(other, SEQUENCES)):
        raise TypeError(f"{sign!r} does not compare {described(one)} with {described(other)}")
    raise Refused(f"{sign!r} of {described(one)} and {described(other)} may run code of the program")


def contains(budget: Budget, container: Any, value: Any) -> bool:
    """``value in container``."""
    budget.spend()
    value = comparable(value)
    kind = type(container)
    if is_any(container, TEXTS) or kind is range or kind is bytearray:
        if not is_scalar(value):
            raise Refused(f"{described(value)} is looked for in {described(container)}")
        if kind is not range:
            budget.spend_characters(len(container))
        return bool(value in container)
    if derives(kind, dict) and builtin_base(kind, (dict, collections.OrderedDict), "__contains__") is not None:
        return found_in(budget, container, value, _ABSENT) is not _ABSENT
    base: Any = builtin_base(kind, (list, tuple, set, frozenset, collections.deque), "__contains__", "__iter__")
    if base is None:
        raise Refused(
            f"whether something is in {described(container)} is decided by code that is not the interpreter's"
        )
    if base is set or base is frozenset:
        check_hashable(value)
    elements = elements_of(budget, container, base)
    if is_scalar(value) and all_scalars(elements):
        return value in elements
    return any(one is value or equal(budget, one, value) for one in elements)


def is_true(value: Any) -> bool:
    """Its truth, as ``if`` sees it."""
    kind = type(value)
    if kind is bool:
        return value is True
    if value is None:
        return False
    base: Any = builtin_base(kind, _TRUTHS, "__bool__", "__len__")
    if base is not None:
        return bool(base.__bool__(value)) if hasattr(base, "__bool__") else bool(base.__len__(value))
    if any(class_attribute(kind, name) is not None for name in ("__bool__", "__len__")):
        raise Refused(f"whether {described(value)} is true is decided by code that is not the interpreter's")
    return True


def length(value: Any) -> int:
    """``len(value)``."""
    base: Any = builtin_base(type(value), _SIZED, "__len__")
    if base is None:
        raise Refused(f"the length of {described(value)} is not the interpreter's to tell")
    return int(base.__len__(value))
