"""Values as text, as f-strings and ``str`` show them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from nonstop.safe.budget import MOST_DEPTH, Refused, check_size
from nonstop.safe.builtin_types import (
    INTEGERS,
    NUMBERS,
    SEQUENCES,
    SETS,
    TEXTS,
    described,
    is_any,
    is_scalar,
)
from nonstop.safe.items import elements_of
from nonstop.walk.objects import full_name

if TYPE_CHECKING:
    from nonstop.safe.budget import Budget

#: Converting to decimal takes time that grows with the square: of so many bits none that counts.
_MOST_BITS = 10_000
_LONG_NUMBER = re.compile(r"\d{5,}")
#: What has formats of its own; all else has those of texts.
_WITH_FORMAT = NUMBERS | frozenset({id(str)})


def shown(budget: Budget, value: Any, conversion: str = "s") -> str:
    """``str(value)``, or ``repr`` or ``ascii`` by the letter of the conversion."""
    if conversion == "s" and type(value) is str:
        _check(budget, value)
        return value
    text = _representation(budget, value, ())
    return ascii(text)[1:-1] if conversion == "a" and not text.isascii() else text


def formatted(budget: Budget, value: Any, conversion: str, spec: str) -> str:
    """What stands in an f-string for ``{value!r:spec}``."""
    if conversion or not spec or not is_any(value, _WITH_FORMAT):
        value = shown(budget, value, conversion or "s")
    _check(budget, value)
    if _LONG_NUMBER.search(spec):
        raise Refused(f"the format {spec!r} asks for a text that is too long")
    return format(value, spec)


def _representation(budget: Budget, value: Any, around: tuple[int, ...]) -> str:
    """``repr(value)``, put together from what it holds just now."""
    budget.spend()
    if is_scalar(value):
        _check(budget, value)
        return repr(value)
    kind = type(value)
    if kind is type:
        return f"<class {full_name(value)!r}>"
    if id(value) in around:
        return "{...}" if kind is dict else "(...)" if kind is tuple else "[...]"
    if len(around) >= MOST_DEPTH:
        raise Refused(f"shows containers that are more than {MOST_DEPTH} levels deep")
    around += (id(value),)
    if kind is dict:
        pairs = [
            tuple(_representation(budget, one, around) for one in pair) for pair in elements_of(budget, value.items())
        ]
        text = f"{{{', '.join(f'{key}: {held}' for key, held in pairs)}}}"
    elif is_any(value, SEQUENCES) or is_any(value, SETS):
        texts = [_representation(budget, one, around) for one in elements_of(budget, value)]
        inside = ", ".join(texts)
        if kind is list:
            text = f"[{inside}]"
        elif kind is tuple:
            text = f"({inside},)" if len(texts) == 1 else f"({inside})"
        elif not texts:
            text = f"{kind.__name__}()"
        else:
            text = f"{{{inside}}}" if kind is set else f"frozenset({{{inside}}})"
    else:
        raise Refused(f"{described(value)} is shown by code that is not the interpreter's; show its fields")
    check_size(len(text), "a text", "characters")
    return text


def _check(budget: Budget, value: Any) -> None:
    """Refuse a scalar whose text takes long."""
    if is_any(value, INTEGERS) and value.bit_length() > _MOST_BITS:
        raise Refused(f"an integer of {value.bit_length()} bits is not shown in decimal: at most one of {_MOST_BITS}")
    if is_any(value, TEXTS) or type(value) is bytearray:
        check_size(len(value), "a text", "characters")
        budget.spend(len(value) // 100)
