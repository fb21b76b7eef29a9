"""Two texts of one program: as it is, and with probes; with its units, and where each line resolves to.

Nodes give their text as pieces. What differs between the texts is a :class:`Both`; :class:`Begin` and :class:`End` say
which lines a unit inside of another one has (a lambda's body, the element of a comprehension).
"""

from __future__ import annotations

import contextlib
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple, Union

INDENT = "    "


class Unit:
    """A unit of the contract: what it is, where it stands, and when interpreters may have no code for it."""

    def __init__(self, number: int, kind: str, scope: str, block: int, no_code: bool = False) -> None:
        self.number = number
        #: "statement" (headers too), or inside of one: "lambda" (a body on its line too), "element".
        self.kind = kind
        #: The function that a hit names.
        self.scope = scope
        self.block = block
        #: Rule 2.5: it may move forward.
        self.no_code = no_code
        #: Whether control may pass it without an instruction of its own being run.
        self.elusive = False
        self.first = self.last = 0

    def __repr__(self) -> str:
        return f"<{self.kind} {self.number} in {self.scope}, lines {self.first} to {self.last}>"


class Both(NamedTuple):
    """Text that is different with probes."""

    plain: str
    probed: str


class Begin(NamedTuple):
    unit: Unit


class End(NamedTuple):
    unit: Unit


Piece = Union[str, Both, Begin, End]
Pieces = List[Piece]


def entered(unit: Unit, pieces: Pieces) -> Pieces:
    """An expression at whose evaluation the unit is entered."""
    return [Both("", f"(p({unit.number}), "), *pieces, Both("", ")[-1]")]


def nested(unit: Unit, pieces: Pieces) -> Pieces:
    """An expression that is a unit inside of another one."""
    return [Begin(unit), *entered(unit, pieces), End(unit)]


class Place(NamedTuple):
    """What a line resolves to: a statement, header or element, and the lambdas whose bodies are on the line."""

    around: Unit
    lambdas: Tuple[Unit, ...] = ()


class Written(NamedTuple):
    """A program, written."""

    plain: str
    probed: str
    units: List[Unit]
    #: For each block the one around it.
    blocks: Dict[int, int]
    #: By line; None: nowhere. Lines of the prelude are not in it.
    places: Dict[int, Optional[Place]]

    def following(self, unit: Unit) -> Iterator[Unit]:
        """The unit, and what a breakpoint moves on to where that has no code: of a header the units of its statement, then
        the later ones of the block.
        """
        yield unit
        in_statement = True
        later = self.units[unit.number + 1 :] if unit.kind == "statement" else []
        for other in later:
            if other.kind != "statement":
                continue
            if not self._is_within(other.block, unit.block):
                return
            in_statement = in_statement and other.block != unit.block
            if other.block == unit.block or (in_statement and other.scope == unit.scope):
                yield other

    def _is_within(self, block: int, around: int) -> bool:
        while block > around:
            block = self.blocks[block]
        return block == around


class Writer:
    """Collects lines. What a node must know of the code around it is here too: scope, functions, names."""

    def __init__(self, edits: int) -> None:
        self._plain: List[str] = []
        self._probed: List[str] = []
        self._units: List[Unit] = []
        self._blocks: Dict[int, int] = {0: 0}
        self._block = 0
        self._indent = 0
        #: Lines that go to the next unit.
        self._carried: List[int] = []
        self._places: Dict[int, Optional[Place]] = {}
        self._names: Dict[str, int] = {}
        #: How many breakpoints there are for the program to add and remove.
        self.edits = edits
        self.scope = "<module>"
        #: Whether a function is around, so that its variables are no globals.
        self.in_function = False
        #: Whether the body of a `finally` is around, in the same function.
        self.in_final = False
        #: Names of the functions that can be called, by kind.
        self.functions: Dict[str, List[str]] = {}

    # Names

    def name(self, prefix: str) -> str:
        """A name that was not used yet."""
        number = self._names[prefix] = self._names.get(prefix, -1) + 1
        return f"{prefix}{number}"

    def callee(self, kind: str, pick: int) -> Optional[str]:
        """One of the functions of a kind."""
        names = self.functions.get(kind, [])
        return names[pick % len(names)] if names else None

    # Structure

    @contextlib.contextmanager
    def block(self, *, indented: bool = True) -> Iterator[None]:
        """A block; what is written before its first unit, without being one, goes to that."""
        around, self._block = self._block, len(self._blocks)
        self._blocks[self._block] = around
        self._indent += indented
        yield
        self._indent -= indented
        self._block = around

    @contextlib.contextmanager
    def final(self) -> Iterator[None]:
        """The body of a `finally`."""
        around, self.in_final = self.in_final, True
        yield
        self.in_final = around

    @contextlib.contextmanager
    def within(self, scope: str, *, function: bool = False) -> Iterator[None]:
        """The scope of a function or class."""
        around = self.scope, self.in_function, self.in_final
        self.scope, self.in_final = scope, False
        self.in_function |= function
        yield
        self.scope, self.in_function, self.in_final = around

    # Units

    def unit(self, *, no_code: bool = False) -> Unit:
        """A new unit of the block; its lines are to be written next."""
        unit = Unit(len(self._units), "statement", self.scope, self._block, no_code)
        self._units.append(unit)
        for line in self._carried:
            self._places[line] = Place(unit)
        self._carried.clear()
        return unit

    def inner(self, kind: str, scope: Optional[str] = None) -> Unit:
        """A new unit inside of another: it is in no block, and has nothing to move to."""
        unit = Unit(len(self._units), kind, scope or self.scope, -1)
        self._units.append(unit)
        return unit

    def write(self, unit: Unit, pieces: Pieces, *, probe: bool = True) -> None:
        """The lines of a unit; with a probe before them unless there is one in them."""
        if probe:
            self._probed.append(f"{self._space()}p({unit.number})")
        unit.first = len(self._plain) + 1
        inside: List[Unit] = []
        plain, probed = self._space(), self._space()
        for piece in pieces:
            if isinstance(piece, Begin):
                piece.unit.first = unit.first + plain.count("\n")
                inside.append(piece.unit)
            elif isinstance(piece, End):
                piece.unit.last = unit.first + plain.count("\n")
            else:
                texts = (piece, piece) if isinstance(piece, str) else piece
                plain += texts[0].replace("\n", f"\n{self._space()}")
                probed += texts[1].replace("\n", f"\n{self._space()}")
        self._plain += plain.split("\n")
        self._probed += probed.split("\n")
        unit.last = len(self._plain)
        for line in range(unit.first, unit.last + 1):
            on_line = [other for other in inside if other.first <= line <= other.last]
            lambdas = tuple(other for other in on_line if other.kind == "lambda")
            elements = [other for other in on_line if other.kind == "element"]
            self._places[line] = Place(elements[-1] if elements else unit, lambdas)

    def simple(self, pieces: Pieces, *, no_code: bool = False) -> Unit:
        """A statement that is a unit."""
        unit = self.unit(no_code=no_code)
        self.write(unit, pieces)
        return unit

    # Lines that are no units

    def clause(self, text: str) -> None:
        """`else:` and the like: they go to the first unit of what follows."""
        self._plain.append(self._space() + text)
        self._probed.append(self._space() + text)
        self._carried.append(len(self._plain))

    def comment(self, text: str = "") -> None:
        """A comment, or an empty line, before a unit or a clause."""
        self._plain.append(self._space() + text if text else "")
        self._carried.append(len(self._plain))

    def last_comment(self) -> None:
        """A comment at the end of a block: nothing follows it there."""
        self._plain.append(f"{self._space()}# the end")
        self._places[len(self._plain)] = None

    def probes(self, text: str) -> None:
        """A line for the oracle only."""
        self._probed.append(self._space() + text)

    def prelude(self, text: str) -> None:
        """A line where no breakpoint stands."""
        self._plain.append(text)
        self._probed.append(text)

    def _space(self) -> str:
        return INDENT * self._indent

    def written(self) -> Written:
        """All of it."""
        for line in self._carried:
            self._places[line] = None
        plain, probed = ("\n".join(lines) + "\n" for lines in (self._plain, self._probed))
        return Written(plain, probed, self._units, self._blocks, self._places)
