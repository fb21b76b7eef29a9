"""Describes the bytecode of the interpreter that runs this, with samples: a file of fuzz/dialects.

PYTHONPATH=bindings python3.11 fuzz/describe.py > fuzz/dialects/python3.11.txt
"""

from __future__ import annotations

import itertools
from pathlib import Path
from types import CodeType

from nonstop.code_objects import nested_code
from nonstop.dialect import Opcode, bytecode_of, read_facts

_HERE = Path(__file__).parent


def _samples() -> list[CodeType]:
    module = compile((_HERE / "sample.py").read_text("utf-8"), "sample.py", "exec")
    known: dict[str, str] = {}
    exec(module, known)
    return [module, *(compile(known[text], "sample.py", "exec") for text in ("LONG", "FAR"))]


def main() -> None:
    """Print it."""
    facts = read_facts()
    print("tables", facts.flags, facts.line_table, facts.exception_table, facts.jump_unit_bytes)
    if facts.call is not None:
        steps = itertools.chain.from_iterable(facts.call.steps)
        print("call", facts.call.stack, facts.call.prefix, facts.call.jump, *steps)
    for number, opcode in enumerate(facts.opcodes):
        if opcode != Opcode():
            print("opcode", number, opcode.flow, opcode.jump, opcode.caches, opcode.flags)
    for sample in _samples():
        for code in nested_code(sample):
            told = [part.hex() or "-" for part in bytecode_of(code)]
            print("sample", code.co_name, code.co_firstlineno, code.co_stacksize, *told)


if __name__ == "__main__":
    main()
