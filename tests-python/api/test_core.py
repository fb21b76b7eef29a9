"""The numbers that the bindings have of their own are the library's."""

from __future__ import annotations

import pytest
from nonstop import core, unit_kinds
from nonstop.limits import Limits

#: By the name in Python, where the C ABI has another.
CONSTANTS = {
    **{name: (core, name) for name in ("IGNORE", "DISABLE", "EVALUATE", "CAPTURE", "DROPPED", "FALSE", "TRUE")},
    "RAISED": (core, "ERROR"),
    **{name: (core, name) for name in ("COUNT", "LOG", "SNAPSHOT", "HAS_CONDITION", "DISABLED")},
    **{name: (core, name) for name in ("NEEDS_SOURCE", "NEEDS_LINES")},
    "ARM_NEEDS_THREAD_NAME": (core, "NEEDS_THREAD_NAME"),
    "ARM_REENTERED": (core, "REENTERED"),
    **{f"EVENT_{name}": (core, f"{name}_EVENT") for name in ("CALL", "LINE", "RETURN", "EXCEPTION")},
    **{f"ERROR_{name}": (core, f"_{name}") for name in ("BUFFER_TOO_SMALL", "CLOSED", "TIMEOUT")},
    **{f"SCOPE_{name}": (unit_kinds, name) for name in ("MODULE", "FUNCTION", "CLASS", "COMPREHENSION")},
    "SCOPE_LAMBDA": (unit_kinds, "LAMBDA_SCOPE"),
    **{
        f"UNIT_{name}": (unit_kinds, name)
        for name in ("STATEMENT", "HEADER", "WITH", "MATCH", "LAMBDA", "ELEMENT", "REENTERED", "NO_CODE")
    },
}


@pytest.mark.parametrize("name", CONSTANTS)
def test_constant_is_the_librarys(name: str) -> None:
    module, own = CONSTANTS[name]
    assert getattr(module, own) == getattr(core.load()[1], f"NONSTOP_{name}")


def test_states_are_numbered_as_in_the_library() -> None:
    lib = core.load()[1]
    assert [getattr(lib, f"NONSTOP_{state.upper()}") for state in core.STATES] == list(range(len(core.STATES)))


def test_default_limits_are_the_engines() -> None:
    assert Limits()._asdict() == core.limits_default()
