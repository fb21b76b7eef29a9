"""From what users write as a location to the text that the engine parses, and the files where it may stand."""

from __future__ import annotations

import functools
import inspect
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from nonstop import sources
from nonstop.code_objects import code_lines
from nonstop.errors import LocationError
from nonstop.planner import path_bytes, source_rows
from nonstop.rewritten import original_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import CodeType


#: What keeps the function that it was made of as `func`.
_HAVE_FUNC = (functools.partial, functools.partialmethod, functools.cached_property)


class Located(NamedTuple):
    """A location, and what is known at once of where it leads."""

    #: As shown to users.
    text: str
    #: As given to the engine; paths need not be UTF-8.
    encoded: bytes
    #: Files where it may stand, as (path, module).
    files: Sequence[tuple[str, str]]
    #: The line; 0 where a function is asked for.
    line: int


class Place(NamedTuple):
    """What the part of a location before its colon leads to."""

    #: As given to the engine.
    name: str
    #: Files that it may mean, as (path, module).
    files: Sequence[tuple[str, str]]


def find_place(
    place: str, *, may_be_elsewhere: bool = False, has_units: Callable[[str], bool] = lambda path: False
) -> Place:
    """Find the files that a location may mean by the part before its colon.

    `may_be_elsewhere`: the files of the program may have other names than the user's, so that a path which does not
    exist here is no error. `has_units`: whether a file is known to compile. Raises
    :class:`~nonstop.errors.LocationError`.
    """
    try:
        found = sources.find_source(place)
    except LocationError as error:
        if not (may_be_elsewhere and error.code == "no_such_file"):
            raise
        found = []
    # The program may know it under another name, with links on the way. To this one all of them lead.
    name = os.path.realpath(place) if found == [place] and os.path.isfile(place) else place
    module = "" if sources.is_file_place(place) else place
    return Place(name, [(_known_name(path), module) for path in _with_units(found, has_units)])


def locate(location: object, find: Callable[[str], Place] = find_place) -> Located:
    """Understand a location: text, or a function object. `find`: :func:`find_place` or the like.

    Raises :class:`~nonstop.errors.LocationError`.
    """
    if isinstance(location, str):
        return _from_text(location, find)
    code = function_code(location)
    if code is None:
        raise LocationError(
            f"{location!r} is no location: give text such as 'shop.py:42' or 'shop.py:total', "
            "or a function written in Python",
            code="invalid_location",
        )
    return _from_code(code)


def function_code(function: Any) -> CodeType | None:
    """The code object that the user means by a function, method, property, partial, or a decorated one of these.

    >>> function_code(function_code) is function_code.__code__
    True
    >>> function_code(len)
    """
    for _ in range(100):  # wrappers can be circular
        if inspect.iscode(function):
            return original_of(function)
        for name in ("__wrapped__", "__func__", "fget", "func"):
            inner = inspect.getattr_static(function, name, None)
            if inner is not None and (name != "func" or isinstance(function, _HAVE_FUNC)):
                function = getattr(function, name)
                break
        else:
            code = getattr(function, "__code__", None)
            return original_of(code) if inspect.iscode(code) else None  # PyPy's built-in functions have another kind
        if function is None:
            return None
    return None


def _from_text(text: str, find: Callable[[str], Place]) -> Located:
    place, colon, target = text.rpartition(":")
    if not (colon and place):
        return Located(text, path_bytes(text), (), 0)  # the engine says what is wrong
    name, files = find(place)
    line = int(target) if target.isascii() and target.isdigit() else 0
    return Located(text, path_bytes(f"{name}:{target}"), files, line)


def _known_name(path: str) -> str:
    """The name under which the program is likely to know a file: two names of one would be two files to the engine."""
    name = os.path.abspath(path)
    real = os.path.realpath(name)
    if real == name:
        return name
    loaded = sources.loaded_files()
    return real if real in loaded and name not in loaded else name


def _with_units(found: list[str], has_units: Callable[[str], bool]) -> list[str]:
    """The files among those found that this interpreter can compile; an error where there is none such."""
    usable = []
    refused = None
    for path in found:
        try:
            if not has_units(path):
                source_rows(path)
        except LocationError as error:
            refused = refused or error
        else:
            usable.append(path)
    if refused is not None and not usable:
        raise refused
    return usable


def _from_code(code: CodeType) -> Located:
    name, line = code.co_filename, _body_line(code)
    text = f"{name}:{line}"
    # A name that a program made up could be taken for a module's.
    encoded = text if sources.is_file_place(name) else os.path.join(os.curdir, text)
    return Located(text, path_bytes(encoded), [(name, "")], line)


def _body_line(code: CodeType) -> int:
    """The first line of a function's body: its `def` line belongs to the code around it."""
    try:
        rows = source_rows(code.co_filename)
    except Exception:
        rows = None
    if rows is not None:
        lines = set(code_lines(code))
        for row, scope in enumerate(rows.scopes):
            if scope[5] == code.co_name and scope[1] == code.co_firstlineno:
                # A lambda has no block of its own: the units of the one around it are not the lambda's.
                body = [unit for unit in rows.units if unit[3] == scope[4] and unit[4] == row]
                # The docstring has no code.
                for unit in sorted(body, key=lambda unit: unit[1]):
                    if any(unit[1] <= line <= unit[2] for line in lines):
                        return unit[1]
    after = [line for line in code_lines(code) if line > code.co_firstlineno]
    return after[0] if after else code.co_firstlineno
