"""What can be read off a code object."""

from __future__ import annotations

import dis
import functools
import inspect
from typing import TYPE_CHECKING

from nonstop.core import Dialect
from nonstop.dialect import bytecode_of, read_facts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType


#: Absent before 3.11, and on PyPy.
_RESUME = dis.opmap.get("RESUME")


@functools.lru_cache(maxsize=1)
def dialect() -> Dialect:
    """The bytecode of this interpreter, as the engine knows it."""
    return Dialect(read_facts())


def code_lines(code: CodeType) -> list[int]:
    r"""The lines that have code which can run, ascending, each once.

    >>> code_lines(compile("a = 1\n\nb = 2", "example", "exec"))
    [1, 3]
    """
    return dialect().lines(bytecode_of(code), code.co_firstlineno)


def nested_code(code: CodeType) -> Iterator[CodeType]:
    """A code object and all that are made inside of it.

    >>> [one.co_name for one in nested_code(compile("def f(): return lambda: 1", "example", "exec"))]
    ['<module>', 'f', '<lambda>']
    """
    stack = [code]
    while stack:
        code = stack.pop()
        yield code
        stack.extend(const for const in reversed(code.co_consts) if inspect.iscode(const))


def start_offset(code: CodeType) -> int:
    """The offset that `f_lasti` has when a frame of `code` begins; larger when a generator goes on."""
    if _RESUME is not None:
        text = code.co_code
        for offset in range(0, len(text), 2):
            # The low bits of the argument say why: 0 is the start of a function.
            if text[offset] == _RESUME and text[offset + 1] & 3 == 0:
                return offset
    return -1
