"""What is captured at a hit: where it was, in which thread and task, the frames with their variables, the values of
expressions.

Everything that is looked at belongs to a running program, which must not notice: see :mod:`nonstop.walk.objects`.
Reading the variables of a frame does no harm. From 3.13 on they are read through a proxy. Before, the interpreter
copies them into a dictionary that it keeps with the frame, and copies them back after each call of a trace function
written in Python, whether that read them or not: reading adds nothing to what tracing does, and in the frames of
callers, which are not being traced at that moment, nothing is copied back. That dictionary stays with its frame: what a
variable of a frame that goes on held at the hit then lives until its variables are read again, or it ends.
"""

from __future__ import annotations

import os
import sys
import threading
import types
from typing import TYPE_CHECKING, Any

from nonstop.hits import describe, raised_by_signal, thread_name
from nonstop.misread import LOCALS_TYPE, OPTIMIZED, local_variables
from nonstop.scopes import OWN_FRAMES, frame_around, inside_comprehension
from nonstop.walk.objects import class_dict, derives, mro_of, plain, type_name
from nonstop.walk.records import Names, encoded, field, named
from nonstop.walk.values import Walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import FrameType

    from nonstop.limits import Limits

    Evaluate = Callable[[FrameType], object]

#: Frames of these files are not the program's.
_OWN_FILES = os.path.join(os.path.dirname((lambda: 0).__code__.co_filename), "")
#: Of the message of an exception; the engine shows 128 bytes.
_MESSAGE_CHARS = 200
#: A value in JSON takes up to three times the bytes of its record.
_JSON_RATIO = 3


class Recorder:
    """Makes the records of hits, under limits. One may be used by many threads at once."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def snapshot(self, frame: FrameType, captures: Sequence[tuple[str, Evaluate]] = ()) -> bytes:
        """The records of a snapshot: the frames, and the values of expressions with their names.

        Raises only what a signal handler of the program raised while it was at work.
        """
        walk = Walk(self._limits)
        captured: list[str] = []
        if captures:
            # First: whoever asked for a value wants it more than the locals, if room or time do not last.
            asked = Walk(self._limits, named=True)
            captured = asked.records
            for name, evaluate in captures:
                asked.forget()
                captured.append(named(name))
                _evaluate(asked, evaluate, frame)
            walk.numbered, walk.deadline, walk.cuts = asked.numbered, asked.deadline, asked.cuts
            walk.room -= _JSON_RATIO * sum(map(len, captured))
        place = _place(frame)
        walk.records.append(_head(place))
        self._frames(walk, frame, place)
        return encoded((*walk.records, "c\x1e", *captured, *_cuts(walk)))

    def log(self, frame: FrameType, expressions: Iterable[Evaluate] = ()) -> bytes:
        """The records of a log message: the value of each expression, in order."""
        walk = Walk(self._limits, named=True, shares=False)
        walk.records += (_head(_place(frame)), "c\x1e")
        for evaluate in expressions:
            _evaluate(walk, evaluate, frame)
        return encoded((*walk.records, *_cuts(walk)))

    def _frames(self, walk: Walk, frame: FrameType, place: str) -> None:
        limits = self._limits
        count = 0
        current: FrameType | None = frame
        while current is not None:
            if count == limits.frames:
                walk.cut("frames")
                return
            if count:
                place = _place(current)
            variables = _variables(current) if count < limits.frames_with_locals else None
            if variables is None:
                walk.cut("locals")
                walk.records.append(f"f\x1f{place}\x1f0\x1e")
            else:
                names, values = variables
                walk.records.append(f"f\x1f{place}\x1f1\x1e")
                walk.write(values, names)
            count += 1
            if current.f_code.co_name in OWN_FRAMES:
                current = frame_around(current)
            current = current.f_back
            while current is not None and str.startswith(current.f_code.co_filename, _OWN_FILES):
                current = current.f_back


def _evaluate(walk: Walk, evaluate: Evaluate, frame: FrameType) -> None:
    """Write the value of an expression, or what it raised."""
    started = walk.now()
    try:
        value = evaluate(frame)
    except BaseException as error:
        if raised_by_signal(error):
            raise
        name = type_name(type(error))
        message = describe(error)[len(name) :][2:]
        walk.omit(field(name), message[:_MESSAGE_CHARS] or "raised")
        return
    # That was the program's own code: it may take the time that it takes.
    walk.deadline += walk.now() - started
    walk.write((value,))


def _head(place: str) -> str:
    ident = threading.get_ident()
    # The engine reads the clock: the time is 0.
    return f"h\x1f{place}\x1f0\x1f{ident}\x1f{field(thread_name(ident) or '')}\x1f{field(_task_name())}\x1e"


def _place(frame: FrameType) -> str:
    # The plain name in all versions: only CPython from 3.11 on knows qualified ones.
    code = frame.f_code
    name = code.co_name
    if name in OWN_FRAMES:
        name = frame_around(frame).f_code.co_name
    return f"{field(code.co_filename)}\x1f{frame.f_lineno or 0}\x1f{field(name)}"


def _cuts(walk: Walk) -> list[str]:
    return [f"k\x1f{reason}\x1e" for reason in walk.cuts]


def _variables(frame: FrameType) -> tuple[list[str], list[Any]] | None:
    """The records of the names, and the values, of the variables of a frame; None if they cannot be read without asking
    the program.

    At the top of a module and of a class the names that ``import``, ``def`` and ``class`` bind, and those with two
    underscores on both sides, are no variables to anybody who looks for one.
    """
    code = frame.f_code
    optimized = code.co_flags & OPTIMIZED
    inside = None
    try:
        if not optimized or code.co_name in OWN_FRAMES:
            inside = inside_comprehension(frame)
        found: Any = local_variables(frame) if inside is None else inside.module
    except Exception as error:
        # PyPy asks such a namespace as the next lines refuse to, and may find that it cannot do what is asked.
        if raised_by_signal(error):
            raise
        return None
    kind = type(found)
    names: Iterable[Any]
    if inside is None and optimized and (kind is dict or kind is LOCALS_TYPE):
        names = found = dict(found)
        values = list(found.values())
    elif inside is not None or derives(kind, dict):
        # At once, since other threads may go on with it; and never by key: the program may have keys of its own making.
        items = [] if found is None else list(dict.items(found))
        items = [item for item in items if type(item[0]) is not str or not _is_definition(*item)]
        if inside is not None:
            own = inside.variables
            items = [*(item for item in items if type(item[0]) is not str or item[0] not in own), *own.items()]
        names = [name for name, _ in items]
        values = [value for _, value in items]
    else:  # of a metaclass's __prepare__, or given to exec()
        return None
    records = _VARIABLE_NAMES
    shown = [records[name] if type(name) is str else named(name) for name in names]
    if not all(shown):
        values = [value for name, value in zip(shown, values) if name]
        shown = [name for name in shown if name]
    return shown, values


class _VariableNames(Names):
    """Empty for what is no variable to anybody: the compiler's begin with a dot, and __class__ is there for super()."""

    def record(self, name: str) -> str:
        return "" if name[:1] == "." or name == "__class__" else super().record(name)


_VARIABLE_NAMES = _VariableNames()


def _is_definition(name: str, value: Any) -> bool:
    if name[:2] == "__" == name[-2:]:
        return True
    kind = type(value)
    if kind is types.FunctionType or kind is types.BuiltinFunctionType:
        return name == plain(value.__name__)
    return derives(kind, types.ModuleType) or (derives(kind, type) and name == type_name(value))


def _task_name() -> str:
    """Name of the asyncio task that runs in this thread; empty if there is none.

    Where the program derives a class of tasks, its base is asked all the same.
    """
    events, tasks = sys.modules.get("asyncio.events"), sys.modules.get("asyncio.tasks")
    if type(events) is not types.ModuleType or type(tasks) is not types.ModuleType:
        return ""
    try:
        loop = events._get_running_loop()
        task = None if loop is None else tasks.current_task(loop)
        if task is None:
            return ""
        native = sys.modules.get("_asyncio")
        for base in mro_of(type(task)):
            if base is tasks._PyTask or base is getattr(native, "Task", None):
                return plain(class_dict(base)["get_name"](task))
    except Exception as error:
        if raised_by_signal(error):
            raise
    return ""
