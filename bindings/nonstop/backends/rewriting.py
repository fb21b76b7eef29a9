"""Makes code objects with calls in them, of those that the program has, and puts them into the place of these."""

from __future__ import annotations

import dis
import weakref
from types import CodeType
from typing import TYPE_CHECKING, Any

from nonstop.backends.codes import CodeReference
from nonstop.code_objects import dialect
from nonstop.core import Patch
from nonstop.dialect import bytecode_of
from nonstop.errors import NonstopError
from nonstop.rewritten import Origin, origin_of, original_of, remember

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nonstop.core import Probe

_HAS_EXCEPTION_TABLE = hasattr(_sample := (lambda: 0).__code__, "co_exceptiontable")
_LINE_TABLE = "co_linetable" if hasattr(_sample, "co_linetable") else "co_lnotab"


_JUMPS = frozenset((*dis.hasjrel, *dis.hasjabs))


class Refused(Exception):  # noqa: N818 (no error: an answer)
    """Calls cannot be put into a code object."""


def with_calls(
    code: CodeType, constants: Sequence[Any], probes: Sequence[Probe], hook: Any, numbers: dict[int, int], owner: object
) -> CodeType:
    """The code object with a call of `hook` at each probe, with the number of the unit that begins at its first line.

    `constants`: those that the code has otherwise. Raises :class:`Refused`.
    """
    lines = sorted({probe.first_line for probe in probes})
    first = len(constants) + 1
    places = {line: first + at for at, line in enumerate(lines)}
    told = [probe._replace(hook=first - 1, argument=places[probe.first_line]) for probe in probes]
    try:
        patch = Patch(dialect(), bytecode_of(code), code.co_firstlineno, code.co_stacksize, told)
    except NonstopError as error:
        raise Refused(str(error)) from None
    changes: dict[str, Any] = {
        "co_code": patch.code,
        _LINE_TABLE: patch.line_table,
        "co_stacksize": patch.stack_size,
        "co_consts": (*constants, hook, *(numbers[line] for line in lines)),
    }
    if _HAS_EXCEPTION_TABLE:
        changes["co_exceptiontable"] = patch.exception_table
    made = code.replace(**changes)
    remember(made, Origin(code, frozenset(lines), owner, patch))
    return made


class Rewriting:
    """The code objects that run in the place of others.

    On CPython what a code object makes is changed in its constants, where it stands: so functions come out armed that
    are made later, also by frames that run already, and the code objects around stay what they are. PyPy gives no
    access to them: there each code object around is made anew, up to the one of a function.
    """

    def __init__(
        self,
        owner: object,
        hook: Any,
        wanted: Callable[[CodeType], tuple[Sequence[Probe], dict[int, int]]],
        refused: Callable[[CodeType, str], None],
        replace_constant: Callable[..., bool] | None,
    ) -> None:
        self._owner = owner
        self._hook = hook
        self._wanted = wanted
        self._refused = refused
        self._replace_constant = replace_constant
        #: By the address of an original: what was made of it and is alive.
        self._versions: dict[int, list[weakref.ref[CodeType]]] = {}
        #: Originals whose constants were changed.
        self._changed: dict[int, CodeReference] = {}
        #: What was found out in one pass over many functions; None between.
        self._done: dict[int, tuple[CodeType, CodeType]] | None = None

    def begin(self) -> None:
        """A pass over many functions begins: each code object is looked at once in it."""
        self._done = {}
        for address, references in list(self._versions.items()):
            if not any(reference() for reference in references):
                self._versions.pop(address, None)

    def end(self) -> None:
        """It ends."""
        self._done = None

    def current(self, code: CodeType) -> CodeType:
        """What is to run in the place of an original: that itself where nothing is armed in it. What is made inside of
        it is seen to.
        """
        done = self._done
        if done is not None and id(code) in done:
            return done[id(code)][1]
        constants = list(code.co_consts)
        changed = False
        for index, constant in enumerate(constants):
            if type(constant) is not CodeType:
                continue
            inner = self.current(original_of(constant))
            changed = changed or inner is not original_of(constant)
            if inner is not constant:
                constants[index] = inner
                if self._replace_constant is not None:
                    self._replace_constant(code.co_consts, index, constant, inner)
            if self._replace_constant is not None:
                self._see_to_versions(code, index, inner)
        if changed and self._replace_constant is not None:
            self._changed[id(code)] = CodeReference(code, self._died)
        made = self._made(code, constants, changed and self._replace_constant is None)
        if done is not None:
            done[id(code)] = code, made
        return made

    def is_copy(self, code: CodeType) -> bool:
        """Whether the program has made a code object of one with calls: they are in it too."""
        return origin_of(code) is None and any(one is self._hook for one in code.co_consts)

    def restore(self) -> None:
        """See to all code objects whose constants were changed, also those that nobody leads to."""
        for reference in list(self._changed.values()):
            code = reference()
            if code is not None:
                self.current(code)

    def makes_until(self, code: CodeType) -> int:
        """The last offset of a code object from which control comes to where it makes something that is to be armed and
        is not; -1 where all that it makes is as it is to be.
        """
        if self._replace_constant is not None:
            return -1
        inner = [one for one in code.co_consts if type(one) is CodeType]
        stale = {id(one) for one in inner if self.current(original_of(one)) is not one}
        return _last_before(code, stale) if stale else -1

    def _made(self, code: CodeType, constants: list[Any], is_changed: bool) -> CodeType:
        probes, numbers = self._wanted(code)
        if not probes and not is_changed:
            return code
        lines = frozenset(probe.first_line for probe in probes)
        for version in self._alive(code):
            origin = origin_of(version)
            if (
                origin is not None
                and origin.owner == self._owner
                and origin.lines == lines
                and (self._replace_constant is not None or _same(version.co_consts, constants))
            ):
                return version
        made = code
        if probes:
            try:
                made = with_calls(code, constants, probes, self._hook, numbers, self._owner)
            except Refused as error:
                self._refused(code, str(error))
        if made is code and is_changed:
            made = code.replace(co_consts=tuple(constants))
            remember(made, Origin(code, frozenset(), self._owner, None))
        if made is not code:
            self._versions.setdefault(id(code), []).append(weakref.ref(made))
        return made

    def _alive(self, code: CodeType) -> list[CodeType]:
        """What was made of an original, the newest first."""
        references = self._versions.get(id(code))
        if references is None:
            return []
        found = [made for made in (reference() for reference in references) if made is not None]
        # What died leaves its place; a list that is of another code object, which had this address, dies with it.
        found = [made for made in found if original_of(made) is code]
        if found:
            self._versions[id(code)] = [weakref.ref(made) for made in found]
        else:
            del self._versions[id(code)]
        return found[::-1]

    def _see_to_versions(self, code: CodeType, index: int, inner: CodeType) -> None:
        """What was made of a code object, and may be running, makes the same as that itself."""
        assert self._replace_constant is not None
        for version in self._alive(code):
            constant = version.co_consts[index]
            if constant is not inner:
                self._replace_constant(version.co_consts, index, constant, inner)

    def _died(self, reference: Any) -> None:
        if self._changed.get(reference.address) is reference:
            del self._changed[reference.address]


def spreads(code: CodeType) -> bool:
    """Whether functions with calls in them come out of a code object."""
    return any(type(one) is CodeType and original_of(one) is not one for one in code.co_consts)


def _same(constants: tuple[Any, ...], wanted: list[Any]) -> bool:
    mine, theirs = ([one for one in some if type(one) is CodeType] for some in (constants, wanted))
    return len(mine) == len(theirs) and all(one is another for one, another in zip(mine, theirs))


def _last_before(code: CodeType, constants: set[int]) -> int:
    """The last offset from which control comes to where one of these constants is loaded."""
    last = -1
    jumps = []
    for instruction in dis.get_instructions(code):
        if id(instruction.argval) in constants and instruction.opcode in dis.hasconst:
            last = instruction.offset
        elif instruction.opcode in _JUMPS and instruction.argval < instruction.offset:
            jumps.append((instruction.offset, instruction.argval))
    # In ascending order once is not enough: a later jump may lead to an earlier loop.
    while True:
        further = max((offset for offset, target in jumps if target <= last < offset), default=last)
        if further == last:
            return last
        last = further
