"""Which code objects calls were put into, and what they were made of.

A program that looks at the code of its functions finds the rewritten one while a breakpoint is armed in it. All that
nonstop works out about code (its units, lines, entries, whether it was made of the text on the disk) is worked out from
the original.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

    from nonstop.core import Patch


class Origin:
    """What a code object was made of. It keeps the original alive, and lives as long as the one that was made."""

    __slots__ = ("code", "lines", "owner", "patch")

    def __init__(self, code: CodeType, lines: frozenset[int], owner: object, patch: Patch | None) -> None:
        #: The original.
        self.code = code
        #: Where the units begin that it tells of when they are entered.
        self.lines = lines
        #: A number for the session that put the calls in.
        self.owner = owner
        #: Which offset became which; None: none did.
        self.patch = patch

    def new_offset(self, offset: int) -> int:
        """Where an offset of the original code is now."""
        return offset if self.patch is None else self.patch.new_offset(offset)

    def call_offset(self, offset: int) -> int:
        """Where a call begins that stands before an offset of the original code: control that enters comes there."""
        new = self.new_offset(offset)
        while new >= 2 and self.old_offset(new - 2) == offset:
            new -= 2
        return new

    def old_offset(self, offset: int) -> int:
        """Which offset of the original code is at an offset now."""
        return offset if self.patch is None else self.patch.old_offset(offset)


class _Made(weakref.ref):  # type: ignore[type-arg]
    """A weak reference to a code object that was made, with its origin. Never a key: its hash is that of the code."""

    __slots__ = ("address", "origin")

    address: int
    origin: Origin

    def __new__(cls, code: CodeType, origin: Origin, died: Callable[[Any], None]) -> _Made:
        reference = super().__new__(cls, code, died)
        reference.address = id(code)
        reference.origin = origin
        return reference

    def __init__(self, code: CodeType, origin: Origin, died: Callable[[Any], None]) -> None:
        super().__init__(code, died)  # type: ignore[call-arg]


#: By the address of the code object that was made.
_made: dict[int, _Made] = {}


def remember(made: CodeType, origin: Origin) -> None:
    """A code object was made."""
    _made[id(made)] = _Made(made, origin, _died)


def _died(reference: _Made) -> None:
    # Unless the address has a new owner already: PyPy calls back a little later.
    if _made.get(reference.address) is reference:
        del _made[reference.address]


def origin_of(code: CodeType) -> Origin | None:
    """What a code object was made of; None for one that nonstop has not made."""
    found = _made.get(id(code))
    return found.origin if found is not None and found() is code else None


def original_of(code: CodeType) -> CodeType:
    """The code object that a rewritten one was made of; any other is that itself.

    >>> original_of(original_of.__code__) is original_of.__code__
    True
    """
    found = _made.get(id(code))
    return found.origin.code if found is not None and found() is code else code
