"""What is known of code objects, by identity, without keeping them alive for good.

CPython: a dictionary by `id`, whose entries leave with the code object (a weak reference calls back). PyPy: `id` costs
an entry in a table of the collector for each object, so there it is an `identity_dict`, twice as fast, which keeps its
keys alive: it is emptied each time that it has doubled. Programs that compile code in a loop grow neither.
"""

from __future__ import annotations

import contextlib
import sys
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

    from nonstop.backends.settrace import Plan
    from nonstop.planner import CodeFacts

_PYPY = sys.implementation.name == "pypy"
#: PyPy: how many code objects are kept alive at least.
_KEPT = 4096

if _PYPY:
    from __pypy__ import identity_dict  # type: ignore[import-not-found]
else:
    identity_dict = dict

try:
    from dis import opmap

    _RESUME = opmap.get("RESUME")
except ImportError:  # an interpreter without `dis`
    _RESUME = None


def start_offset(code: CodeType) -> int:
    """The offset that `f_lasti` has when a frame of `code` begins; larger when a generator goes on."""
    if _RESUME is not None:
        text = code.co_code
        for offset in range(0, len(text), 2):
            # The low bits of the argument say why: 0 is the start of a function.
            if text[offset] == _RESUME and text[offset + 1] & 3 == 0:
                return offset
    return -1


class _CodeReference(weakref.ref):  # type: ignore[type-arg]
    """A weak reference that knows the address of what it referred to."""

    __slots__ = ("address",)
    address: int


class Codes:
    """Decisions by code object: None where nothing is armed, else a plan.

    Every operation is one step of a dictionary: no lock, because the callbacks of weak references run at any
    instruction.
    """

    def __init__(self, forget: Callable[[CodeFacts], None] | None = None) -> None:
        #: Read by the global trace function: by `id(code)`, on PyPy by the code object itself.
        self.known: Any = identity_dict()
        self._plans: dict[int, tuple[_CodeReference, Plan]] = {}
        self._references: dict[int, _CodeReference] = {}
        self._forget = forget
        self._limit = _KEPT

    def remember(self, code: CodeType, plan: Plan | None) -> None:
        """Set what the trace function finds."""
        if _PYPY:
            if len(self.known) >= self._limit:
                # Plans are found again through `_plans`; the others are decided again if they are still called.
                self.known.clear()
            self.known[code] = plan
            return
        address = id(code)
        if address not in self._references:
            self._references[address] = self._reference(code)
        self.known[address] = plan

    def drop(self, code: CodeType) -> None:
        """Let the next call decide again."""
        with contextlib.suppress(KeyError):  # PyPy's identity_dict has no `pop`
            del self.known[code if _PYPY else id(code)]

    def look(self, code: CodeType) -> tuple[bool, Plan | None]:
        """Whether the decision on `code` is remembered, and its plan."""
        key = code if _PYPY else id(code)
        return key in self.known, self.known.get(key)

    def plan(self, code: CodeType) -> Plan | None:
        """The plan of `code`, also one that ended."""
        found = self._plans.get(id(code))
        return found[1] if found is not None and found[0]() is code else None

    def plans(self) -> list[Plan]:
        """All plans."""
        return [plan for _, plan in list(self._plans.values())]

    def add_plan(self, code: CodeType, plan: Plan) -> bool:
        """Add the plan of `code`, unless it has one."""
        entry = (self._reference(code), plan)
        return self._plans.setdefault(id(code), entry) is entry

    def forget_unarmed(self) -> None:
        """Let the next call of all code without a plan decide again. Plans see the new epoch by themselves."""
        self.known.clear()

    def _reference(self, code: CodeType) -> _CodeReference:
        reference = _CodeReference(code, self._died)
        reference.address = id(code)
        return reference

    def _died(self, reference: _CodeReference) -> None:
        address = reference.address
        if not _PYPY:
            self.known.pop(address, None)
            self._references.pop(address, None)
        found = self._plans.get(address)
        if found is not None and found[0] is reference:
            del self._plans[address]
            if self._forget is not None:
                self._forget(found[1].facts)
