"""The user's program: found as plain ``python`` finds it, and run in its own ``__main__``.

Modelled on CPython's Modules/main.c (pymain_run_python) and Python/pythonrun.c, 3.9 to 3.15. What runs as a module, a
directory or an archive goes through :mod:`runpy`, as it does there: the frames of runpy are part of its tracebacks.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib.machinery
import io
import os
import pkgutil
import runpy
import subprocess
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from nonstop.cli.shadowed import forget_shadowed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import CodeType

# What `python -m` itself calls; it is private, and as old as runpy.
_run_module: Any = vars(runpy)["_run_module_as_main"]

_PYPY = sys.implementation.name == "pypy"


class ProgramNotFoundError(Exception):
    """There is no such program; the message is the interpreter's own."""


class Program(NamedTuple):
    """What is to be run, not started."""

    argv: list[str]
    #: The first entry of ``sys.path``; None: none is put there.
    path_entry: str | None
    #: Runs it to its end, called with the arguments below; what it raises comes out. Not a `partial`: that is one more
    #: frame on PyPy.
    start: Callable[..., Any]
    arguments: tuple[Any, ...]


def find_program(words: Sequence[str]) -> Program:
    """The program that ``python WORDS`` would run: ``SCRIPT ARGS``, ``-m MODULE ARGS`` or ``- ARGS``.

    Raises :class:`ProgramNotFoundError` for a script that cannot be opened. Whether a module is there is found out when
    it is run, as in plain Python: the search may import packages of the program.
    """
    if words[0] == "-m":
        # While the module is looked for, sys.argv[0] is "-m"; runpy replaces it.
        return Program(["-m", *words[2:]], _working_directory(), _run_module, (words[1],))
    script = words[0]
    if script == "-":
        return Program(list(words), "" if _adds_path_entry() else None, _run_file, ("<stdin>", _load_stdin))
    path = _absolute(script)
    if pkgutil.get_importer(path) is not None:
        # A directory or an archive. Its path is put first even where nothing else would be (-P, -I).
        return Program(list(words), path, _run_module, ("__main__", False))
    _check_readable(script, path)
    folder = os.path.dirname(os.path.realpath(script)) if _adds_path_entry() else None
    return Program(list(words), folder, _run_file, (path, _load_script))


def prepare(program: Program) -> None:
    """Make ``sys.argv``, ``sys.path`` and ``__main__`` the program's own."""
    if _adds_path_entry():
        del sys.path[0]
    if program.path_entry is not None:
        sys.path.insert(0, program.path_entry)
        forget_shadowed(program.path_entry)
    sys.argv = program.argv
    sys.modules["__main__"] = _fresh_main()


def become_python(words: Sequence[str]) -> None:
    """Replace this process by plain ``python WORDS``, with the same options; return where that is not possible."""
    if os.name == "posix" and sys.executable and words[0] != "-":
        flags: list[str] = vars(subprocess)["_args_from_interpreter_flags"]()
        with contextlib.suppress(OSError):
            os.execv(sys.executable, [sys.executable, *flags, *words])


def look_from_working_directory() -> None:
    """Find modules as ``python -m`` does, for commands that run no program."""
    folder = _working_directory()
    if folder is not None:
        sys.path[0] = folder


def _adds_path_entry() -> bool:
    """Whether the interpreter put the directory of what it runs first in ``sys.path``: not under -P and -I."""
    return not getattr(sys.flags, "safe_path", sys.flags.isolated)


def _working_directory() -> str | None:
    if not _adds_path_entry():
        return None
    try:
        return os.getcwd()
    except OSError:  # it was deleted
        return ""


def _absolute(script: str) -> str:
    """``__file__`` of a script: CPython does not normalise it."""
    if os.path.isabs(script):
        return script
    if _PYPY and sys.version_info < (3, 11):
        return os.path.abspath(script)
    try:
        return os.getcwd() + os.sep + script
    except OSError:
        return script


def _check_readable(script: str, path: str) -> None:
    try:
        with io.open_code(path):
            return
    except OSError as error:
        shown = path if _PYPY else repr(path)
        raise ProgramNotFoundError(
            f"{sys.executable}: can't open file {shown}: [Errno {error.errno}] {error.strerror}"
        ) from error
    except ValueError as error:  # a zero byte
        raise ProgramNotFoundError(f"{sys.executable}: can't open file {script!r}: {error}") from error


def _fresh_main() -> ModuleType:
    """A ``__main__`` as the interpreter starts with: its names differ from version to version, so take those that the
    present one has.
    """
    main = ModuleType("__main__")
    present = vars(sys.modules["__main__"])
    names: dict[str, Any] = vars(main)
    names["__loader__"] = importlib.machinery.BuiltinImporter
    fresh = {"__builtins__": builtins, "__annotations__": {}}
    names.update((name, fresh[name]) for name in present if name in fresh)
    return main


def _run_file(path: str, load: Callable[[str], tuple[CodeType, Any]]) -> None:
    code, loader = load(path)
    names = vars(sys.modules["__main__"])
    names["__loader__"] = loader
    names["__file__"] = path
    if sys.version_info < (3, 15):
        names["__cached__"] = None
    try:
        exec(code, names)
    finally:
        # So does CPython: functions that run at exit find no __file__.
        if not _PYPY:
            names.pop("__file__", None)
            names.pop("__cached__", None)


def _load_script(path: str) -> tuple[CodeType, Any]:
    if path.endswith(".pyc"):
        loader = importlib.machinery.SourcelessFileLoader("__main__", path)
        return cast("CodeType", loader.get_code("__main__")), loader
    with io.open_code(path) as file:
        text = file.read()
    code = compile(text, path, "exec", dont_inherit=True)
    return code, importlib.machinery.SourceFileLoader("__main__", path)


def _load_stdin(path: str) -> tuple[CodeType, Any]:
    text = sys.stdin.buffer.read()
    return compile(text, path, "exec", dont_inherit=True), importlib.machinery.BuiltinImporter
