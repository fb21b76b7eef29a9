"""The scopes and units inside of expressions: lambdas, and the elements and conditions of comprehensions.

The first iterable of a comprehension, and the defaults of a lambda, are evaluated in the scope around it.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from nonstop.unit_kinds import COMPREHENSION, ELEMENT, LAMBDA, LAMBDA_SCOPE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nonstop.source_text import Position, SourceText
    from nonstop.unit_table import UnitTable

_NAMES: dict[type[Any], str] = {
    ast.ListComp: "<listcomp>",
    ast.SetComp: "<setcomp>",
    ast.DictComp: "<dictcomp>",
    ast.GeneratorExp: "<genexpr>",
}
_LEAVES = (ast.Constant, ast.Name, ast.expr_context, ast.operator, ast.cmpop, ast.unaryop, ast.boolop)


def nested_units(table: UnitTable, nodes: Iterable[ast.AST | None], block: int, scope: int) -> None:
    """Add the scopes and units inside of expressions that are evaluated in `scope`."""
    # (node, its scope, the line to take for all that is in it, or 0). A stack, since expressions may be nested as
    # deep as the parser allows.
    stack: list[tuple[Any, int, int]] = [(node, scope, 0) for node in nodes]
    stack.reverse()
    while stack:
        node, around, line = stack.pop()
        if node is None or isinstance(node, _LEAVES):
            continue
        kind = type(node)
        if kind is ast.Lambda:
            parts = _lambda(table, node, block, around, line)
        elif kind in _NAMES:
            parts = _comprehension(table, node, block, around, line)
        elif not line and kind.__name__ in ("JoinedStr", "TemplateStr"):
            # Up to 3.11 the positions inside of an f-string are not reliable: in one that stands on a single line they
            # are not needed, in another there are no units.
            line = node.lineno
            parts = [(part, around) for part in _children(node)] if node.end_lineno == line else []
        else:
            parts = [(part, around) for part in _children(node)]
        stack.extend((part, inside, line) for part, inside in reversed(parts))


def _lambda(table: UnitTable, node: ast.Lambda, block: int, scope: int, line: int) -> list[tuple[Any, int]]:
    first, last = line or node.lineno, line or _end(node)[0]
    inner = table.add_scope(LAMBDA_SCOPE, "<lambda>", first, last, scope, block)
    begin = first
    if first != last:
        # The body's first token, not its node: the brackets around it are part of it.
        parts = [_end(part) for part in parameter_nodes(node.args) if part is not None]
        colon = table.text.colon(max([(node.lineno, node.col_offset), *parts]))
        begin, _ = table.text.token((colon[0], colon[1] + 1))
    table.add_nested(LAMBDA, begin, last, block, inner)
    return [(part, scope) for part in (*node.args.defaults, *node.args.kw_defaults)] + [(node.body, inner)]


def parameter_nodes(given: ast.arguments) -> list[ast.AST | None]:
    """The nodes between the brackets of a signature, in no order."""
    return [
        *(*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg),
        *(*given.defaults, *given.kw_defaults),
    ]


def _comprehension(table: UnitTable, node: Any, block: int, scope: int, line: int) -> list[tuple[Any, int]]:
    first, last = line or node.lineno, line or _end(node)[0]
    inner = table.add_scope(COMPREHENSION, _NAMES[type(node)], first, last, scope, block)
    elements = [part for part in _elements(node) if part is not None]
    if first != last:
        for begin, end in _element_lines(table.text, node, elements[-1]):
            table.add_nested(ELEMENT, begin, end, block, inner)
    parts = [(part, inner) for part in elements]
    for number, clause in enumerate(node.generators):
        parts.append((clause.iter, inner if number else scope))
        parts.append((clause.target, inner))
        parts.extend((test, inner) for test in clause.ifs)
    return parts


def _elements(node: Any) -> list[Any]:
    # From 3.15 on a dictionary comprehension may have `**mapping` for its element, without a value.
    return [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]


def _element_lines(text: SourceText, node: Any, element: ast.expr) -> Iterator[tuple[int, int]]:
    """The lines of the element and of each condition that begins on a line of its own."""
    start = text.token((node.lineno, node.col_offset + 1))
    clause = text.token(_end(element), past=b")")
    if text.is_first(start):
        # Up to where the `for` stands, without its line: brackets around the element may end on lines of their own.
        yield start[0], _last_before(text, _end(element), clause)
    for generator in node.generators:
        before = _end(generator.iter)
        for test in generator.ifs:
            word = text.token(before, past=b")")
            begin = text.token((word[0], word[1] + len("if")))
            before = _end(test)
            if text.is_first(word):
                yield word[0], before[0]
            elif text.is_first(begin):
                yield begin[0], before[0]


def _last_before(text: SourceText, end: Position, following: Position) -> int:
    """The last line with a closing bracket between an expression and what follows it."""
    line, column = end
    last = line
    while (bracket := text.token((line, column))) < following:
        last = bracket[0]
        line, column = last, bracket[1] + 1
    return last


def _children(node: Any) -> Iterator[Any]:
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            yield from (item for item in value if isinstance(item, ast.AST))  # some are lists of names
        elif isinstance(value, ast.AST):
            yield value


def _end(node: Any) -> Position:
    return node.end_lineno, node.end_col_offset
