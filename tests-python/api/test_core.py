"""The numbers that the bindings have of their own are the library's."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from nonstop import core, dialect, simple_conditions, unit_kinds
from nonstop.limits import Limits

#: By the name in Python, where the C ABI has another.
CONSTANTS = {
    **{name: (core, name) for name in ("IGNORE", "DISABLE", "EVALUATE", "CAPTURE", "DROPPED", "FALSE", "TRUE")},
    "RAISED": (core, "ERROR"),
    **{name: (core, name) for name in ("COUNT", "LOG", "SNAPSHOT", "HAS_CONDITION", "DISABLED")},
    **{name: (core, name) for name in ("NEEDS_SOURCE", "NEEDS_LINES")},
    "ARM_NEEDS_THREAD_NAME": (core, "NEEDS_THREAD_NAME"),
    "ARM_REENTERED": (core, "REENTERED"),
    "ENTRY_MIXED": (core, "MIXED"),
    "ENTRY_HIDDEN": (core, "HIDDEN"),
    "ENTRY_ONLY_COUNTS": (core, "ONLY_COUNTS"),
    "ENTRY_HOST_READS": (core, "HOST_READS"),
    "STEP_COMPARE": (simple_conditions, "COMPARE"),
    "STEP_TRUTH": (simple_conditions, "TRUTH"),
    "STEP_NOT": (simple_conditions, "NOT"),
    "STEP_JUMP_IF_TRUE": (simple_conditions, "JUMP_IF_TRUE"),
    "STEP_JUMP_IF_FALSE": (simple_conditions, "JUMP_IF_FALSE"),
    "SOURCE_COMPILED": (core, "_COMPILED"),
    "CODE_OF_OTHER_SOURCE": (core, "_OF_OTHER_SOURCE"),
    **{f"EVENT_{name}": (core, f"{name}_EVENT") for name in ("CALL", "LINE", "RETURN", "EXCEPTION")},
    **{f"ERROR_{name}": (core, f"_{name}") for name in ("BUFFER_TOO_SMALL", "CLOSED", "TIMEOUT")},
    **{f"SCOPE_{name}": (unit_kinds, name) for name in ("MODULE", "FUNCTION", "CLASS", "COMPREHENSION")},
    "SCOPE_LAMBDA": (unit_kinds, "LAMBDA_SCOPE"),
    **{
        f"UNIT_{name}": (unit_kinds, name)
        for name in ("STATEMENT", "HEADER", "WITH", "MATCH", "LAMBDA", "ELEMENT", "REENTERED", "NO_CODE")
    },
    **{f"FLOW_{name}": (dialect, name) for name in ("NEXT", "BRANCH", "JUMP", "STOP", "BLOCK", "PREFIX")},
    "JUMP_NONE": (dialect, "NO_TARGET"),
    **{f"JUMP_{name}": (dialect, name) for name in ("FORWARD", "BACKWARD", "ABSOLUTE")},
    **{
        f"OPCODE_{name}": (dialect, name)
        for name in (
            "ENDS_PROLOGUE",
            "LEAVES_WITH",
            "ENTERS_NOTHING",
            "TIDIES_UP",
            "CONCLUDES",
            "UNTRACED",
            "BEGINS_NOTHING",
            "DELETES",
            "ENDS_BLOCK",
            "HAS_CONSTANT",
            "MAKES_GENERATOR",
            "PUSHES_EXCEPTION",
            "BINDS_NEXT",
        )
    },
    **{f"OPERAND_{name}": (dialect, name) for name in ("ZERO", "HOOK", "ARGUMENT", "COUNT")},
    **{f"LINE_TABLE_{name}": (dialect, name) for name in ("LNOTAB", "RANGES", "LOCATIONS", "EACH_UNIT")},
    "EXCEPTION_TABLE_BLOCKS": (dialect, "HANDLERS_IN_BLOCKS"),
    "EXCEPTION_TABLE_RANGES": (dialect, "HANDLERS_IN_TABLE"),
    "DIALECT_STRAY_LINES": (dialect, "STRAY_LINES"),
}
#: Of these groups the bindings have all that the library has: one that is added there is missed here otherwise.
COMPLETE = (
    "FLOW",
    "JUMP",
    "OPCODE",
    "OPERAND",
    "LINE_TABLE",
    "EXCEPTION_TABLE",
    "DIALECT",
    "ARM",
    "ENTRY",
    "STEP",
    "UNIT",
    "SCOPE",
)


@pytest.mark.parametrize("name", CONSTANTS)
def test_constant_is_the_librarys(name: str) -> None:
    module, own = CONSTANTS[name]
    assert getattr(module, own) == getattr(core.load()[1], f"NONSTOP_{name}")


@pytest.mark.parametrize("group", COMPLETE)
def test_no_constant_of_the_library_is_missing(group: str) -> None:
    prefix = f"NONSTOP_{group}_"
    assert {name for name in dir(core.load()[1]) if name.startswith(prefix)} == {
        f"NONSTOP_{name}" for name in CONSTANTS if name.startswith(f"{group}_")
    }


def test_states_are_numbered_as_in_the_library() -> None:
    lib = core.load()[1]
    assert [getattr(lib, f"NONSTOP_{state.upper()}") for state in core.STATES] == list(range(len(core.STATES)))


def test_default_limits_are_the_engines() -> None:
    assert Limits()._asdict() == core.limits_default()


def test_every_type_that_is_named_is_made_before_there_are_hooks() -> None:
    """Else a collection while cffi makes it, in which another one is named, ends the process."""
    forms = core.type_forms(core.load()[0])
    named = set()
    for call in ast.walk(ast.parse(Path(core.__file__).read_text("utf-8"))):
        if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Constant):
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            if name in ("new", "sizeof", "cast", "_filled") or (name == "typeof" and call.args[0].value):
                named.add(call.args[0].value)
    assert len(named) > 30
    assert named <= set(forms)
