"""Conditions that a native hook can decide by itself: variables compared with constants, joined by ``and``, ``or`` and
``not``.

The steps are those of ``nonstop_cpython_set_condition``. There is one truth: a comparison sets it, ``and`` and ``or``
jump over what it makes needless.
"""

from __future__ import annotations

import ast
from typing import Any, NamedTuple, Sequence

#: How a comparison is written: the place is its number.
_SIGNS = (ast.Lt, ast.LtE, ast.Eq, ast.NotEq, ast.Gt, ast.GtE, ast.Is, ast.IsNot)
#: Types of constants that are compared natively.
_CONSTANTS = (int, float, bool, str, type(None))
#: A condition of more steps is left to Python.
_MOST_STEPS = 64

COMPARE, TRUTH, NOT, JUMP_IF_TRUE, JUMP_IF_FALSE = range(1, 6)


class SimpleCondition(NamedTuple):
    """A condition as steps: (kind, sign, left, right), where the last two are places of objects, or a step."""

    names: Sequence[str]
    constants: Sequence[object]
    steps: Sequence[tuple[int, int, int, int]]


def simple_condition(text: str) -> SimpleCondition | None:
    """A condition (one that compiles) in this form; None if it is not so simple.

    >>> simple_condition("amount > 10 and not paid").steps
    [(1, 4, 0, 2), (5, 0, 4, 0), (2, 0, 1, 0), (3, 0, 0, 0)]
    >>> simple_condition("len(items) > 10")
    """
    tree = ast.parse(text.strip(), mode="eval").body
    names: list[str] = []
    constants: list[object] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id not in names:
            names.append(node.id)
    steps: list[tuple[int, int, int, int]] = []

    def place(node: ast.expr) -> int:
        if isinstance(node, ast.Name):
            return names.index(node.id)
        negated = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
        constant: Any = node.operand if isinstance(node, ast.UnaryOp) and negated else node
        if not isinstance(constant, ast.Constant) or type(constant.value) not in _CONSTANTS:
            raise _NotSimple
        value: Any = constant.value
        if negated and type(value) not in (int, float):
            raise _NotSimple
        constants.append(-value if negated else value)
        return len(names) + len(constants) - 1

    def add(node: ast.expr) -> None:
        if isinstance(node, ast.BoolOp):
            jump = JUMP_IF_FALSE if isinstance(node.op, ast.And) else JUMP_IF_TRUE
            jumps = []
            for operand in node.values[:-1]:
                add(operand)
                jumps.append(len(steps))
                steps.append((jump, 0, 0, 0))
            add(node.values[-1])
            for at in jumps:
                steps[at] = (jump, 0, len(steps), 0)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            add(node.operand)
            steps.append((NOT, 0, 0, 0))
        elif isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _SIGNS:
            left, right = node.left, node.comparators[0]
            is_identity = isinstance(node.ops[0], (ast.Is, ast.IsNot))
            if is_identity and (_may_be_another(left) or _may_be_another(right)):
                raise _NotSimple
            steps.append((COMPARE, _SIGNS.index(type(node.ops[0])), place(left), place(right)))
        elif isinstance(node, ast.Name):
            steps.append((TRUTH, 0, place(node), 0))
        else:
            raise _NotSimple

    try:
        add(tree)
    except _NotSimple:
        return None
    return SimpleCondition(names, constants, steps) if names and len(steps) <= _MOST_STEPS else None


def _may_be_another(node: ast.expr) -> bool:
    """Whether a constant need not be the object that the same text is in the program: the compiler shares some."""
    return not isinstance(node, ast.Name) and not (
        isinstance(node, ast.Constant) and (node.value is None or type(node.value) is bool)
    )


class _NotSimple(Exception):  # noqa: N818 (it only leaves the recursion)
    """Something that the steps cannot say."""
