"""What the engine must know of a code object to decide about it, and where the text of its file comes from."""

from __future__ import annotations

import functools
import gc
import itertools
import linecache
import logging
import os
import sys
import types
from typing import TYPE_CHECKING, Any, NamedTuple

from nonstop import sources
from nonstop.code_objects import code_lines, dialect, nested_code
from nonstop.core import NativeHooks
from nonstop.dialect import bytecode_of
from nonstop.errors import ArgumentError, StateError
from nonstop.rewritten import original_of
from nonstop.staleness import CompiledText

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import CodeType, FrameType

    from nonstop.core import Decision, Engine, Probe
    from nonstop.unit_table import SourceRows

_log = logging.getLogger("nonstop")

#: Where the frames that are never observed live: a breakpoint in nonstop would observe itself.
_OWN_FILES = os.path.dirname(os.path.abspath(__file__)) + os.sep


#: From 3.14 on annotations are evaluated when somebody asks for them, by code with this name: that is no part of the
#: unit that they stand in (docs/semantics.md, 5).
_MADE_LATE = frozenset({"__annotate__"} if hasattr(lambda: 0, "__annotate__") else ())


class CodeFacts(NamedTuple):
    """A code object as the engine sees it. The key is a serial number: unlike an address it is never used twice."""

    key: int
    path: bytes
    module: str
    name: str
    qualname: str
    first_line: int


class Planner:
    """Asks the engine about code objects, and registers the units of their files when the engine wants them."""

    def __init__(self, engine: Engine, *, sees_instructions: bool = False) -> None:
        self._engine = engine
        self._sees_instructions = sees_instructions
        self._keys = itertools.count(1)
        self._stamps: dict[str, tuple[int, int]] = {}
        #: What the registered texts compile to, by path; and the paths of those that replaced another.
        self._compiled: dict[bytes, CompiledText] = {}
        self._replaced: set[bytes] = set()
        #: Files, with the module that they ran as, in which no breakpoint stands.
        self._quiet: set[tuple[str, str]] = set()
        #: By file and module, what tells the code without a breakpoint.
        self._told: dict[tuple[str, str], _Told | None] = {}
        #: Changes when quiet files may have ceased to be.
        self.edits = 0

    @property
    def epoch_word(self) -> Any:
        """The engine's epoch, readable without a call as ``epoch_word[0]``."""
        return self._engine.epoch_word

    def native_hooks(self) -> NativeHooks:
        """Hooks that ask the engine without Python code in between."""
        return NativeHooks(self._engine)

    def examine(self, code: CodeType, namespace: dict[str, Any]) -> tuple[CodeFacts, Decision] | None:
        """What the engine wants of `code`, which runs in `namespace`; None for code that carries nothing.

        Most files carry no breakpoint: the engine is asked about them once, not for each of their code objects.
        """
        module = module_name(namespace)
        file = (code.co_filename, module)
        if file in self._quiet or is_own(code) or code.co_name in _MADE_LATE:
            return None
        told = self._tell(file)
        if told is not None and told.carries_nothing(code):
            return None
        facts = CodeFacts(
            next(self._keys),
            path_bytes(code.co_filename),
            module,
            code.co_name,
            getattr(code, "co_qualname", ""),
            code.co_firstlineno,
        )
        edits = self.edits
        decision = self.decide(facts, code, namespace)
        if decision.entries:
            return facts, decision
        self.forget(facts)
        if decision.quiet:
            self._quiet.add(file)
            if self.edits != edits:
                self._quiet.discard(file)
        return None

    def carry(self, files: Sequence[tuple[str, str]], breakpoints: Sequence[int]) -> list[bool]:
        """In which files, named with their modules, one of these breakpoints stands; of none, any breakpoint."""
        found = self._engine.files_carry([(path_bytes(name), module) for name, module in files], breakpoints)
        return [carries and not name.startswith(_OWN_FILES) for carries, (name, _) in zip(found, files)]

    def candidates(self, codes: Iterable[CodeType], file: tuple[str, str]) -> Iterable[CodeType]:
        """Those among code objects of a file, named with its module, in which something may be armed, or in what is
        made inside of them.
        """
        told = self._tell(file)
        return codes if told is None else itertools.filterfalse(told.carries_nothing, codes)

    def is_quiet(self, name: str, module: str) -> bool:
        """Whether no breakpoint stands in a file, as far as is known."""
        return (name, module) in self._quiet

    def edited(self) -> None:
        """Breakpoints were added or enabled: any file may carry one now."""
        self.edits += 1
        self._quiet.clear()
        self._told.clear()

    def decide(
        self, facts: CodeFacts, code: CodeType | None = None, namespace: dict[str, Any] | None = None
    ) -> Decision:
        """The engine's decision. `namespace` helps to find the source text of a file that is not on the disk.

        Most code is in files without breakpoints: its lines are worked out only when the engine asks for them, and it
        remembers them.
        """
        decision = self._engine.code_decide(*facts)
        if decision.needs_source:
            self.register(facts.path, facts.module, namespace, code)
        is_open = decision.needs_source or decision.needs_lines
        if code is not None and (is_open or facts.path in self._replaced):
            compiled = self._compiled.get(facts.path)
            try:
                decision = self._engine.code_decide(
                    *facts,
                    bytecode=(dialect(), bytecode_of(code)),
                    is_of_other_source=compiled is not None and not compiled.is_source_of(code),
                )
            except ArgumentError as error:
                # Code that some tool made, and that runs nevertheless.
                _log.warning("%s in %r can carry no breakpoint: %s", facts.name, os.fsdecode(facts.path), error)
                return decision._replace(needs_source=False, needs_lines=False)
        while decision.entry_count:
            get = self._engine.code_instructions if self._sees_instructions else self._engine.code_entries
            epoch, entries = get(facts.key)
            if epoch == decision.epoch:
                return decision._replace(entries=entries)
            decision = self._engine.code_decide(*facts)  # an edit came between
        return decision._replace(quiet=not is_open)

    def probes(self, facts: CodeFacts) -> tuple[int, list[Probe]]:
        """What to put into a code object, as of its last decision, with the epoch of that."""
        return self._engine.code_probes(facts.key)

    def is_inside(self, facts: CodeFacts, site: int, offset: int) -> bool:
        """Whether control at `offset` is inside of the unit of `site`."""
        return self._engine.code_is_inside(facts.key, site, offset)

    def forget(self, facts: CodeFacts) -> None:
        """The code object is gone, or carries nothing."""
        self._engine.code_forget(facts.key)

    def has_units(self, name: str) -> bool:
        """Whether the units of a file are known, as it is now."""
        return self._stamps.get(name) == _stamp(name) and path_bytes(name) in self._compiled

    def usable_lines(self, name: str, module: str) -> frozenset[int]:
        """The lines of a file at which a breakpoint surely has a place; none where its text does not tell."""
        path = path_bytes(name)
        try:
            if not self.has_units(name):
                self._stamps[name] = _stamp(name)
                self.register(path, module)
            return frozenset(self._engine.source_lines(path))
        except StateError:  # there is no text, or its units made room for others
            return frozenset()

    def place(self, name: str, module: str) -> None:
        """Let the engine place breakpoints in a file before any of its code has been seen."""
        facts = CodeFacts(next(self._keys), path_bytes(name), module, "", "", 0)
        stamp = _stamp(name)
        if self._stamps.get(name, stamp) != stamp:
            self.register(facts.path, module)  # it was written again since
        self._stamps[name] = stamp
        self.decide(facts)
        self.forget(facts)

    def register(
        self, path: bytes, module: str, namespace: dict[str, Any] | None = None, code: CodeType | None = None
    ) -> None:
        """Give the engine the units of a file, or tell it that there is no text; `code` is the first that was seen."""
        try:
            rows, compiled = _source(os.fsdecode(path), namespace)
        except Exception:
            # No text, or none that this interpreter can parse: the lines of its code have to do.
            self._engine.source_without_units(path, _lines_of_file(code))
            return
        self._told.clear()
        if path in self._compiled:
            self._replaced.add(path)
        if compiled is not None:
            self._compiled[path] = compiled
        self._engine.register_source(path, module, rows)

    def _tell(self, file: tuple[str, str]) -> _Told | None:
        if file in self._told:
            return self._told[file]
        edits, (name, module) = self.edits, file
        path = path_bytes(name)
        compiled = self._compiled.get(path)
        told = None
        if compiled is not None and not compiled.can_be_newer:
            try:
                told = _Told(frozenset(self._engine.file_scopes(path, module)), compiled)
            except StateError:  # its units made room for others
                return None
        self._told[file] = told
        if self.edits != edits:
            self._told.pop(file, None)
        return told

    def runs_other_text(self, name: str) -> bool:
        """Whether functions of a file are alive that were not made of its text: a line that has no place in that may
        have one in them. This looks at all objects, where the file was written since the process began.
        """
        compiled = self._compiled.get(path_bytes(name))
        if compiled is None or not compiled.can_be_newer:
            return False
        functions = (found for found in _objects() if type(found) is types.FunctionType)
        return any(
            not compiled.is_source_of(original_of(function.__code__))
            for function in functions
            if type(function.__code__) is types.CodeType and function.__code__.co_filename == name
        )


class _Told(NamedTuple):
    """What tells, without a look at their bytecode, which code objects of a file carry no breakpoint."""

    #: Where the code begins that carries some.
    scopes: frozenset[int]
    compiled: CompiledText

    def carries_nothing(self, code: CodeType) -> bool:
        """Whether nothing is armed in a code object, nor in what is made inside of it."""
        first_lines = self.compiled.first_lines(code)
        return first_lines is not None and self.scopes.isdisjoint(first_lines)


def is_own(code: CodeType) -> bool:
    """Whether a code object is nonstop's own."""
    return code.co_filename.startswith(_OWN_FILES)


def module_name(namespace: dict[str, Any]) -> str:
    """The name of the module that runs in a namespace; empty where it has none."""
    # The namespace may be of a subclass that runs code of its own: ask `dict`.
    name = dict.get(namespace, "__name__")
    return name if type(name) is str else ""


def _objects() -> Iterator[object]:
    """The objects that the collector knows, and those of the namespaces on this stack: PyPy's collector does not tell
    of young ones.
    """
    yield from gc.get_objects()
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        yield from list(frame.f_globals.values())
        frame = frame.f_back


def path_bytes(name: str) -> bytes:
    """A file name as the system spells it; names that a program made up need not be encodable."""
    try:
        return os.fsencode(name)
    except UnicodeEncodeError:
        return name.encode("utf-8", "replace")


def _stamp(name: str) -> tuple[int, int]:
    try:
        status = os.stat(name)
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def source_rows(name: str, namespace: dict[str, Any] | None = None) -> SourceRows:
    """The units of a file. Raises where there is no text, or none that this interpreter can parse."""
    return _source(name, namespace)[0]


def _source(name: str, namespace: dict[str, Any] | None) -> tuple[SourceRows, CompiledText | None]:
    """The units of a file, and of one on the disk what it compiles to: only that can be edited unnoticed."""
    if os.path.isfile(name):
        return _source_of_file(name, _stamp(name))
    if sources.archived(name) is not None:
        return sources.unit_rows(sources.read_source(name), name), None
    # Other loaders: linecache asks `__loader__.get_source`.
    lines = linecache.getlines(name, None if namespace is None else dict(namespace))
    if not lines:
        raise LookupError(name)
    return sources.unit_rows("".join(lines), name), None


@functools.lru_cache(maxsize=4)
def _source_of_file(name: str, stamp: tuple[int, int]) -> tuple[SourceRows, CompiledText]:
    # Setting many breakpoints in one file parses it once.
    rows, code = sources.compiled_rows(sources.read_source(name), name)
    return rows, CompiledText(code, stamp[0])


def _lines_of_file(code: CodeType | None) -> list[int]:
    """The lines of all code of a file, where one code object tells them: all of it is made inside of its module's.

    Under a name that a program made up there may be many modules.
    """
    if code is None or code.co_name != "<module>" or code.co_filename.startswith("<"):
        return []
    return sorted({line for one in nested_code(code) for line in code_lines(one)})
