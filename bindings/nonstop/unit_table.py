"""From the syntax tree of a source file to the rows of its unit table: scopes, blocks and units.

The rows are the same on every interpreter that can parse the source; which units have code there is another question
(see :func:`nonstop.sources.mark_code`).
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, NamedTuple, Tuple

from nonstop.nested_units import nested_units, parameter_nodes
from nonstop.unit_kinds import CLASS, FUNCTION, HEADER, LAMBDA, MATCH, MODULE, REENTERED, STATEMENT, WITH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nonstop.source_text import Position, SourceText

#: kind, first_line, last_line, parent, body_block, name, qualname
ScopeRow = Tuple[int, int, int, int, int, str, str]
#: first_line, last_line, parent, scope
BlockRow = Tuple[int, int, int, int]
#: kind, first_line, last_line, block, scope, inner_first, inner_last, flags
UnitRow = Tuple[int, int, int, int, int, int, int, int]


class SourceRows(NamedTuple):
    """The unit table of a file, in the order of the fields of the C structs. Lines count from 1, rows from 0.

    Row 0 of the scopes and of the blocks is the module. A lambda or comprehension has no block of its own: its rows
    name the block around it.
    """

    scopes: list[ScopeRow]
    blocks: list[BlockRow]
    units: list[UnitRow]
    line_count: int


class UnitTable:
    """Collects the rows of one source file."""

    def __init__(self, text: SourceText) -> None:
        self.text = text
        self._scopes: list[ScopeRow] = []
        self._blocks: list[BlockRow] = []
        self._units: list[UnitRow] = []
        #: The last statement or header unit; what begins on its last line belongs to it.
        self._flat = -1
        #: Names declared `global`, by scope: they are no part of the scope that defines them.
        self._globals: dict[int, set[str]] = {}
        #: Whether control may come back to the next unit straight from itself.
        self._reentered = False
        #: The lines from the first to the last of the `finally` bodies that what comes next can leave through.
        self._finally = (0, 0)

    def rows(self, tree: ast.Module) -> SourceRows:
        """The rows of a whole module."""
        count = len(self.text.lines)
        self._scopes.append((MODULE, 1, max(1, count), 0, 0, "<module>", "<module>"))
        self._statements(tree.body, self._open(1, 0, 0), 0)
        self._close(0, max(1, count))
        return SourceRows(self._scopes, self._blocks, self._units, count)

    # Rows

    def add_scope(self, kind: int, name: str, first: int, last: int, parent: int, body_block: int) -> int:
        """Add a scope and give its row."""
        self._scopes.append((kind, first, last, parent, body_block, name, self._qualname(name, parent)))
        return len(self._scopes) - 1

    def add_nested(self, kind: int, first: int, last: int, block: int, scope: int) -> None:
        """Add a unit inside of another."""
        self._units.append((kind, first, last, block, scope, 0, 0, 0))

    def _qualname(self, name: str, parent: int) -> str:
        kind = self._scopes[parent][0]
        if kind == MODULE or name in self._globals.get(parent, ()):
            return name
        around = self._scopes[parent][6]
        return f"{around}.{name}" if kind == CLASS else f"{around}.<locals>.{name}"

    def _add(
        self,
        kind: int,
        first: int,
        last: int,
        block: int,
        scope: int,
        *,
        inner: tuple[int, int] = (0, 0),
        has_code: bool = True,
    ) -> None:
        """Add a statement or header, or let the one that ends on its first line grow."""
        if self._flat >= 0 and self._units[self._flat][2] >= first:
            self._grow(last)
        else:
            flags = REENTERED if self._reentered else 0
            self._flat = len(self._units)
            self._units.append((kind, first, last, block, scope, *(inner if inner[0] else self._finally), flags))
        if has_code:
            self._reentered = False

    def _grow(self, last: int) -> None:
        _, first, before, block, scope, _, _, flags = self._units[self._flat]
        self._units[self._flat] = (STATEMENT, first, max(before, last), block, scope, *self._finally, flags)

    def _nested(self, nodes: Iterable[ast.AST | None], first: int, last: int, block: int, scope: int) -> None:
        if self.text.may_nest(first, last):
            nested_units(self, nodes, block, scope)

    # Blocks

    def _open(self, first: int, parent: int, scope: int) -> int:
        self._blocks.append((first, first, parent, scope))
        return len(self._blocks) - 1

    def _close(self, row: int, last: int) -> None:
        first, _, parent, scope = self._blocks[row]
        self._blocks[row] = (first, last, parent, scope)

    def _block(self, body: Sequence[ast.stmt], first: int, parent: int, scope: int) -> int:
        """Add a block with its statements and give its last line.

        Comments after its last statement that are indented like it belong to it.
        """
        row = self._open(min(first, _first_line(body[0])), parent, scope)
        last = _end(body[-1])[0]
        begin = _start(body[0])
        if self.text.is_first(begin):
            last = self.text.comments_end(last, self.text.indent(begin[0]))
        self._statements(body, row, scope)
        self._close(row, last)
        return last

    def _body(self, body: Sequence[ast.stmt], first: int, parent: int, scope: int) -> None:
        """Add the block of a function or class: what is around it is no part of its activation."""
        around, self._finally = self._finally, (0, 0)
        reentered, self._reentered = self._reentered, False
        self._block(body, first, parent, scope)
        self._finally, self._reentered = around, reentered

    def _else(self, body: Sequence[ast.stmt], before: int, block: int, scope: int) -> int:
        """Add the block of `else:` or `finally:`, if there is one; `before`: the last line of the clause before it.

        The word has no unit of its own: with what stands before it, it belongs to the block.
        """
        return self._block(body, before + 1, block, scope) if body else before

    # Statements

    def _statements(self, body: Sequence[ast.stmt], block: int, scope: int) -> None:
        for statement in body:
            _COMPOUND.get(type(statement).__name__, UnitTable._simple)(self, statement, block, scope)

    def _simple(self, node: Any, block: int, scope: int) -> None:
        first, last = node.lineno, node.end_lineno
        self._add(STATEMENT, first, last, block, scope, has_code=_surely_has_code(node))
        if isinstance(node, ast.Global):
            self._globals.setdefault(scope, set()).update(node.names)
        self._nested((node,), first, last, block, scope)

    def _header(
        self,
        node: Any,
        nodes: Sequence[Any],
        block: int,
        scope: int,
        *,
        kind: int = HEADER,
        inner: tuple[int, int] = (0, 0),
        has_code: bool = True,
    ) -> int:
        """Add the unit of a header with these nodes in it: from its first line to its colon, whose line it gives."""
        first = _first_line(node)
        last = self.text.colon_line(max([_start(node), *(_end(part) for part in nodes if part is not None)]))
        self._add(kind, first, last, block, scope, inner=inner, has_code=has_code)
        self._nested(nodes, first, last, block, scope)
        return last

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, block: int, scope: int) -> None:
        # Annotations too: where they are evaluated late, or never, the lambdas in them have code elsewhere, or none.
        nodes = [*node.decorator_list, *_type_params(node), *parameter_nodes(node.args), node.returns]
        colon = self._header(node, nodes, block, scope)
        last = _end(node)[0]
        inner = self.add_scope(FUNCTION, node.name, _first_line(node), last, scope, len(self._blocks))
        begin = _first_line(node.body[0])
        if begin > colon:
            self._body(node.body, colon + 1, block, inner)
            return
        # The body shares a line with the signature, but runs in an activation of its own: it is a unit like the body
        # of a lambda.
        self._grow(last)
        body = self._open(begin, block, inner)
        self._close(body, last)
        self.add_nested(LAMBDA, begin, last, body, inner)
        self._nested(node.body, begin, last, body, inner)

    def _class(self, node: ast.ClassDef, block: int, scope: int) -> None:
        colon = self._header(
            node, [*node.decorator_list, *_type_params(node), *node.bases, *node.keywords], block, scope
        )
        inner = self.add_scope(CLASS, node.name, _first_line(node), _end(node)[0], scope, len(self._blocks))
        self._body(node.body, colon + 1, block, inner)

    def _if(self, node: ast.If, block: int, scope: int) -> None:
        own = block
        #: Whether the next statement can follow itself; None: as the code before it says.
        reentered: bool | None = None
        # A loop, since a chain of a thousand `elif` is nested that deep in the tree.
        while True:
            before, truth = self._reentered, _truth(node.test)
            colon = self._header(node, [node.test], own, scope, has_code=truth is None)
            last = self._block(node.body, colon + 1, own, scope)
            if own != block:
                self._close(own, last)
            if truth is False:
                self._reentered = before
            elif truth and reentered is None:
                reentered = self._reentered  # what follows in the chain never runs
            following = node.orelse[0] if node.orelse else None
            if not (isinstance(following, ast.If) and self.text.starts(_start(following), b"elif")):
                self._else(node.orelse, last, block, scope)
                if reentered is not None:
                    self._reentered = reentered
                return
            node = following
            own = self._open(last + 1, block, scope)

    def _for(self, node: ast.For | ast.AsyncFor, block: int, scope: int) -> None:
        colon = self._header(node, [node.target, node.iter], block, scope)
        last = self._block(node.body, colon + 1, block, scope)
        self._else(node.orelse, last, block, scope)

    def _while(self, node: ast.While, block: int, scope: int) -> None:
        reentered, truth = self._reentered, _truth(node.test)
        colon = self._header(node, [node.test], block, scope, has_code=truth is None)
        # Where this header has no code (up to 3.9) a pass leads from the last statement of the body straight to the
        # first one, and that may be the same.
        self._reentered = truth is True
        last = self._block(node.body, colon + 1, block, scope)
        self._reentered = reentered and truth is False
        self._else(node.orelse, last, block, scope)

    def _with(self, node: ast.With | ast.AsyncWith, block: int, scope: int) -> None:
        nodes = [part for item in node.items for part in (item.context_expr, item.optional_vars)]
        inner = _first_line(node.body[0]), _end(node)[0]
        colon = self._header(node, nodes, block, scope, kind=WITH, inner=inner)
        self._block(node.body, colon + 1, block, scope)

    def _try(self, node: ast.Try, block: int, scope: int) -> None:
        colon = self._header(node, [], block, scope, has_code=False)
        around = self._finally
        if node.finalbody:
            # Some compilers come back to a `return`, `break` or `continue` after these bodies.
            first, last = _first_line(node.finalbody[0]), _end(node.finalbody[-1])[0]
            self._finally = first, max(last, around[1])
        last = self._block(node.body, colon + 1, block, scope)
        if node.handlers:
            handlers = self._open(last + 1, block, scope)
            is_group = type(node).__name__ == "TryStar"
            for handler in node.handlers:
                # Some compilers come back from the body of an `except*` to its header.
                inner = (_first_line(handler.body[0]), _end(handler)[0]) if is_group else (0, 0)
                colon = self._header(handler, [handler.type], handlers, scope, inner=inner)
                last = self._block(handler.body, colon + 1, handlers, scope)
            self._close(handlers, last)
        last = self._else(node.orelse, last, block, scope)
        self._finally = around
        self._else(node.finalbody, last, block, scope)

    def _match(self, node: Any, block: int, scope: int) -> None:
        colon = self.text.colon_line(_end(node.subject))
        line = self.text.keyword_line(b"case", colon + 1)
        last = _end(node)[0]
        self._header(node, [node.subject], block, scope, kind=MATCH, inner=(line, last))
        cases = self._open(colon + 1, block, scope)
        for case in node.cases:
            line = self.text.keyword_line(b"case", line)
            colon = self.text.colon_line(_end(case.guard or case.pattern))
            self._add(HEADER, line, colon, cases, scope)
            self._nested([case.guard], line, colon, cases, scope)
            last = self._block(case.body, colon + 1, cases, scope)
            line = last + 1
        self._close(cases, last)


# By name: not every interpreter has all of them.
_COMPOUND: dict[str, Callable[[UnitTable, Any, int, int], None]] = {
    "FunctionDef": UnitTable._function,
    "AsyncFunctionDef": UnitTable._function,
    "ClassDef": UnitTable._class,
    "If": UnitTable._if,
    "For": UnitTable._for,
    "AsyncFor": UnitTable._for,
    "While": UnitTable._while,
    "With": UnitTable._with,
    "AsyncWith": UnitTable._with,
    "Try": UnitTable._try,
    "TryStar": UnitTable._try,
    "Match": UnitTable._match,
}


def _start(node: Any) -> Position:
    return node.lineno, node.col_offset


def _end(node: Any) -> Position:
    return node.end_lineno, node.end_col_offset


def _first_line(node: Any) -> int:
    """The first line of a statement; that of a decorated one is its first decorator's."""
    decorators = getattr(node, "decorator_list", None)
    line: int = decorators[0].lineno if decorators else node.lineno
    return line


def _type_params(node: Any) -> Sequence[Any]:
    params: Sequence[Any] = getattr(node, "type_params", ())
    return params


def _truth(test: ast.expr) -> bool | None:
    """The outcome of a test that the compiler knows, and may make no code for; None for others."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        outcome = _truth(test.operand)
        return None if outcome is None else not outcome
    return True if isinstance(test, ast.Name) and test.id == "__debug__" else None


def _surely_has_code(node: Any) -> bool:
    """Whether every interpreter makes code for a simple statement, however it folds constants."""
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, (ast.Constant, ast.UnaryOp, ast.BinOp, ast.Tuple))
    if isinstance(node, ast.AnnAssign):
        return node.value is not None
    return not isinstance(node, (ast.Pass, ast.Global, ast.Nonlocal, ast.Assert))
