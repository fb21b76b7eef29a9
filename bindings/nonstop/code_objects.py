"""What can be read off a code object."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING

from nonstop.core import Dialect
from nonstop.dialect import bytecode_of, read_facts
from nonstop.rewritten import original_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType


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
    """A code object and all that are made inside of it, as they were before calls were put into them.

    >>> [one.co_name for one in nested_code(compile("def f(): return lambda: 1", "example", "exec"))]
    ['<module>', 'f', '<lambda>']
    """
    stack = [code]
    while stack:
        code = original_of(stack.pop())
        yield code
        stack.extend(const for const in reversed(code.co_consts) if inspect.iscode(const))
