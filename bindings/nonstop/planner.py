"""What the engine must know of a code object to decide about it, and where the text of its file comes from."""

from __future__ import annotations

import functools
import itertools
import linecache
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from nonstop import sources
from nonstop.code_objects import code_lines

if TYPE_CHECKING:
    from types import CodeType

    from nonstop.core import Decision, Engine
    from nonstop.unit_table import SourceRows

#: Where the frames that are never observed live: a breakpoint in nonstop would observe itself.
_OWN_FILES = os.path.dirname(os.path.abspath(__file__)) + os.sep


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

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._keys = itertools.count(1)
        self._stamps: dict[str, tuple[int, int]] = {}
        #: Files, with the module that they ran as, in which no breakpoint stands.
        self._quiet: set[tuple[str, object]] = set()
        #: Changes when quiet files may have ceased to be.
        self.edits = 0

    @property
    def epoch_word(self) -> Any:
        """The engine's epoch, readable without a call as ``epoch_word[0]``."""
        return self._engine.epoch_word

    def examine(self, code: CodeType, namespace: dict[str, Any]) -> tuple[CodeFacts, Decision] | None:
        """What the engine wants of `code`, which runs in `namespace`; None for code that carries nothing.

        Most files carry no breakpoint: the engine is asked about them once, not for each of their code objects.
        """
        # The namespace may be of a subclass that runs code of its own: ask `dict`.
        module = dict.get(namespace, "__name__")
        if type(module) is not str:
            module = ""
        file = (code.co_filename, module)
        if file in self._quiet or code.co_filename.startswith(_OWN_FILES):
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
        if decision.arms:
            return facts, decision
        self.forget(facts)
        if decision.quiet:
            self._quiet.add(file)
            if self.edits != edits:
                self._quiet.discard(file)
        return None

    def edited(self) -> None:
        """Breakpoints were added or enabled: any file may carry one now."""
        self.edits += 1
        self._quiet.clear()

    def decide(
        self, facts: CodeFacts, code: CodeType | None = None, namespace: dict[str, Any] | None = None
    ) -> Decision:
        """The engine's decision. `namespace` helps to find the source text of a file that is not on the disk.

        Most code is in files without breakpoints: its lines are worked out only when the engine asks for them, and it
        remembers them.
        """
        decision = self._engine.code_decide(*facts, ())
        if decision.needs_source:
            self.register(facts.path, facts.module, namespace)
        if decision.needs_source or decision.needs_lines:
            decision = self._engine.code_decide(*facts, () if code is None else code_lines(code))
            return decision._replace(quiet=False)
        return decision._replace(quiet=not decision.arms)

    def forget(self, facts: CodeFacts) -> None:
        """The code object is gone, or carries nothing."""
        self._engine.code_forget(facts.key)

    def place(self, name: str, module: str) -> None:
        """Let the engine place breakpoints in a file before any of its code has been seen."""
        facts = CodeFacts(next(self._keys), path_bytes(name), module, "", "", 0)
        stamp = _stamp(name)
        if self._stamps.get(name, stamp) != stamp:
            self.register(facts.path, module)  # it was written again since
        self._stamps[name] = stamp
        self.decide(facts)
        self.forget(facts)

    def register(self, path: bytes, module: str, namespace: dict[str, Any] | None = None) -> None:
        """Give the engine the units of a file, or tell it that there is no text."""
        try:
            rows = source_rows(os.fsdecode(path), namespace)
        except Exception:
            # No text, or none that this interpreter can parse: the code object's own lines have to do.
            self._engine.source_without_units(path)
        else:
            self._engine.register_source(path, module, rows)


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
    if os.path.isfile(name):
        return _rows_of_file(name, _stamp(name))
    if sources.archived(name) is not None:
        return sources.unit_rows(sources.read_source(name), name)
    # Other loaders: linecache asks `__loader__.get_source`.
    lines = linecache.getlines(name, None if namespace is None else dict(namespace))
    if not lines:
        raise LookupError(name)
    return sources.unit_rows("".join(lines), name)


@functools.lru_cache(maxsize=4)
def _rows_of_file(name: str, stamp: tuple[int, int]) -> SourceRows:
    # Setting many breakpoints in one file parses it once.
    return sources.unit_rows(sources.read_source(name), name)
