"""Conditions and captured expressions: Python expressions over the variables of the frame that was hit.

A name means what it would mean to ``eval`` in that frame: its variable (one of the function around it too, if the code
of the frame mentions it), else the module's, else a builtin. A comprehension has its own variables and those of the
function that it stands in, also where it has its own frame. Unlike in ``eval``, lambdas and comprehensions see the
variables of the frame: an expression is compiled as a function whose parameters are the names that it reads.

Nothing can be written: an expression has no assignment but ``:=``, which is refused, as are comprehensions that loop
over an attribute or item. What an expression calls may do anything; that is up to the user. Names with two leading
underscores are not mangled, since which class a frame belongs to is not known: write ``self._Cart__total``.
"""

from __future__ import annotations

import ast
import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

from nonstop.errors import ConditionError
from nonstop.misread import MISREADS, OPTIMIZED, local_variables, misread_variables
from nonstop.scopes import MISSING, OWN_FRAMES, closure_variable, inside_comprehension
from nonstop.sources import OWN_TEXT
from nonstop.walk.objects import derives

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType

#: Longer ones could nest so deeply that old parsers and compilers run out of stack.
_MOST_CHARS = 4000
#: An expression is kept compiled for so many sets of names: frames differ in which of them mean anything.
_MOST_FUNCTIONS = 16

#: Where nodes stand that are not in the text.
_AT: Any = {"lineno": 1, "col_offset": 0, "end_lineno": 1, "end_col_offset": 0}

_EXAMPLE = "total > 100 and user.name == 'ada'"


def compile_condition(text: object) -> Callable[[FrameType], bool]:
    """A condition as a function of the frame. It gives the truth of the expression, or raises what that raises.

    Raises :class:`~nonstop.errors.ConditionError` (``invalid_condition``) for what is no expression or would write.

    >>> import sys
    >>> amount = 20
    >>> compile_condition("amount > 10")(sys._getframe())
    True
    """
    return condition_of(text, Expression)


def compile_expression(text: object) -> Callable[[FrameType], object]:
    """An expression as a function of the frame that gives its value, or raises what it raises.

    Raises :class:`~nonstop.errors.ConditionError` (``invalid_expression``) for what is no expression or would write.

    >>> import sys
    >>> amount = 20
    >>> compile_expression("[amount * n for n in range(3)]")(sys._getframe())
    [0, 20, 40]
    """
    return expression_of(text, Expression)


def condition_of(text: object, make: type[Expression]) -> Callable[[FrameType], bool]:
    """A condition by an expression of this class."""
    condition: Any = _compile(text, "condition", "invalid_condition", make, truth=True)
    return condition  # type: ignore[no-any-return]


def expression_of(text: object, make: type[Expression]) -> Callable[[FrameType], object]:
    """An expression of this class."""
    return _compile(text, "expression", "invalid_expression", make)


class NotAllowed(Exception):  # noqa: N818 (it becomes a ConditionError)
    """A node of an expression that is not allowed: what it does, and what to do instead."""

    def __init__(self, node: Any, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.node = node
        self.remedy = remedy


def _compile(
    text: object, what: str, code: str, make: type[Expression], *, truth: bool = False
) -> Callable[[FrameType], object]:
    if not isinstance(text, str):
        raise ConditionError(f"the {what} is {text!r}; it must be text, such as {_EXAMPLE!r}", code=code)
    try:
        tree = _parsed(text)
        if truth:
            tree = ast.UnaryOp(ast.Not(), ast.UnaryOp(ast.Not(), tree, **_AT), **_AT)
        return make(tree).value
    except NotAllowed as error:
        before = text.strip().encode()[: getattr(error.node, "col_offset", 0)]
        column = len(before.decode()) + 1 + _indent(text)
        problem = f"{error} at column {column}; {error.remedy}"
        raise ConditionError(f"the {what} {_shown(text)} {problem}", code=code) from None
    except _Refused as refused:
        raise ConditionError(f"the {what} {_shown(text)} {refused}", code=code) from None


def _shown(text: str) -> str:
    return repr(text if len(text) <= 200 else text[:200] + "…")


class _Refused(Exception):  # noqa: N818 (it is the middle of a message, never seen)
    """What is wrong with a text, where, and what to do."""


def _parsed(text: str) -> ast.expr:
    source = text.strip()
    if not source:
        raise _Refused(f"is empty; give a Python expression, such as {_EXAMPLE!r}")
    if len(source) > _MOST_CHARS:
        raise _Refused(f"has {len(source)} characters; at most {_MOST_CHARS} are taken: call a function of the program")
    try:
        tree = ast.parse(source, OWN_TEXT, "eval").body
    except SyntaxError as error:
        raise _Refused(_not_an_expression(text, source, error)) from None
    except (RecursionError, MemoryError):
        raise _Refused(_TOO_DEEP) from None
    except ValueError as error:  # null bytes, lone surrogates
        raise _Refused(f"cannot be read as source: {error}; write it with printable characters only") from None
    for node, problem in _writes(tree):
        raise NotAllowed(node, problem, "nonstop only reads: leave that out")
    return tree


_TOO_DEEP = "is nested too deeply; make it simpler, or call a function of the program"


def _not_an_expression(text: str, source: str, error: SyntaxError) -> str:
    try:
        statement = ast.parse(source, OWN_TEXT, "exec").body[0]
    except (SyntaxError, ValueError, RecursionError, MemoryError, IndexError):
        # Without an offset it is the end that came too early.
        column = (error.offset or len(source) + 1) + _indent(text)
        return f"does not compile: {error.msg} at column {column}; give a Python expression, such as {_EXAMPLE!r}"
    if isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
        return "is an assignment, and nonstop only reads; compare with =="
    return f"is a statement, no expression; give one, such as {_EXAMPLE!r}"


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _writes(tree: ast.AST) -> Iterator[tuple[Any, str]]:
    """What in an expression would write into the program, or has no meaning outside of a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.NamedExpr):
            yield node, f"assigns to {node.target.id} with :="
        elif isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            yield node, "loops over an attribute or item, which it would change,"
        elif isinstance(node, (ast.Yield, ast.YieldFrom)):
            yield node, "has a yield"
        elif isinstance(node, ast.Await):
            yield node, "has an await"
        elif isinstance(node, ast.comprehension) and node.is_async:
            yield node.target, "has an async for"


def _free_names(tree: ast.expr) -> list[str]:
    """The names that an expression reads and does not bind itself, each once, in order of appearance."""
    found: dict[str, None] = {}
    # Without recursion: an expression may nest as deeply as the parser lets it.
    todo: list[tuple[ast.AST, frozenset[str]]] = [(tree, frozenset())]
    while todo:
        node, bound = todo.pop()
        if isinstance(node, ast.Name):
            if node.id not in bound and isinstance(node.ctx, ast.Load) and node.id != "__debug__":
                found[node.id] = None
            continue
        inside: list[tuple[ast.AST, frozenset[str]]]
        if isinstance(node, ast.Lambda):
            given = node.args
            single = [argument for argument in (given.vararg, given.kwarg) if argument]
            arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs, *single]
            names = bound.union(argument.arg for argument in arguments)
            defaults = [*given.defaults, *(default for default in given.kw_defaults if default)]
            inside = [*((default, bound) for default in defaults), (node.body, names)]
        elif isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
            # The first iterable is evaluated outside, and everything else inside.
            names = bound.union(
                name.id
                for generator in node.generators
                for name in ast.walk(generator.target)
                if isinstance(name, ast.Name)
            )
            first = node.generators[0].iter
            rest = [part for generator in node.generators for part in (generator.iter, *generator.ifs)]
            elements = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            # From 3.15 on, `{**one for one in many}` has no value.
            inside = [(first, bound), *((part, names) for part in (*rest, *elements) if part and part is not first)]
        else:
            inside = [(child, bound) for child in ast.iter_child_nodes(node)]
        todo.extend(reversed(inside))
    return list(found)


class _Plan(NamedTuple):
    """How an expression is evaluated in the frames of one code object."""

    code: weakref.ref[CodeType]
    #: Names that are variables of the code, and those that never are.
    inner: tuple[str, ...]
    outer: tuple[str, ...]
    #: Takes the values of both, in that order.
    function: Callable[..., object]


class Expression:
    """An expression as a function of the names that it reads."""

    def __init__(self, tree: ast.expr) -> None:
        self._tree = tree
        self._names = tuple(_free_names(tree))
        self._functions: dict[tuple[str, ...], Callable[..., object]] = {}
        self._function(self._names)
        self._plan: _Plan | None = None

    def value(self, frame: FrameType) -> object:
        """Its value in a frame."""
        code = frame.f_code
        if not code.co_flags & OPTIMIZED:
            return self._looked_up(frame)
        plan = self._plan
        if plan is None or plan.code() is not code:
            if code.co_name in OWN_FRAMES or (MISREADS and misread_variables(code)):
                return self._looked_up(frame)
            plan = self._plan = self._planned(code)
        values = []
        if plan.inner:
            variables = frame.f_locals
            try:
                for name in plan.inner:
                    values.append(variables[name])
            except KeyError:  # it has no value at the moment
                return self._looked_up(frame)
        if plan.outer:
            space = frame.f_globals
            for name in plan.outer:
                value = dict.get(space, name, MISSING)
                if value is MISSING:
                    value = _builtin(frame, name)
                    if value is MISSING:
                        return self._looked_up(frame)
                values.append(value)
        return plan.function(*values)

    def _planned(self, code: CodeType) -> _Plan:
        """Most expressions see one code object only: the plan for the last one is kept."""
        variables = {*code.co_varnames, *code.co_cellvars, *code.co_freevars}
        inner = tuple(name for name in self._names if name in variables)
        outer = tuple(name for name in self._names if name not in variables)
        return _Plan(weakref.ref(code), inner, outer, self._function(inner + outer))

    def _looked_up(self, frame: FrameType) -> object:
        """Its value where each name has to be looked for in all places. What means nothing is an error where it is
        reached.
        """
        inside = inside_comprehension(frame)
        get = _reader(local_variables(frame) if inside is None else inside.variables)
        left_out = misread_variables(frame.f_code) if MISREADS else ()
        names, values = [], []
        for name in self._names:
            if name in left_out:
                raise NameError(
                    f"the variable {name!r} of this function cannot be read with CPython 3.13.0 to 3.13.2, "
                    "where a comprehension and a closure use that name: take a later 3.13"
                )
            value = get(name, MISSING)
            if value is MISSING:
                value = closure_variable(frame, name)
            if value is MISSING:
                value = dict.get(frame.f_globals, name, MISSING)
            if value is MISSING:
                value = _builtin(frame, name)
            if value is not MISSING:
                names.append(name)
                values.append(value)
        return self._function(tuple(names))(*values)

    def _function(self, names: tuple[str, ...]) -> Callable[..., object]:
        """The expression as a function of these names. It has no globals: all others mean nothing."""
        function = self._functions.get(names)
        if function is None:
            parameters = ast.arguments([], [ast.arg(name, **_AT) for name in names], None, [], [], None, [])
            tree = ast.Expression(ast.Lambda(parameters, self._tree, **_AT))
            try:
                code = compile(tree, OWN_TEXT, "eval")
            except (RecursionError, MemoryError):
                raise _Refused(_TOO_DEEP) from None
            except (SyntaxError, ValueError) as error:
                problem = getattr(error, "msg", error)
                raise _Refused(f"does not compile: {problem}; give a Python expression, such as {_EXAMPLE!r}") from None
            function = eval(code, {"__builtins__": {}})
            if len(self._functions) >= _MOST_FUNCTIONS:
                self._functions.clear()
            self._functions[names] = function
        return function


def _reader(variables: Any) -> Callable[[str, Any], Any]:
    """How names are looked up in a namespace: ``exec`` or a metaclass may have given another than a dict."""
    if type(variables) is dict:
        get: Callable[[str, Any], Any] = variables.get
        return get
    if derives(type(variables), dict):
        return lambda name, default: dict.get(variables, name, default)

    def item(name: str, default: Any) -> Any:
        try:
            return variables[name]
        except KeyError:
            return default

    return item


def _variables(frame: FrameType) -> dict[str, Any]:
    inside = inside_comprehension(frame)
    if inside is None:
        return dict(local_variables(frame))
    return {**(inside.module or {}), **inside.variables}


def _builtin(frame: FrameType, name: str) -> Any:
    # Called by the expression these two would speak of the expression's own function.
    if name == "locals":
        return lambda: _variables(frame)
    if name == "globals":
        return lambda: frame.f_globals
    return dict.get(frame.f_builtins, name, MISSING)
