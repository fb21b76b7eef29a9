"""The unit tables of the engine scenarios (conformance/engine/programs.units)."""

from __future__ import annotations

from nonstop import unit_kinds as kinds
from nonstop.unit_table import SourceRows

from conformance.engine_calls.words import DIRECTORY, lines_of, number, pick, split, wrong

_SCOPES = {
    "module": kinds.MODULE,
    "function": kinds.FUNCTION,
    "class": kinds.CLASS,
    "lambda": kinds.LAMBDA_SCOPE,
    "comprehension": kinds.COMPREHENSION,
}
_UNITS = {
    "statement": kinds.STATEMENT,
    "header": kinds.HEADER,
    "with": kinds.WITH,
    "match": kinds.MATCH,
    "lambda": kinds.LAMBDA,
    "element": kinds.ELEMENT,
}


def tables() -> dict[str, SourceRows]:
    """The unit tables of the programs, by name."""
    found: dict[str, SourceRows] = {}
    rows = None
    for at, line in lines_of(DIRECTORY / "programs.units"):
        kind, *words = split(line)
        if kind == "table":
            name, count = words
            wrong(name not in found, f"line {at}: there are two tables {name!r}")
            rows = found[name] = SourceRows([], [], [], number(count, 32))
            continue
        wrong(rows is not None, f"line {at}: there is no table yet")
        assert rows is not None
        if kind == "scope":
            what, *lines, qualname = words
            first, last, parent, block = (number(word, 32) for word in lines)
            scope = pick(_SCOPES, what, "scope")
            rows.scopes.append((scope, first, last, parent, block, qualname.rpartition(".")[2], qualname))
        elif kind == "block":
            first, last, parent, scope = (number(word, 32) for word in words)
            rows.blocks.append((first, last, parent, scope))
        else:
            wrong(kind == "unit", f"line {at}: there are no rows {kind!r}")
            what, *lines = words
            without = lines[4:] == ["no_code"]
            first, last, block, scope = (number(word, 32) for word in (lines[:4] if without else lines))
            # What control does within a unit is the backends' affair: no scenario of calls looks at it.
            flags = kinds.NO_CODE if without else 0
            rows.units.append((pick(_UNITS, what, "unit"), first, last, block, scope, 0, 0, flags))
    return found
