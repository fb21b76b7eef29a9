"""Source files: where a location leads, their text, and the units in it."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import os
import re
import stat
import sys
import warnings
import zipimport
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec, PathFinder
from typing import TYPE_CHECKING, Any

from nonstop.code_objects import code_lines, nested_code
from nonstop.errors import LocationError
from nonstop.source_text import SourceText
from nonstop.unit_kinds import COMPREHENSION, NO_CODE
from nonstop.unit_table import SourceRows, UnitTable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

#: Endings by which the engine tells a file from a module (src/location/parse.rs).
_SOURCE_ENDINGS = (".py", ".pyw", ".pyx", ".pyi")
#: The file name of all that nonstop compiles for itself.
OWN_TEXT = "<nonstop>"
#: The filter for what the interpreter would warn of in such texts.
_IGNORED = ("ignore", None, Warning, re.compile(re.escape(OWN_TEXT)), 0)


def is_file_place(place: str) -> bool:
    """Whether the part of a location before its colon names a file; otherwise it names a module.

    >>> is_file_place("shop.py"), is_file_place("bin/shop"), is_file_place("package.module")
    (True, True, False)
    """
    return place.startswith("<") or "/" in place or "\\" in place or place.endswith(_SOURCE_ENDINGS)


def find_source(place: str) -> list[str]:
    """The files that a place may mean, as this process knows them now.

    None for what can only come later: text that is compiled without a file (``<made>``), modules that cannot be found
    yet, and files that a loader of their own brought. Any other file has to exist: one that is misspelled would be
    waited for without end.

    Raises :class:`~nonstop.errors.LocationError` with code ``no_such_file``, ``is_a_directory``, ``unreadable_file``,
    or ``no_code`` for a module that has no Python source.
    """
    if place.startswith("<"):
        return []
    if not is_file_place(place):
        return _module_files(place)
    if "\0" in place:
        raise LocationError(f"{place!r} is no file name: it contains a zero byte", code="no_such_file")
    if _is_source(place):
        return [place]
    if os.path.lexists(place):
        _check_readable(place)
        return [place]  # it came to be just now
    if not os.path.isabs(place):
        return _ending_with(place)
    if place not in loaded_files():
        _check_readable(place)
    return []


def read_source(name: str) -> str:
    """The text of a source file, or of one inside of an archive, decoded as the interpreter does.

    Raises :class:`~nonstop.errors.LocationError` with code ``no_such_file``, ``is_a_directory``, ``unreadable_file``
    or ``invalid_source``.
    """
    data = archived(name)
    if data is None:
        _check_readable(name)
        try:
            with open(name, "rb") as file:
                data = file.read()
        except OSError as error:
            raise LocationError(f"{name!r} cannot be read: {error.strerror}", code="unreadable_file") from error
    try:
        return importlib.util.decode_source(data)
    except (SyntaxError, ValueError, LookupError) as error:
        # ValueError: its bytes are not in its encoding. LookupError: an encoding that is none for text.
        raise LocationError(f"{name!r} is no Python source: {error}", code="invalid_source") from error


def archived(name: str) -> bytes | None:
    """The content of a file inside of a zip archive, as in ``app.zip/shop.py``; None for any other."""
    if os.path.exists(name):
        return None
    try:
        data: bytes = zipimport.zipimporter(os.path.dirname(name)).get_data(name)
    except (ImportError, OSError, ValueError):
        return None
    return data


def loaded_files() -> list[str]:
    """The source files of the loaded modules, as these know them."""
    named = [_attribute(module, "__file__") for module in list(sys.modules.values())]
    files = [file for file in named if isinstance(file, str)]
    # A module that came without its source knows the compiled file only; its code has the name of the source.
    sources = [file[:-1] if file.endswith(".pyc") else file for file in files]
    return list(dict.fromkeys(file for file in sources if file.endswith(_SOURCE_ENDINGS)))


def unit_rows(text: str, name: str) -> SourceRows:
    r"""The unit table of a source text, for the running interpreter.

    Raises as :func:`compiled_rows` does.

    >>> [unit[1] for unit in unit_rows("a = 1\n\nb = (\n 2)", "example").units]
    [1, 3]
    """
    return compiled_rows(text, name)[0]


def compiled_rows(text: str, name: str) -> tuple[SourceRows, CodeType]:
    """The unit table of a source text, for the running interpreter, and what the text compiles to.

    Raises :class:`~nonstop.errors.LocationError` with code ``invalid_source`` for text that it cannot compile.
    """
    try:
        with _no_warnings():
            tree = ast.parse(text, OWN_TEXT)
            # The text again, not the tree: turning that back costs as much, and fails at a chain of a thousand `elif`.
            code = compile(text, OWN_TEXT, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        what = error.msg if isinstance(error, SyntaxError) else error
        raise LocationError(
            f"{name!r} is no source that this interpreter can compile: {what}{where}", code="invalid_source"
        ) from error
    rows = UnitTable(SourceText(text)).rows(tree)
    return mark_code(rows, [(one.co_name, one.co_firstlineno, code_lines(one)) for one in nested_code(code)]), code


def mark_code(rows: SourceRows, codes: list[tuple[str, int, list[int]]]) -> SourceRows:
    """Mark the units for which an interpreter makes no code.

    :param codes: name, first line and lines with code of every code object of the file.
    """
    lines_of: dict[tuple[str, int], set[int]] = {}
    for name, first, lines in codes:
        # A module's code object begins at 1, or at its first statement's line.
        lines_of.setdefault((name, 1 if name == "<module>" else first), set()).update(lines)

    def has_code(unit: tuple[int, ...]) -> bool:
        first, last, scope = unit[1], unit[2], unit[4]
        while True:
            kind, begin, _, around, _, name, _ = rows.scopes[scope]
            # No code object at all: the scope stands in dead code.
            lines = lines_of.get((name, begin), ())
            if any(line in lines for line in range(first, last + 1)):
                return True
            if kind != COMPREHENSION:
                return False
            # It may be part of the code around it (3.12 and later).
            scope = around

    units = [unit if has_code(unit) else (*unit[:7], unit[7] | NO_CODE) for unit in rows.units]
    return rows._replace(units=units)


@contextlib.contextmanager
def _no_warnings() -> Iterator[None]:
    """The interpreter warned of a source when the program compiled it: not again, and not as an error."""
    if getattr(sys.flags, "context_aware_warnings", False):  # 3.14 and later
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
        return
    # Elsewhere `catch_warnings` would exchange the filters under the program's other threads, and warnings that were
    # shown once would be shown again.
    filters: Any = warnings.filters
    filters.insert(0, _IGNORED)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):  # the program cleared them
            filters.remove(_IGNORED)


def _is_source(path: str) -> bool:
    return (os.path.isfile(path) and os.access(path, os.R_OK)) or archived(path) is not None


def _check_readable(path: str) -> None:
    """Raise unless it is a regular file that this user can read."""
    try:
        mode = os.stat(path).st_mode
    except PermissionError:
        raise LocationError(
            f"{path!r} cannot be read: this user may not look into a directory above it", code="unreadable_file"
        ) from None
    except (OSError, ValueError):
        raise LocationError(f"there is no file {path!r}: check the path", code="no_such_file") from None
    if stat.S_ISDIR(mode):
        raise LocationError(
            f"{path!r} is a directory: name a file in it, as in {os.path.join(path, '__main__.py')}:1",
            code="is_a_directory",
        )
    if not stat.S_ISREG(mode):
        # A pipe would be waited for, and a device could go on for ever.
        raise LocationError(f"{path!r} is no regular file: its text is needed", code="unreadable_file")
    if not os.access(path, os.R_OK):
        raise LocationError(
            f"{path!r} cannot be read by this user: its units are needed to place a breakpoint; change its mode",
            code="unreadable_file",
        )


def _ending_with(place: str) -> list[str]:
    """Files of loaded modules whose path ends with `place` on whole components, and those below `sys.path`."""
    tail = os.path.normpath(place)
    loaded: list[str] = []
    below: list[str] = []
    if not tail.startswith(os.pardir):  # that leads from the working directory only
        ending = os.sep + tail
        # A link has two names: the other one is looked at when it matters only, since that reads many directories.
        loaded = [file for file in loaded_files() if (os.sep + file).endswith(ending)] or [
            file for file in loaded_files() if os.path.realpath(file).endswith(ending)
        ]
        folders = [folder or os.curdir for folder in list(sys.path) if isinstance(folder, str)]
        below = [os.path.join(folder, tail) for folder in folders]
    found = {os.path.realpath(file): file for file in reversed([*loaded, *below]) if _is_source(file)}
    if found or loaded:
        return list(reversed(list(found.values())))
    for file in below:
        if os.path.lexists(file):
            _check_readable(file)
    raise LocationError(
        f"there is no file {place!r}: give the path from the working directory, an absolute one, or a module as in "
        "package.module:42",
        code="no_such_file",
    )


def _attribute(module: object, name: str) -> object:
    """What a module's own dictionary has under a name: to ask the module could run code, and load a lazy one."""
    try:
        namespace = object.__getattribute__(module, "__dict__")
    except AttributeError:
        return None
    return dict.get(namespace, name) if isinstance(namespace, dict) else None


def _module_files(name: str) -> list[str]:
    """The source file of a module, without importing anything: an import would run the program's code."""
    if "\0" in name or not all(name.split(".")):
        return []  # the engine says what is wrong
    module = sys.modules.get(name)
    if module is None:
        file: object = _find_unimported(name)
    else:
        file = _attribute(module, "__file__")
        spec = _attribute(module, "__spec__")
        if isinstance(spec, ModuleSpec) and spec.origin is None and spec.submodule_search_locations is not None:
            raise LocationError(
                f"{name} is a namespace package, which has no code of its own: name a module in it, as in "
                f"{name}.module:42",
                code="no_code",
            )
    if file is None and name in sys.builtin_module_names:
        raise LocationError(f"the module {name} is built into the interpreter: it has no Python source", code="no_code")
    if not isinstance(file, str):
        return []
    if file.endswith(tuple(EXTENSION_SUFFIXES)):
        raise LocationError(
            f"the module {name} is compiled ({file}): it has no Python source that runs", code="no_code"
        )
    return [file] if file.endswith(_SOURCE_ENDINGS) and _is_source(file) else []


def _find_unimported(name: str) -> str | None:
    path: list[str] | None = None
    around = ""
    *packages, last = name.split(".")
    for package in packages:
        around += package
        known = _attribute(sys.modules.get(around), "__path__")
        if known is None:
            spec = PathFinder.find_spec(package, path)
            known = None if spec is None else spec.submodule_search_locations
        if known is None:
            return None
        path = [folder for folder in known if isinstance(folder, str)]  # type: ignore[attr-defined]
        around += "."
    spec = PathFinder.find_spec(last, path)
    return None if spec is None else spec.origin
