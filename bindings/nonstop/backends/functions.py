"""Functions that are alive, and generators: what code objects are reached by.

The collector of CPython knows all of them but those that `gc.freeze` hid: these are looked for in modules, classes and
closures. That of PyPy knows those that have survived a minor collection, and takes 30 ms in a small program and 0.3 s
for a million objects; what modules lead to is there in a moment.
"""

from __future__ import annotations

import gc
import sys
import types
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType, FunctionType

_PYPY = sys.implementation.name == "pypy"

#: How the frame of a suspended one is read.
_FRAME_OF: dict[type, Callable[[Any], Any]] = {
    types.GeneratorType: lambda generator: generator.gi_frame,
    types.CoroutineType: lambda coroutine: coroutine.cr_frame,
    types.AsyncGeneratorType: lambda generator: generator.ag_frame,
}
_WRAPPERS = (staticmethod, classmethod)


class Alive(NamedTuple):
    """What was found."""

    functions: list[FunctionType]
    #: Generators, coroutines and asynchronous generators.
    suspended: list[Any]


def find_alive() -> Alive:
    """All functions and all generators, as far as they can be found."""
    if hasattr(gc, "collect_step"):
        gc.collect_step()  # what is young is found after a minor collection only
    functions: list[Any] = []
    suspended: list[Any] = []
    for found in gc.get_objects():
        kind = type(found)
        if kind is types.FunctionType:
            functions.append(found)
        elif kind in _FRAME_OF:
            suspended.append(found)
    if not _PYPY and gc.get_freeze_count():
        known = set(map(id, functions))
        functions.extend(one for one in _in_modules() if id(one) not in known)
    if _PYPY:  # its built-in functions have another kind of code
        functions = [one for one in functions if type(one.__code__) is types.CodeType]
    return Alive(functions, suspended)


def find_suspended() -> Iterator[Any]:
    """All generators, coroutines and asynchronous generators that the collector knows."""
    return (found for found in gc.get_objects() if type(found) in _FRAME_OF)


def frame_of(suspended: Any) -> FrameType | None:
    """The frame of a generator or the like; None if it has ended."""
    frame: FrameType | None = _FRAME_OF[type(suspended)](suspended)
    return frame


def _in_modules() -> Iterator[Any]:
    return functions_in([value for _, space in namespaces() for value in list(space.values())])


def namespaces() -> Iterator[tuple[str, dict[str, Any]]]:
    """The namespaces of modules and of what runs in this thread, with the name of a file whose code runs there."""
    for module in list(sys.modules.values()):
        space = getattr(module, "__dict__", None)
        if type(space) is dict:
            file = space.get("__file__")
            yield file if type(file) is str else "", space
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame.f_code.co_filename, frame.f_globals
        frame = frame.f_back


def functions_in(values: list[Any]) -> Iterator[Any]:
    """The functions among some values, and in what these hold: classes, wrappers, closures. `values` is used up."""
    seen: set[int] = set()
    while values:
        value = values.pop()
        if id(value) in seen:
            continue
        kind = type(value)
        if kind is types.FunctionType:
            seen.add(id(value))
            yield value
            for cell in value.__closure__ or ():
                try:
                    values.append(cell.cell_contents)
                except ValueError:  # nothing is in it yet
                    continue
            values.extend(value.__dict__.values())
        elif issubclass(kind, type):
            seen.add(id(value))
            values.extend(type.__getattribute__(value, "__dict__").values())
        elif kind is types.MethodType or kind in _WRAPPERS:
            values.append(value.__func__)
        elif kind is property:
            values.extend((value.fget, value.fset, value.fdel))
