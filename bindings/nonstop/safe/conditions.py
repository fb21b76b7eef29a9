"""Conditions and captured expressions in the safe language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nonstop.conditions import Expression, condition_of, expression_of
from nonstop.misread import LOCALS_TYPE, OPTIMIZED, local_variables
from nonstop.safe.budget import Refused
from nonstop.safe.expressions import compile_safe

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable
    from types import FrameType


def compile_condition(text: object) -> Callable[[FrameType], bool]:
    """The same as :func:`nonstop.conditions.compile_condition`, in the safe language.

    >>> import sys
    >>> amount = 20
    >>> compile_condition("amount > 10")(sys._getframe())
    True
    """
    return condition_of(text, _SafeExpression)


def compile_expression(text: object) -> Callable[[FrameType], object]:
    """The same as :func:`nonstop.conditions.compile_expression`, in the safe language.

    >>> compile_expression("open('log')")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    nonstop.errors.ConditionError: the expression "open('log')" calls open, and safe expressions call only abs, ...
    """
    return expression_of(text, _SafeExpression)


class _SafeExpression(Expression):
    """An expression whose names are looked up as in any other, and whose value is worked out apart."""

    def __init__(self, tree: ast.expr) -> None:
        self._evaluate = compile_safe(tree)
        super().__init__(tree)

    def value(self, frame: FrameType) -> object:
        """Its value in a frame."""
        if not frame.f_code.co_flags & OPTIMIZED:
            kind = type(local_variables(frame))
            if kind is not dict and kind is not LOCALS_TYPE:
                raise Refused("the namespace of this frame is of a class that may look names up by code of its own")
        return super().value(frame)

    def _function(self, names: tuple[str, ...]) -> Callable[..., object]:
        return lambda *values: self._evaluate(dict(zip(names, values)))
