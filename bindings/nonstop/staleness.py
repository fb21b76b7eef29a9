"""Whether code was made of the text that lies on the disk now.

A text that was edited after its code was loaded describes other code. The interpreter keeps no text that it compiled,
so that the text is compiled again and compared; only where that can matter, since tools that rewrite code while it is
loaded (pytest does with `assert`) make code that differs from its text although that is the right one.
"""

from __future__ import annotations

import functools
import os
import time
from types import CodeType

from nonstop.code_objects import nested_code
from nonstop.dialect import bytecode_of
from nonstop.rewritten import original_of

#: A clock that was set meanwhile, and file systems that count in whole seconds.
_MARGIN_NS = 2_000_000_000
#: Where a code object has its lines.
_LINE_TABLE = "co_linetable" if hasattr((lambda: 0).__code__, "co_linetable") else "co_lnotab"


class CompiledText:
    """What the text of a file compiles to."""

    def __init__(self, code: CodeType, modified_ns: int) -> None:
        #: Whether it was written since the process began: else it is what was loaded.
        self.can_be_newer = modified_ns > process_began_ns() - _MARGIN_NS
        self._essences = frozenset(map(_essence, nested_code(code))) if self.can_be_newer else frozenset()
        self._first_lines = {
            _lines(one): frozenset(_first_line(inside) for inside in nested_code(one)) for one in nested_code(code)
        }

    def is_source_of(self, code: CodeType) -> bool:
        """Whether `code` was made of this text, as far as that can be told."""
        return not self.can_be_newer or _essence(code) in self._essences

    def first_lines(self, code: CodeType) -> frozenset[int] | None:
        """Where a code object and all code made inside of it begin; None if the text makes none that is on the same
        lines, instruction by instruction.
        """
        return self._first_lines.get(_lines(code))


def _lines(code: CodeType) -> object:
    return code.co_name, code.co_firstlineno, getattr(code, _LINE_TABLE)


def _first_line(code: CodeType) -> int:
    # A module begins where its first statement does, on some interpreters.
    return 1 if code.co_name == "<module>" else code.co_firstlineno


def _essence(code: CodeType) -> object:
    """What runs, and on which lines, with all code made inside: an edit that changes none of it changes no unit.

    Columns are no part of it, nor constants.
    """
    lines = tuple(code.co_lines()) if hasattr(code, "co_lines") else bytecode_of(code).line_table
    inside = tuple(_essence(original_of(const)) for const in code.co_consts if isinstance(const, CodeType))
    return code.co_name, code.co_firstlineno, code.co_code, lines, inside


@functools.lru_cache(maxsize=1)
def _began_ns(pid: int) -> int:
    try:
        with open("/proc/self/stat", encoding="utf-8", errors="replace") as file:
            # After the name, which may contain anything but ends with the last bracket: the 20th field.
            ticks = int(file.read().rpartition(")")[2].split()[19])
        ago = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        # Not Linux. What was written before nonstop was needed passes for what was loaded.
        ago = 0.0
    return time.time_ns() - int(ago * 1e9)


def process_began_ns() -> int:
    """When this process began, in nanoseconds since 1970, to about 10 ms."""
    return _began_ns(os.getpid())
