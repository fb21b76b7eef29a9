"""What is known of code objects, by identity, without keeping them alive.

A dictionary by `id`, whose entries leave with the code object (a weak reference calls back). PyPy has an
`identity_dict`, in which a look-up costs half as much; but that keeps its keys alive, and there a code object keeps the
namespace that it ran in: modules that a program lets go would stay.
"""

from __future__ import annotations

import itertools
import weakref
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

    from nonstop.backends.decisions import Plan

P = TypeVar("P", bound="Plan")


class CodeReference(weakref.ref):  # type: ignore[type-arg]
    """A weak reference that knows the address of what it referred to.

    Never a key: the hash of a reference is that of the code object, and walks through its contents.
    """

    __slots__ = ("address",)

    address: int

    def __new__(cls, code: CodeType, died: Callable[[Any], None]) -> CodeReference:
        """Call `died` with the reference when the code object is gone."""
        reference = super().__new__(cls, code, died)
        reference.address = id(code)
        return reference


class AliveCodes:
    """A few code objects, until they die. True while any of them is alive.

    Several threads may change it: each one has a number that is never used again. Two references are equal if what they
    refer to is, as the code of two modules with the same text can be.
    """

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._references: dict[int, weakref.ref[CodeType]] = {}

    def add(self, code: CodeType) -> None:
        """Take one in."""
        self._references[next(self._numbers)] = weakref.ref(code)

    def discard(self, code: CodeType) -> None:
        """Let it go, if it is in."""
        for number, reference in list(self._references.items()):
            if reference() is code:
                self._references.pop(number, None)

    def __bool__(self) -> bool:
        for number, reference in list(self._references.items()):
            if reference() is not None:
                return True
            self._references.pop(number, None)
        return False


class Codes(Generic[P]):
    """Decisions by code object: None where nothing is armed, else a plan.

    Every operation is one step of a dictionary: no lock, because the callbacks of weak references run at any
    instruction.
    """

    def __init__(self, let_go: Callable[[P], None]) -> None:
        #: Read by the global trace function: by `id(code)`.
        self.known: dict[int, P | None] = {}
        self._plans: dict[int, tuple[CodeReference, P]] = {}
        self._references: dict[int, CodeReference] = {}
        self._let_go = let_go

    def remember(self, code: CodeType, plan: P | None) -> None:
        """Set what the trace function finds."""
        address = id(code)
        reference = self._references.get(address)
        if reference is None or reference() is not code:
            self._references[address] = CodeReference(code, self._died)
        self.known[address] = plan

    def drop(self, code: CodeType) -> None:
        """Let the next call decide again."""
        self.known.pop(id(code), None)

    def look(self, code: CodeType) -> tuple[bool, P | None]:
        """Whether the decision on `code` is remembered, and its plan."""
        return id(code) in self.known, self.known.get(id(code))

    def plan(self, code: CodeType) -> P | None:
        """The plan of `code`, also one that ended."""
        found = self._plans.get(id(code))
        return found[1] if found is not None and found[0]() is code else None

    def plans(self) -> list[P]:
        """All plans."""
        return [plan for _, plan in list(self._plans.values())]

    def add_plan(self, code: CodeType, plan: P) -> bool:
        """Add the plan of `code`, unless it has one."""
        entry = (CodeReference(code, self._died), plan)
        return self._plans.setdefault(id(code), entry) is entry

    def forget_unarmed(self) -> None:
        """Let the next call of all code without a plan decide again. Plans see the new epoch by themselves."""
        self.known.clear()

    def _died(self, reference: CodeReference) -> None:
        address = reference.address
        # Unless the address has a new owner already: PyPy calls back a little later.
        if self._references.get(address) is reference:
            self.known.pop(address, None)
            del self._references[address]
        found = self._plans.get(address)
        if found is not None and found[0] is reference:
            del self._plans[address]
            self._let_go(found[1])
