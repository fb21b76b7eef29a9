"""Frames in which CPython 3.12, and 3.13.0 to 3.13.2, misread the variables of comprehensions.

3.12: reading ``f_locals`` at the top of a module or class while an inlined comprehension runs there makes the
interpreter write them back after the trace function, and with that set the comprehension's variables to None
(python/cpython#130809): the program goes on with those. There they are read one by one, without ``f_locals``.

3.13.0 to 3.13.2: an inlined comprehension can keep its variable in the place where the function around keeps the cell
of its own variable of that name (one that a closure uses too). Reading that variable meanwhile takes the value for a
cell, and ends the process by SIGSEGV (python/cpython#128396). Whether it is the one or the other cannot be seen from
outside: in such a function that one variable is not read at all.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import CodeType, FrameType

#: Whether this interpreter has the first or the second error.
_WRITES_BACK = sys.version_info[:2] == (3, 12)
MISREADS = (3, 13) <= sys.version_info[:3] < (3, 13, 3)
#: Has variables of its own, that the compiler knows: a function, no module and no class body.
OPTIMIZED = 1
#: Of the ``f_locals`` of a function: `FrameLocalsProxy` from 3.13 on, elsewhere just `dict`.
LOCALS_TYPE: type = (lambda: type(sys._getframe().f_locals))()


def misread_variables(code: CodeType) -> frozenset[str]:
    """The variables that must not be read in the frames of a code object."""
    shared = {*code.co_varnames}.intersection(code.co_cellvars)
    if not shared or not MISREADS:
        return frozenset()
    import opcode

    cleared, extended_arg = opcode.opmap["LOAD_FAST_AND_CLEAR"], opcode.opmap["EXTENDED_ARG"]
    taken, prefix = set(), 0
    for operation, argument in zip(code.co_code[::2], code.co_code[1::2]):
        place = prefix << 8 | argument
        prefix = place if operation == extended_arg else 0
        # A comprehension puts the value that it finds in the place of its variable aside.
        if operation == cleared:
            taken.add(code.co_varnames[place])
    return frozenset(shared & taken)


if MISREADS:

    def local_variables(frame: FrameType) -> Any:
        """``frame.f_locals``, without those that must not be read."""
        code = frame.f_code
        left_out = misread_variables(code)
        found = frame.f_locals
        if not left_out or type(found) is not LOCALS_TYPE:
            return found
        names = {*code.co_varnames, *code.co_cellvars, *code.co_freevars} - left_out
        return {name: found[name] for name in names if name in found}

elif _WRITES_BACK:

    def local_variables(frame: FrameType) -> Any:
        """``frame.f_locals``; inside of a comprehension at the top of a module or class its variables alone."""
        code = frame.f_code
        if code.co_flags & OPTIMIZED or not code.co_varnames:
            return frame.f_locals
        own = {name: value for name in code.co_varnames for value in _variable(frame, name)}
        return own or frame.f_locals

    def _variable(frame: FrameType, name: str) -> list[Any]:
        """The value of a variable, if it has one. The C API reads it and writes nothing."""
        import ctypes

        read = ctypes.pythonapi.PyFrame_GetVarString
        read.restype, read.argtypes = ctypes.py_object, [ctypes.py_object, ctypes.c_char_p]
        try:
            return [read(frame, name.encode())]
        except NameError:
            return []

else:

    def local_variables(frame: FrameType) -> Any:
        """``frame.f_locals``."""
        return frame.f_locals
