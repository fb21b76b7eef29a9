"""``nonstop lines``: where breakpoints can stand, from the engine itself."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from nonstop import core, sources
from nonstop.cli.outcome import FAILED, complain
from nonstop.cli.program import look_from_working_directory
from nonstop.errors import LocationError, NonstopError
from nonstop.sinks.style import Style, cut, printable
from nonstop.unit_kinds import FUNCTION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nonstop.unit_table import SourceRows


class UsableLine(NamedTuple):
    """A line that can carry a breakpoint."""

    first: int
    #: The last line of its unit.
    last: int
    #: The function whose first statement it is: ``FILE:FUNCTION`` leads here. Empty for others.
    function: str
    text: str


def lines(place: str) -> int:
    """List the usable lines of a file or module on stdout. Gives the exit status."""
    look_from_working_directory()
    try:
        paths = sources.find_source(place)
        if not paths:
            raise LocationError(f"there is no module {place!r} with a source file", code="no_such_file")
        for path in paths:
            _show(path, usable_lines(path), heading=len(paths) > 1)
    except NonstopError as error:
        complain(str(error))
        return FAILED
    return 0


def usable_lines(path: str) -> list[UsableLine]:
    """The lines of a file where the engine lets a breakpoint stand, ascending.

    Raises :class:`~nonstop.errors.LocationError` for what is no source, :class:`~nonstop.errors.LibraryError` without a
    native library.
    """
    text = sources.read_source(path)
    rows = sources.unit_rows(text, path)
    name = os.fsencode(path)
    engine = core.Engine()
    engine.register_source(name, "", rows)
    usable = engine.source_lines(name)
    last = dict.fromkeys(usable, 0)
    for _, first, end, *_ in rows.units:
        if first in last:
            last[first] = max(last[first], end)
    functions = dict(_functions(rows, set(usable)))
    texts = text.split("\n")
    return [
        UsableLine(line, max(line, last[line]), functions.get(line, ""), texts[line - 1].rstrip()) for line in usable
    ]


def _functions(rows: SourceRows, usable: set[int]) -> Iterator[tuple[int, str]]:
    """The first line of the body of each function, with the name that leads there."""
    starts: dict[tuple[int, int], int] = {}
    for _, first, _, block, scope, *_ in rows.units:
        if first in usable:
            starts[block, scope] = min(first, starts.get((block, scope), first))
    for number, (kind, _, _, _, body, _, qualname) in enumerate(rows.scopes):
        if kind == FUNCTION and (body, number) in starts:
            yield starts[body, number], qualname.rpartition("<locals>.")[2]


def _show(path: str, found: list[UsableLine], *, heading: bool) -> None:
    style = Style(sys.stdout)
    if heading:
        print(style.bold(printable(path)))
    spans = [f"{line.first}-{line.last}" if line.last > line.first else str(line.first) for line in found]
    width = max(map(len, spans), default=0)
    for line, span in zip(found, spans):
        note = f"  <- {line.function}" if line.function else ""
        room = None if style.width is None else max(20, style.width - width - 2 - len(note))
        text = cut(printable(line.text.expandtabs()), room)
        print(f"{style.dim(f'{span:>{width}}:')} {text}{style.cyan(note)}")
    if not found:
        complain(f"{path}: no line of it can carry a breakpoint")
