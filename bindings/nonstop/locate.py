"""From what users write as a location to the text that the engine parses, and the files where it may stand."""

from __future__ import annotations

import functools
import inspect
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from nonstop import sources
from nonstop.errors import LocationError
from nonstop.planner import code_lines, path_bytes, source_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType


class Located(NamedTuple):
    """A location, and what is known at once of where it leads."""

    #: As shown to users.
    text: str
    #: As given to the engine; paths need not be UTF-8.
    encoded: bytes
    #: Files where it may stand, as (path, module).
    files: Sequence[tuple[str, str]]
    #: Whether a function is asked for, not a line.
    is_function: bool


def locate(location: object, *, may_be_elsewhere: bool = False) -> Located:
    """Understand a location: text, or a function object.

    `may_be_elsewhere`: the files of the program may have other names than the user's, so that a path which does not
    exist here is no error. Raises :class:`~nonstop.errors.LocationError`.
    """
    if isinstance(location, str):
        return _from_text(location, may_be_elsewhere)
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
            return function
        for name in ("__wrapped__", "__func__", "fget", "func"):
            inner = inspect.getattr_static(function, name, None)
            if inner is not None and (name != "func" or isinstance(function, functools.partial)):
                function = getattr(function, name)
                break
        else:
            code = getattr(function, "__code__", None)
            return code if inspect.iscode(code) else None  # PyPy's built-in functions have another kind
        if function is None:
            return None
    return None


def _from_text(text: str, may_be_elsewhere: bool) -> Located:
    place, colon, target = text.rpartition(":")
    files: Sequence[tuple[str, str]] = ()
    if colon and place:
        files = _files(place, may_be_elsewhere)
    # Without a colon the engine says what is wrong.
    return Located(text, path_bytes(text), files, not target.isdigit())


def _files(place: str, may_be_elsewhere: bool) -> list[tuple[str, str]]:
    try:
        found = sources.find_source(place)
    except LocationError as error:
        if may_be_elsewhere and error.code == "no_such_file":
            return []
        raise
    module = "" if sources.is_file_place(place) else place
    return [(os.fspath(path), module) for path in found]


def _from_code(code: CodeType) -> Located:
    line = _body_line(code)
    text = f"{code.co_filename}:{line}"
    return Located(text, path_bytes(text), [(code.co_filename, "")], False)


def _body_line(code: CodeType) -> int:
    """The first line of a function's body: its `def` line belongs to the code around it."""
    try:
        rows = source_rows(code.co_filename)
    except Exception:
        rows = None
    if rows is not None:
        lines = set(code_lines(code))
        for scope in rows.scopes:
            if scope[5] == code.co_name and scope[1] == code.co_firstlineno:
                body = [unit for unit in rows.units if unit[3] == scope[4]]
                # The docstring has no code.
                for unit in sorted(body, key=lambda unit: unit[1]):
                    if any(unit[1] <= line <= unit[2] for line in lines):
                        return unit[1]
    after = [line for line in code_lines(code) if line > code.co_firstlineno]
    return after[0] if after else code.co_firstlineno
