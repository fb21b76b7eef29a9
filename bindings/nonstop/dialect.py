"""What the bytecode of this interpreter means, read from its own `dis` and `opcode`: the engine reads code with it.

The engine works out where control enters a unit. What it must know for that is told here as data; an interpreter that
is not known yet works as long as its opcodes keep their names.
"""

from __future__ import annotations

import dis
import opcode
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import CodeType

# The numbers of the C ABI (a test compares them).
NEXT, BRANCH, JUMP, STOP, BLOCK, PREFIX = range(6)
NO_TARGET, FORWARD, BACKWARD, ABSOLUTE = range(4)
(
    ENDS_PROLOGUE,
    LEAVES_WITH,
    ENTERS_NOTHING,
    TIDIES_UP,
    CONCLUDES,
    UNTRACED,
    BEGINS_NOTHING,
    DELETES,
    ENDS_BLOCK,
    HAS_CONSTANT,
    MAKES_GENERATOR,
    PUSHES_EXCEPTION,
    BINDS_NEXT,
) = (1 << bit for bit in range(13))
ZERO, HOOK, ARGUMENT, COUNT = range(4)
LNOTAB, RANGES, LOCATIONS, EACH_UNIT = range(4)
HANDLERS_IN_BLOCKS, HANDLERS_IN_TABLE = range(2)
STRAY_LINES = 1

#: Opcodes after which control does not go on to the next instruction; with a target they jump, without one they leave.
_NEVER_GO_ON = frozenset(
    {
        "JUMP_FORWARD",
        "JUMP_ABSOLUTE",
        "JUMP_BACKWARD",
        "JUMP_BACKWARD_NO_INTERRUPT",
        "RETURN_VALUE",
        "RETURN_CONST",
        "RAISE_VARARGS",
        "RERAISE",
    }
)
_FLAGS = {
    "RESUME": ENDS_PROLOGUE,
    "RETURN_GENERATOR": MAKES_GENERATOR,
    "GEN_START": ENDS_PROLOGUE,
    "WITH_EXCEPT_START": LEAVES_WITH,
    "END_ASYNC_FOR": ENTERS_NOTHING | UNTRACED,
    "END_FOR": UNTRACED,
    "END_SEND": UNTRACED,
    "POP_ITER": UNTRACED,
    "POP_TOP": TIDIES_UP,
    "POP_EXCEPT": TIDIES_UP,
    "NOP": TIDIES_UP,
    "DUP_TOP": BEGINS_NOTHING,
    "COPY": BEGINS_NOTHING,
    "ROT_THREE": BEGINS_NOTHING,
    "PUSH_EXC_INFO": BEGINS_NOTHING | PUSHES_EXCEPTION,
    "KW_NAMES": BINDS_NEXT,
    "PRECALL": BINDS_NEXT,
    "RERAISE": BEGINS_NOTHING,
    "LOAD_CONST": HAS_CONSTANT,
    "LOAD_SMALL_INT": HAS_CONSTANT,
    "LOAD_COMMON_CONSTANT": HAS_CONSTANT,
    "RETURN_CONST": HAS_CONSTANT | CONCLUDES,
    "POP_BLOCK": ENDS_BLOCK,
    "DELETE_FAST": DELETES,
    "DELETE_NAME": DELETES,
    "DELETE_GLOBAL": DELETES,
    "DELETE_DEREF": DELETES,
    "NOT_TAKEN": CONCLUDES,
    "LIST_APPEND": CONCLUDES,
    "SET_ADD": CONCLUDES,
    "MAP_ADD": CONCLUDES,
    "RETURN_VALUE": CONCLUDES,
}
#: How a hook is called with one argument, and what it returns dropped. The first one whose opcodes an interpreter all
#: has is meant for it. From CPython 3.12 on none is: nothing is put into code there.
_CALLS = (
    # CPython 3.11.
    (
        ("PUSH_NULL", ZERO),
        ("LOAD_CONST", HOOK),
        ("LOAD_CONST", ARGUMENT),
        ("PRECALL", COUNT),
        ("CALL", COUNT),
        ("POP_TOP", ZERO),
    ),
    # CPython up to 3.10, PyPy.
    (("LOAD_CONST", HOOK), ("LOAD_CONST", ARGUMENT), ("CALL_FUNCTION", COUNT), ("POP_TOP", ZERO)),
)
#: Jumps that do more than to test what was computed before them.
_JUMPS_THAT_WORK = frozenset({"FOR_ITER", "SEND", "JUMP_IF_NOT_EXC_MATCH"})


class Opcode(NamedTuple):
    """One opcode, in the order of the fields of the C struct."""

    flow: int = NEXT
    jump: int = NO_TARGET
    caches: int = 0
    reserved: int = 0
    flags: int = 0


class Call(NamedTuple):
    """How a hook is called by code, in the order of the fields of the C struct."""

    #: How much deeper the stack gets.
    stack: int
    #: The opcode that carries the higher bits of an argument.
    prefix: int
    #: The opcode that jumps forward, always.
    jump: int
    #: Opcodes with ZERO to COUNT.
    steps: list[tuple[int, int]]


class Facts(NamedTuple):
    """The dialect of an interpreter, in the order of the fields of the C struct."""

    flags: int
    line_table: int
    exception_table: int
    jump_unit_bytes: int
    opcodes: list[Opcode]
    #: None where nothing can be put into code.
    call: Call | None = None


class Bytecode(NamedTuple):
    """The bytes of a code object that say what runs, on which lines, and where exceptions lead."""

    code: bytes
    line_table: bytes
    exception_table: bytes


def read_facts() -> Facts:
    """The dialect of this interpreter.

    >>> facts = read_facts()
    >>> facts.opcodes[dis.EXTENDED_ARG].flow == PREFIX
    True
    """
    sample = _sample.__code__
    if not hasattr(sample, "co_linetable"):
        line_table = LNOTAB
    elif sys.implementation.name == "pypy":
        line_table = EACH_UNIT
    else:
        line_table = LOCATIONS if hasattr(sample, "co_positions") else RANGES
    return Facts(
        STRAY_LINES if line_table == LNOTAB else 0,
        line_table,
        HANDLERS_IN_TABLE if hasattr(sample, "co_exceptiontable") else HANDLERS_IN_BLOCKS,
        _jump_unit_bytes(sample),
        [_opcode(number) for number in range(256)],
        _call(),
    )


def bytecode_of(code: CodeType) -> Bytecode:
    """What the engine needs of a code object."""
    table = code.co_linetable if hasattr(code, "co_linetable") else code.co_lnotab
    return Bytecode(code.co_code, table, getattr(code, "co_exceptiontable", b""))


def _call() -> Call | None:
    for names in _CALLS:
        if all(name in dis.opmap for name, _ in names):
            steps = [(dis.opmap[name], operand) for name, operand in names]
            # Each step before the call itself puts something on the stack.
            stack = sum(name in ("PUSH_NULL", "LOAD_CONST") for name, _ in names)
            return Call(stack, dis.EXTENDED_ARG, dis.opmap["JUMP_FORWARD"], steps)
    return None


def _sample(flag: object) -> None:
    if flag:
        _sample(None)


def _jump_unit_bytes(sample: CodeType) -> int:
    """How many bytes a jump counts as one: `dis` knows where the jump of the sample leads."""
    for instruction in dis.get_instructions(sample):
        if instruction.arg and instruction.opcode in dis.hasjabs:
            return int(instruction.argval // instruction.arg)
        if instruction.arg and instruction.opcode in dis.hasjrel:
            behind = instruction.offset + 2 + 2 * _caches().get(instruction.opname, 0)
            return int((instruction.argval - behind) // instruction.arg)
    raise AssertionError("a function with an `if` has no jump")


def _caches() -> Mapping[str, int]:
    """Units of inline cache, by the name of the opcode."""
    if "CACHE" not in dis.opmap:
        return {}
    entries = opcode._inline_cache_entries  # type: ignore[attr-defined]
    return entries if hasattr(entries, "items") else dict(zip(dis.opname, entries))


def _opcode(number: int) -> Opcode:
    name = dis.opname[number]
    flags = _FLAGS.get(name, 0)
    caches = _caches().get(name, 0)
    if number == dis.EXTENDED_ARG:
        return Opcode(PREFIX)
    # END_ASYNC_FOR has an argument for tools that count branches; it leads nowhere.
    jumps = not flags & ENTERS_NOTHING and (number in dis.hasjrel or number in dis.hasjabs)
    if not jumps:
        return Opcode(STOP if name in _NEVER_GO_ON else NEXT, NO_TARGET, caches, 0, flags)
    relative = BACKWARD if "BACKWARD" in name else FORWARD
    jump = ABSOLUTE if number in dis.hasjabs else relative
    if name.startswith("SETUP_"):
        flow = BLOCK
    else:
        flow = JUMP if name in _NEVER_GO_ON else BRANCH
        flags |= 0 if name in _JUMPS_THAT_WORK else CONCLUDES
    return Opcode(flow, jump, caches, 0, flags)
