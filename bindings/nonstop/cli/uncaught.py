"""What the interpreter does with an exception that a program did not catch, for a program that runs below us.

Modelled on CPython's Python/pythonrun.c (_PyErr_PrintEx) and PyPy's app_main.py (display_exception). The traceback that
users see begins with the frames of their program; ours are cut off.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

_PYPY = sys.implementation.name == "pypy"
_OWN_FILES = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
# The program may put anything in its place; the interpreter's own display is not reached through it.
_display = sys.__excepthook__


def trimmed(error: BaseException) -> BaseException:
    """The exception, without the frames of nonstop that it came through last."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_OWN_FILES):
        trace = trace.tb_next
    return error.with_traceback(trace)


def show(error: BaseException) -> None:
    """Hand the exception to ``sys.excepthook``, as the interpreter does before it waits for threads and exit handlers.

    Call it outside of any ``except`` block: the program's hook must not see an exception that is being handled.
    """
    trimmed(error)
    _remember(error)
    arguments = (type(error), error, error.__traceback__)
    hook = getattr(sys, "excepthook", None)
    with contextlib.suppress(RuntimeError):
        sys.audit("sys.excepthook", hook, *arguments)
    if hook is None:
        if not _PYPY:
            _write("sys.excepthook is missing\n")
        _display(*arguments)
        return
    failure = _failure_of(hook, arguments)
    if failure is None:
        return
    if isinstance(failure, SystemExit) and not _PYPY:
        raise failure
    trimmed(failure)
    _write("Error calling sys.excepthook:\n" if _PYPY else "Error in sys.excepthook:\n")
    _display(type(failure), failure, failure.__traceback__)
    _write("\nOriginal exception was:\n")
    _display(*arguments)


def shown(error: BaseException) -> BaseException:
    """The exception to be raised, so that the interpreter ends as it does for it: with status 1, or by SIGINT.

    It would show the exception again, with our frames: for that one call the hook is another.
    """
    hook, trace = getattr(sys, "excepthook", None), error.__traceback__

    def silent(kind: type[BaseException], value: BaseException, again: TracebackType | None) -> None:
        if hook is None:
            del sys.excepthook
        else:
            sys.excepthook = hook
        _remember(error.with_traceback(trace))

    sys.excepthook = silent
    return error


def _failure_of(hook: Any, arguments: tuple[Any, ...]) -> BaseException | None:
    try:
        hook(*arguments)
    except BaseException as failure:
        return failure
    return None


def _remember(error: BaseException) -> None:
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__


def _write(text: str) -> None:
    with contextlib.suppress(Exception):
        sys.stderr.write(text)
