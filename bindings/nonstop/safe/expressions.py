"""Syntax trees of the safe language as functions of the values that their names have."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from nonstop.conditions import NotAllowed
from nonstop.safe import arithmetic, comparing, formatting, functions, items
from nonstop.safe.attributes import attribute
from nonstop.safe.budget import Budget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    #: Evaluates one node: what is left to spend, the values of the names.
    Node = Callable[[Budget, Mapping[str, Any]], Any]

#: Levels of a tree: evaluating it takes two levels of the stack for each, in a program that may have few left.
_MOST_LEVELS = 40

_BINARY: dict[type, str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
}
_UNARY: dict[type, str] = {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~"}
_ORDERS: dict[type, str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
#: Attributes with two underscores on both sides that are read; others lead to what makes the program.
_SPECIAL = frozenset({"__name__", "__class__", "__cause__", "__context__"})


def _not_safe(node: Any, problem: str) -> NotAllowed:
    return NotAllowed(
        node, problem, "a debugger with expressions='full' evaluates it, and lets it run the program's code"
    )


def compile_safe(tree: ast.expr) -> Callable[[Mapping[str, Any]], object]:
    """An expression as a function of the values of its names; one that has none is an error where it is reached.

    Raises `NotAllowed` for what the language does not have. The function raises what Python raises, and
    :class:`~nonstop.safe.budget.Refused` for what would run code of the program, or take too much.
    """
    node = _compile(tree, 0)
    return lambda values: node(Budget(), values)


def _compile(tree: Any, level: int) -> Node:
    if level > _MOST_LEVELS:
        raise _not_safe(tree, f"is nested more than {_MOST_LEVELS} levels deep")
    make = _MAKERS.get(type(tree))
    if make is None:
        raise _not_safe(tree, f"has {_NAMES.get(type(tree), type(tree).__name__)}")
    return make(tree, level + 1)


def _all(trees: list[Any], level: int) -> list[Node]:
    for tree in trees:
        if isinstance(tree, ast.Starred):
            raise _not_safe(tree, "unpacks with *")
    return [_compile(tree, level) for tree in trees]


def _constant(tree: ast.Constant, level: int) -> Node:
    value = tree.value
    return lambda budget, values: value


def _name(tree: ast.Name, level: int) -> Node:
    name = tree.id
    if name == "__debug__":
        return lambda budget, values: __debug__

    def value(budget: Budget, values: Mapping[str, Any]) -> Any:
        try:
            return values[name]
        except KeyError:
            raise NameError(f"name {name!r} is not defined") from None

    return value


def _attribute(tree: ast.Attribute, level: int) -> Node:
    owner, name = _compile(tree.value, level), tree.attr
    if name[:2] == "__" == name[-2:] and name not in _SPECIAL:
        raise _not_safe(tree, f"reads {name}")
    if name == "__class__":
        return lambda budget, values: type(owner(budget, values))
    return lambda budget, values: attribute(budget, owner(budget, values), name)


def _subscript(tree: ast.Subscript, level: int) -> Node:
    owner = _compile(tree.value, level)
    # Up to 3.8 an index had a node of its own.
    key = _compile(tree.slice, level)
    return lambda budget, values: items.item(budget, owner(budget, values), key(budget, values))


def _slice(tree: ast.Slice, level: int) -> Node:
    parts = [None if part is None else _compile(part, level) for part in (tree.lower, tree.upper, tree.step)]
    return lambda budget, values: slice(*[None if part is None else part(budget, values) for part in parts])


def _not(tree: ast.UnaryOp, level: int) -> Node:
    operand = _compile(tree.operand, level)
    if isinstance(tree.op, ast.Not):
        return lambda budget, values: not comparing.is_true(operand(budget, values))
    sign = _UNARY[type(tree.op)]
    return lambda budget, values: arithmetic.unary(budget, sign, operand(budget, values))


def _binary(tree: ast.BinOp, level: int) -> Node:
    sign = _BINARY.get(type(tree.op))
    if sign is None:
        raise _not_safe(tree, "multiplies matrices")
    left, right = _compile(tree.left, level), _compile(tree.right, level)
    return lambda budget, values: arithmetic.binary(budget, sign, left(budget, values), right(budget, values))


def _boolean(tree: ast.BoolOp, level: int) -> Node:
    *first, last = _all(tree.values, level)
    ends_at = isinstance(tree.op, ast.Or)

    def value(budget: Budget, values: Mapping[str, Any]) -> Any:
        for operand in first:
            found = operand(budget, values)
            if comparing.is_true(found) is ends_at:
                return found
        return last(budget, values)

    return value


def _comparison(tree: ast.Compare, level: int) -> Node:
    first = _compile(tree.left, level)
    rest = [(_test(operator), _compile(right, level)) for operator, right in zip(tree.ops, tree.comparators)]

    def value(budget: Budget, values: Mapping[str, Any]) -> bool:
        left = first(budget, values)
        for test, operand in rest:
            right = operand(budget, values)
            if not test(budget, left, right):
                return False
            left = right
        return True

    return value


def _test(operator: ast.cmpop) -> Callable[[Budget, Any, Any], bool]:
    if isinstance(operator, ast.Eq):
        return comparing.equal
    if isinstance(operator, ast.NotEq):
        return lambda budget, left, right: not comparing.equal(budget, left, right)
    if isinstance(operator, ast.Is):
        return lambda budget, left, right: left is right
    if isinstance(operator, ast.IsNot):
        return lambda budget, left, right: left is not right
    if isinstance(operator, ast.In):
        return lambda budget, left, right: comparing.contains(budget, right, left)
    if isinstance(operator, ast.NotIn):
        return lambda budget, left, right: not comparing.contains(budget, right, left)
    sign = _ORDERS[type(operator)]
    return lambda budget, left, right: comparing.ordered(budget, sign, left, right)


def _conditional(tree: ast.IfExp, level: int) -> Node:
    test, one, other = _all([tree.test, tree.body, tree.orelse], level)
    return lambda budget, values: (one if comparing.is_true(test(budget, values)) else other)(budget, values)


def _display(kind: Any) -> Callable[[Any, int], Node]:
    def make(tree: Any, level: int) -> Node:
        elements = _all(tree.elts, level)
        return lambda budget, values: kind([element(budget, values) for element in elements])

    return make


def _set(tree: ast.Set, level: int) -> Node:
    elements = _all(tree.elts, level)

    def value(budget: Budget, values: Mapping[str, Any]) -> Any:
        found = [element(budget, values) for element in elements]
        for one in found:
            items.check_hashable(one)
        return set(found)

    return value


def _dict(tree: ast.Dict, level: int) -> Node:
    if None in tree.keys:
        raise _not_safe(tree, "unpacks with **")
    keys, held = _all(tree.keys, level), _all(tree.values, level)

    def value(budget: Budget, values: Mapping[str, Any]) -> Any:
        found = [key(budget, values) for key in keys]
        for one in found:
            items.check_hashable(one)
        return dict(zip(found, [one(budget, values) for one in held]))

    return value


def _call(tree: ast.Call, level: int) -> Node:
    if tree.keywords:
        raise _not_safe(tree, "calls with a keyword")
    arguments = _all(tree.args, level)
    if isinstance(tree.func, ast.Attribute):
        owner, method = _compile(tree.func.value, level), tree.func.attr
        return lambda budget, values: functions.call_method(
            budget, owner(budget, values), method, [argument(budget, values) for argument in arguments]
        )
    if not isinstance(tree.func, ast.Name):
        raise _not_safe(tree, "calls what is no name")
    name, function = tree.func.id, _compile(tree.func, level)
    if name not in functions.FUNCTIONS:
        called = ", ".join(functions.FUNCTIONS)
        raise _not_safe(tree, f"calls {name}, and safe expressions call only {called}")
    return lambda budget, values: functions.call(
        budget, function(budget, values), name, [argument(budget, values) for argument in arguments]
    )


def _joined(tree: ast.JoinedStr, level: int) -> Node:
    parts = _all(tree.values, level)

    def value(budget: Budget, values: Mapping[str, Any]) -> str:
        return "".join([part(budget, values) for part in parts])

    return value


def _formatted(tree: ast.FormattedValue, level: int) -> Node:
    shown = _compile(tree.value, level)
    spec = None if tree.format_spec is None else _compile(tree.format_spec, level)
    conversion = chr(tree.conversion) if tree.conversion >= 0 else ""
    return lambda budget, values: formatting.formatted(
        budget, shown(budget, values), conversion, "" if spec is None else spec(budget, values)
    )


_MAKERS: dict[type, Callable[[Any, int], Node]] = {
    ast.Attribute: _attribute,
    ast.BinOp: _binary,
    ast.BoolOp: _boolean,
    ast.Call: _call,
    ast.Compare: _comparison,
    ast.Constant: _constant,
    ast.Dict: _dict,
    ast.FormattedValue: _formatted,
    ast.IfExp: _conditional,
    ast.JoinedStr: _joined,
    ast.List: _display(list),
    ast.Name: _name,
    ast.Set: _set,
    ast.Slice: _slice,
    ast.Subscript: _subscript,
    ast.Tuple: _display(tuple),
    ast.UnaryOp: _not,
}
#: What those are called that the language does not have.
_NAMES: dict[type, str] = {
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a generator expression",
    ast.Lambda: "a lambda",
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.Starred: "a *",
}
