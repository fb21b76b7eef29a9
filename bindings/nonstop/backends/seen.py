"""Code objects that have run, by file: where a breakpoint can be armed that is set later.

An interpreter tells once that a code object runs, and is then asked to tell no more, so that it costs nothing. It goes
on like that when a session of nonstop ends and another begins; so what was told is known for the life of the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nonstop.backends.codes import CodeReference
from nonstop.planner import module_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

#: What the text of a file is found by, of the namespace that its code runs in. The whole of it would keep a module
#: alive that the program lets go.
_KEPT = ("__name__", "__loader__", "__spec__", "__file__")


class SeenFile:
    """The code objects of one file that run as one module."""

    __slots__ = ("_codes", "key", "namespace")

    def __init__(self, key: tuple[str, str], namespace: dict[str, Any]) -> None:
        self.key = key
        self.namespace = namespace
        self._codes: dict[int, _Reference] = {}

    def codes(self) -> Iterator[CodeType]:
        """Those that are alive."""
        for reference in list(self._codes.values()):
            code = reference()
            if code is not None:
                yield code


class _Reference(CodeReference):
    __slots__ = ("file",)
    file: SeenFile


class Seen:
    """All code objects that have run since the first session began, and the frames that were running then.

    Every operation is one step of a dictionary: no lock, because the callbacks of weak references run at any
    instruction.
    """

    def __init__(self) -> None:
        self._files: dict[tuple[str, str], SeenFile] = {}

    def add(self, code: CodeType, namespace: dict[str, Any]) -> None:
        """A code object runs in this namespace."""
        key = code.co_filename, module_name(namespace)
        address = id(code)
        while True:
            file = self._files.get(key)
            if file is None:
                kept = {name: dict.get(namespace, name) for name in _KEPT}
                file = self._files.setdefault(key, SeenFile(key, kept))
            known = file._codes.get(address)
            if known is None or known() is not code:
                reference = _Reference(code, self._died)
                reference.file = file
                file._codes[address] = reference
            if self._files.get(key) is file:
                return  # else its last code object has died meanwhile, and the file with it

    def files(self) -> list[SeenFile]:
        """All files with code that is alive."""
        return list(self._files.values())

    def _died(self, reference: _Reference) -> None:
        file = reference.file
        # Unless the address has a new owner already.
        if file._codes.get(reference.address) is reference:
            del file._codes[reference.address]
        if not file._codes and self._files.get(file.key) is file:
            del self._files[file.key]
