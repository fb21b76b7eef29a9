"""The functions that a safe expression may call, and the methods."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

from nonstop.safe import comparing, formatting
from nonstop.safe.budget import Refused, check_size
from nonstop.safe.builtin_types import (
    INTEGERS,
    NUMBERS,
    REALS,
    SEQUENCES,
    SETS,
    TEXTS,
    all_scalars,
    described,
    has_plain_metaclass,
    is_any,
    is_scalar,
)
from nonstop.safe.items import check_hashable, elements_of, found_in
from nonstop.walk.objects import derives, type_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from nonstop.safe.budget import Budget

    Function = Callable[..., object]

#: Of a text that is read as a number, which takes time that grows with the square.
_MOST_DIGITS = 1000


def _elements(budget: Budget, value: Any) -> list[Any]:
    """The elements of a builtin container, as they are now."""
    kind = type(value)
    if is_any(value, TEXTS) or is_any(value, SEQUENCES) or is_any(value, SETS) or kind is range or kind is dict:
        check_size(len(value), "a container")
        return elements_of(budget, value)
    raise Refused(f"{described(value)} gives its elements by code that is not the interpreter's")


def _alike(budget: Budget, value: Any, kinds: frozenset[int], what: str) -> list[Any]:
    """Elements that the interpreter alone compares or adds."""
    elements = _elements(budget, value)
    if not kinds.issuperset(map(id, map(type, elements))):
        raise Refused(f"{what} is of builtin values: {described(value)} holds others")
    return elements


def _number(budget: Budget, value: Any, *, kinds: frozenset[int] = NUMBERS) -> Any:
    if not is_any(value, kinds):
        raise Refused(f"{described(value)} is no builtin number")
    if is_any(value, INTEGERS):
        check_size(value.bit_length(), "an integer", "bits")
    return value


def _least_or_most(choose: Any) -> Function:
    def find(budget: Budget, *values: Any) -> object:
        found = values if len(values) > 1 else values[0]
        elements = _elements(budget, found)
        for kinds in (REALS, frozenset({id(str)}), frozenset({id(bytes)})):
            if kinds.issuperset(map(id, map(type, elements))):
                return choose(elements)
        raise Refused(f"{choose.__name__} is of numbers or of texts: {described(found)} holds others")

    return find


def _sum(budget: Budget, values: Any, start: Any = 0) -> object:
    elements = _alike(budget, values, NUMBERS, "sum")
    for one in (*elements, start):
        _number(budget, one)
    return sum(elements, start)


def _sorted(budget: Budget, values: Any) -> object:
    elements = _elements(budget, values)
    budget.spend(len(elements) // 2)
    if not all_scalars(elements):
        raise Refused(f"sorted is of builtin values: {described(values)} holds others")
    return sorted(elements)


def _isinstance(budget: Budget, value: object, wanted: Any) -> bool:
    for kind in _elements(budget, wanted) if type(wanted) is tuple else (wanted,):
        if not derives(type(kind), type):
            raise Refused(f"isinstance is told classes, and {described(kind)} is none")
        if derives(type(value), kind):
            return True
        if not has_plain_metaclass(kind):
            raise Refused(f"whether something is a {type_name(kind)} is decided by code that is not the interpreter's")
    return False


def _hash(budget: Budget, value: Any) -> int:
    check_hashable(value)
    return hash(value)


def _number_of(kind: Any) -> Function:
    def make(budget: Budget, value: Any = 0) -> object:
        if type(value) is not str:
            _number(budget, value, kinds=REALS)
        elif len(value) > _MOST_DIGITS:
            raise Refused(f"a text of {len(value)} characters is not read as a number")
        return kind(value)

    return make


def _round(budget: Budget, value: Any, digits: Any = None) -> object:
    _number(budget, value, kinds=REALS)
    if digits is not None and (not is_any(digits, INTEGERS) or abs(digits) > 1000):
        raise Refused("round takes a few digits")
    return round(value, digits)


def _set_of(kind: Any) -> Function:
    def make(budget: Budget, values: Any = ()) -> object:
        elements = _elements(budget, values)
        for one in elements:
            check_hashable(one)
        return kind(elements)

    return make


def _chr(budget: Budget, value: Any) -> str:
    return chr(_number(budget, value, kinds=INTEGERS))


def _ord(budget: Budget, value: Any) -> int:
    if not is_any(value, TEXTS):
        raise Refused(f"ord is of a text of one character, not of {described(value)}")
    return ord(value)


#: By name. Each takes the budget first; none takes keywords.
FUNCTIONS: dict[str, Function] = {
    "abs": lambda budget, value: abs(_number(budget, value)),
    "all": lambda budget, values: all(map(comparing.is_true, _elements(budget, values))),
    "any": lambda budget, values: any(map(comparing.is_true, _elements(budget, values))),
    "ascii": lambda budget, value: formatting.shown(budget, value, "a"),
    "bool": lambda budget, value=False: comparing.is_true(value),
    "chr": _chr,
    "float": _number_of(float),
    "frozenset": _set_of(frozenset),
    "hash": _hash,
    "id": lambda budget, value: id(value),
    "int": _number_of(int),
    "isinstance": _isinstance,
    "len": lambda budget, value: comparing.length(value),
    "list": lambda budget, values=(): _elements(budget, values),
    "max": _least_or_most(max),
    "min": _least_or_most(min),
    "ord": _ord,
    "repr": lambda budget, value: formatting.shown(budget, value, "r"),
    "round": _round,
    "set": _set_of(set),
    "sorted": _sorted,
    "str": lambda budget, value="": formatting.shown(budget, value),
    "sum": _sum,
    "tuple": lambda budget, values=(): tuple(_elements(budget, values)),
    "type": lambda budget, value: type(value),
}

#: By the object: a program may have something else under that name.
_BY_ADDRESS: dict[int, str] = {id(getattr(builtins, name)): name for name in FUNCTIONS}

#: Methods of texts that make nothing that is longer than what they are told.
_OF_TEXTS = frozenset(
    {
        "casefold",
        "count",
        "endswith",
        "find",
        "isalnum",
        "isalpha",
        "isascii",
        "isdigit",
        "isidentifier",
        "islower",
        "isnumeric",
        "isspace",
        "isupper",
        "lower",
        "lstrip",
        "rfind",
        "rstrip",
        "split",
        "splitlines",
        "startswith",
        "strip",
        "title",
        "upper",
    }
)


def call(budget: Budget, function: Any, name: str, values: list[Any]) -> object:
    """Call what an expression names as a function."""
    budget.spend()
    known = _BY_ADDRESS.get(id(function))
    if known is None:
        raise Refused(f"{name} is no builtin function here: safe expressions call only {', '.join(FUNCTIONS)}")
    return FUNCTIONS[known](budget, *values)


def call_method(budget: Budget, value: Any, name: str, values: list[Any]) -> object:
    """Call a method of a text or a dictionary."""
    budget.spend()
    if is_any(value, TEXTS) and name in _OF_TEXTS:
        for one in (value, *values):
            if not is_scalar(one) and not (type(one) is tuple and all_scalars(one)):
                raise Refused(f"{name} takes builtin values, not {described(one)}")
            if is_any(one, TEXTS):
                check_size(len(one), "a text", "characters")
                budget.spend_characters(len(one))
        return getattr(value, name)(*values)
    if type(value) is dict and name == "get" and 1 <= len(values) <= 2:
        return found_in(budget, value, values[0], values[1] if len(values) == 2 else None)
    if type(value) is dict and name in ("keys", "values", "items") and not values:
        check_size(len(value), "a container")
        return elements_of(budget, getattr(value, name)())
    raise Refused(f"the method {name!r} of {described(value)} is not called: it may be code of the program")
