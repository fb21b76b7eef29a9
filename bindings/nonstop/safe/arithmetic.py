"""Arithmetic of builtin numbers, texts and sequences, within a size."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from nonstop.safe.budget import MOST_SIZE, Refused, check_size
from nonstop.safe.builtin_types import INTEGERS, NUMBERS, SEQUENCES, SETS, TEXTS, all_scalars, described, is_any
from nonstop.safe.items import elements_of

if TYPE_CHECKING:
    from nonstop.safe.budget import Budget

_BINARY: dict[str, Any] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "<<": operator.lshift,
    ">>": operator.rshift,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
}
_UNARY: dict[str, Any] = {"-": operator.neg, "+": operator.pos, "~": operator.invert}
_OF_SETS = frozenset("-&|^")


def binary(budget: Budget, sign: str, left: Any, right: Any) -> object:
    """``left + right`` and the like. Raises what Python raises, and ``Refused`` for what would be large."""
    budget.spend()
    apply = _BINARY[sign]
    if is_any(left, NUMBERS) and is_any(right, NUMBERS):
        if is_any(left, INTEGERS) and is_any(right, INTEGERS):
            check_size(_bits(sign, left, right), "an integer", "bits")
        return apply(left, right)
    if sign == "+" and type(left) is type(right) and (is_any(left, TEXTS) or is_any(left, SEQUENCES)):
        size = len(left) + len(right)
        check_size(size, described(left))
        budget.spend_characters(size)
        return apply(left, right)
    if sign == "*":
        for what, times in ((left, right), (right, left)):
            if (is_any(what, TEXTS) or is_any(what, SEQUENCES)) and is_any(times, INTEGERS):
                check_size(len(what) * max(0, times), described(what))
                return what * times
    if sign in _OF_SETS and is_any(left, SETS) and is_any(right, SETS):
        lefts, rights = elements_of(budget, left), elements_of(budget, right)
        if all_scalars(lefts) and all_scalars(rights):
            return apply(frozenset(lefts), frozenset(rights))
    raise Refused(f"{described(left)} {sign} {described(right)} is not done: safe arithmetic is of builtin values")


def _bits(sign: str, left: int, right: int) -> int:
    """About how many bits the larger of operands and result has."""
    here, there = left.bit_length(), right.bit_length()
    largest = max(here, there)
    if sign == "*":
        return here + there
    if sign == "**" and right > 0 and here > 1:
        # Not the product: that of two large ones would itself be large.
        return here * right if there < 64 else MOST_SIZE + 1
    if sign == "<<" and right > 0 and here:
        return here + right if there < 64 else MOST_SIZE + 1
    return largest


def unary(budget: Budget, sign: str, value: Any) -> object:
    """``-value`` and the like."""
    budget.spend()
    if is_any(value, INTEGERS):
        check_size(value.bit_length(), "an integer", "bits")
    elif not is_any(value, NUMBERS):
        raise Refused(f"{sign} of {described(value)} is not done: safe arithmetic is of builtin values")
    return _UNARY[sign](value)
