"""Comprehensions: one meaning, whether they run in a frame of their own or not (docs/semantics.md, rule 1.7).

CPython up to 3.11 and PyPy run a list, set or dictionary comprehension in a frame of its own; from 3.12 on it runs in
the frame around (PEP 709), except in annotations in a class. Where it has its own frame, that frame and the one around
are shown as one: the place is the comprehension's, the name that of the function around, and the variables are those of
both.

At the top of a module or class a frame of 3.13 and later shows the comprehension's variables only, 3.12 those and the
namespace's, and before there are two frames. What is taken everywhere is what the comprehension itself can see: its own
variables, those of the module, or those of functions around the class that this mentions; and nothing of the class.
(Nor could more be had: nothing leads from a frame of 3.13 to its namespace then.)

A generator expression has a frame of its own on all interpreters, and is shown as it is.
"""

from __future__ import annotations

import weakref
from types import CodeType
from typing import TYPE_CHECKING, Any, NamedTuple

from nonstop.misread import OPTIMIZED, local_variables

if TYPE_CHECKING:
    from types import FrameType

#: Names of the code that runs in a frame of a comprehension's own.
OWN_FRAMES = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>"})
#: So many answers of `_made_by` are kept: a module's code may have thousands of constants to look through.
_MOST_PAIRS = 256

#: The first names that the body of a class reads or binds, on all interpreters.
_BEGIN_OF_CLASS = ("__name__", "__module__", "__qualname__")

MISSING: Any = object()


class Scope(NamedTuple):
    """What a comprehension sees of its own scope."""

    #: Of the comprehension, of comprehensions around it, and of the function around those, or the functions around the
    #: class.
    variables: dict[str, Any]
    #: Where no function and no class is around, but a module.
    module: dict[str, Any] | None


def frame_around(frame: FrameType) -> FrameType:
    """The frame that the frame of a comprehension is a part of, any other is that itself.

    So is a comprehension's whose caller is not the code around it (which something other than the interpreter must have
    brought about): what is around is not known then.
    """
    while frame.f_code.co_name in OWN_FRAMES:
        caller = _maker(frame)
        if caller is None:
            break
        frame = caller
    return frame


def inside_comprehension(frame: FrameType) -> Scope | None:
    """The variables at a place inside a comprehension; None for other places, and where reading the frame gives them
    just so.
    """
    code = frame.f_code
    if code.co_name in OWN_FRAMES:
        return _of_own_frame(frame)
    if code.co_flags & OPTIMIZED or not code.co_varnames:
        return None
    # A module or class with comprehensions in it. While one runs, each read makes something new.
    found = local_variables(frame)
    if local_variables(frame) is found:
        return None
    return _of_namespace(frame, _some(found, (*code.co_varnames, *code.co_cellvars)))


def closure_variable(frame: FrameType, name: str) -> Any:
    """The variable of a function around that a class body (or what runs in it) mentions, which its frame does not show;
    ``MISSING`` if it mentions none.
    """
    frame = frame_around(frame)
    while name in frame.f_code.co_freevars:
        caller = _maker(frame)
        if caller is None:
            break
        frame = frame_around(caller)
        if frame.f_code.co_flags & OPTIMIZED:
            return _some(local_variables(frame), (name,)).get(name, MISSING)
    return MISSING


def _of_own_frame(frame: FrameType) -> Scope | None:
    own = [frame]
    around = _maker(frame)
    if around is None:
        return None
    while around.f_code.co_name in OWN_FRAMES:
        own.append(around)
        caller = _maker(around)
        if caller is None:
            break
        around = caller
    variables: dict[str, Any] = {}
    for part in reversed(own):
        code = part.f_code
        variables.update(_some(local_variables(part), (*code.co_varnames, *code.co_cellvars)))
    if around.f_code.co_flags & OPTIMIZED:
        return Scope({**local_variables(around), **variables}, None)
    return _of_namespace(around, variables)


def _of_namespace(around: FrameType, own: dict[str, Any]) -> Scope:
    code = around.f_code
    if code.co_names[:3] != _BEGIN_OF_CLASS:
        return Scope(own, around.f_globals)
    mentioned = {name: closure_variable(around, name) for name in code.co_freevars}
    return Scope({**{name: value for name, value in mentioned.items() if value is not MISSING}, **own}, None)


def _some(found: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: found[name] for name in names if not _is_the_compilers(name) and name in found}


def _is_the_compilers(name: str) -> bool:
    # The iterator that is handed to a comprehension (".0"), cells such as "__classdict__".
    return name[:1] == "." or name[:2] == "__" == name[-2:]


def _maker(frame: FrameType) -> FrameType | None:
    """The calling frame, if its code is what the code of this frame stands in."""
    caller = frame.f_back
    return caller if caller is not None and _made_by(frame.f_code, caller.f_code) else None


_pairs: dict[tuple[int, int], tuple[weakref.ref[CodeType], weakref.ref[CodeType], bool]] = {}


def _made_by(code: CodeType, outer: CodeType) -> bool:
    # Never by the code objects themselves: their hash walks through what they hold.
    key = id(code), id(outer)
    kept = _pairs.get(key)
    if kept is not None and kept[0]() is code and kept[1]() is outer:
        return kept[2]
    made = any(constant is code or _is_copy(constant, code) for constant in outer.co_consts)
    if len(_pairs) >= _MOST_PAIRS:
        _pairs.clear()
    _pairs[key] = weakref.ref(code), weakref.ref(outer), made
    return made


def _is_copy(constant: object, code: CodeType) -> bool:
    """Whether a constant is the same piece of source: one of the two may have been replaced while it runs."""
    return (
        type(constant) is CodeType
        and constant.co_name == code.co_name
        and constant.co_firstlineno == code.co_firstlineno
        and constant.co_filename == code.co_filename
    )
