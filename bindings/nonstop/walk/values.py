"""The walk: values of the program as records, under limits, and without running a line of the program."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any, Callable, Iterator, Optional, Tuple

from nonstop.hits import raised_by_signal
from nonstop.walk.kinds import kind_of
from nonstop.walk.objects import raised_in_c, type_name
from nonstop.walk.records import field, named
from nonstop.walk.texts import decimal, hexadecimal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nonstop.limits import Limits

#: What is inside of a value: gives the record of the next name (None: they have none), the values, the record that ends
#: it, and its address.
Inside = Tuple[Optional[Callable[[], str]], Iterator[Any], str, int]

#: A hit ends collecting after so many seconds, whatever it has by then.
COLLECT_SECONDS = 0.05

#: What the engine shows at most inside each other.
_MOST_DEPTH = 32
#: About what a value takes in a snapshot with its type and name. Texts up to _SHORT characters are part of it.
_VALUE_BYTES = 48
_SHORT = 24
#: After so many values that could not be read a hit gives up: it is near the recursion limit, or out of memory.
_MOST_FAILURES = 20
_CHANGED = "changed while it was read"

_ENDS = {"[": "]", "{": "}", "(": ")"}
_NOT_FEW = 26
# Records that are needed all the time: begins of whole containers by their size, small integers, constants.
_LISTS = [f"[\x1flist\x1f\x1f{size}\x1e" for size in range(_NOT_FEW)]
_TUPLES = [f"[\x1ftuple\x1f\x1f{size}\x1e" for size in range(_NOT_FEW)]
_DICTS = [f"{{\x1fdict\x1f\x1f{size}\x1e" for size in range(_NOT_FEW)]
_INTEGERS = {value: f"i\x1fint\x1f{value}\x1e" for value in range(-100, 1000)}
_NONE = "z\x1fNoneType\x1e"
_FALSE = "b\x1fbool\x1f0\x1e"
_TRUE = "b\x1fbool\x1f1\x1e"

_chained = itertools.chain.from_iterable
_clock = time.monotonic


class Walk:
    """Writes values of one hit, with what was seen, and what room and time are left.

    It keeps what it saw alive, so that no other object gets the address of one while it lasts; let go of it soon.
    """

    #: How many values have a number: those that something refers to.
    numbered = 0
    #: Why the hit as a whole is not complete.
    cuts: tuple[str, ...] = ()

    # The outermost value that is being written: its place in the records, and its type.
    _outermost: tuple[int, type] = (0, object)

    def __init__(self, limits: Limits, *, named: bool = False, shares: bool = True) -> None:
        """`named`: the values of expressions, which have wider limits.

        `shares`: what was shown already is shown as a reference; if not, only what is inside of itself.
        """
        self.records: list[str] = []
        self.most_items = limits.named_items if named else limits.items
        self.most_chars = limits.named_text_chars if named else limits.text_chars
        #: About how many bytes of JSON may still come.
        self.room = limits.snapshot_bytes
        #: Until when to collect.
        self.deadline = _clock() + COLLECT_SECONDS
        self._most_fields = limits.fields
        self._depth = limits.depth if limits.depth < _MOST_DEPTH else _MOST_DEPTH
        self._shares = shares
        # By address: where the value begins in the records, and the value.
        self._seen: dict[int, tuple[int, object]] = {}
        # By place in the records.
        self._numbers: dict[int, int] = {}

    @staticmethod
    def now() -> float:
        """The clock of :attr:`deadline`."""
        return _clock()

    def cut(self, reason: str) -> None:
        """Say once that the hit as a whole is not complete."""
        if reason not in self.cuts:
            self.cuts += (reason,)

    def forget(self) -> None:
        """Show what comes next whole, even if it was shown before."""
        self._seen.clear()
        self._numbers.clear()

    def write(self, values: Iterable[object], names: Iterable[str] | None = None) -> None:
        """Write values, each after the record of its name if they have names (see :func:`nonstop.walk.records.named`).

        One that cannot be read is omitted, and the others follow.
        """
        next_name = None if names is None else iter(names).__next__
        rest = iter(values)
        for _ in range(_MOST_FAILURES):
            try:
                self._write(next_name, rest)
            except Exception as error:
                if raised_by_signal(error):
                    raise
                self._give_up(error)
            else:
                return
        self.cut("errors")

    def _write(self, next_name: Callable[[], str] | None, values: Iterator[Any]) -> None:
        # What nearly all values are is written here, without a call: calls are most of what a hit costs. For the same
        # reason, and because the program may be near the end of its stack, there is no recursion.
        records = self.records
        append = records.append
        seen = self._seen
        shares = self._shares
        depth = self._depth
        deadline = self.deadline
        clock = _clock
        most = self.most_items if self.most_items < _NOT_FEW else _NOT_FEW - 1
        short = self.most_chars if self.most_chars < _SHORT else _SHORT
        around: list[Inside] = []
        level = 0
        while True:
            for value in values:
                if next_name is not None:
                    append(next_name())
                kind = type(value)
                if kind is str:
                    if len(value) <= short and value.isprintable():
                        append(f"t\x1fstr\x1f{value}\x1e")
                    else:
                        self.text("str", value)
                elif kind is int:
                    record = _INTEGERS.get(value)
                    if record is not None:
                        append(record)
                    elif -0x8000_0000_0000_0000 < value < 0x8000_0000_0000_0000:
                        append(f"i\x1fint\x1f{value}\x1e")
                    else:
                        self.integer("int", value)
                elif value is None:
                    append(_NONE)
                elif kind is float:
                    append(f"d\x1ffloat\x1f{value!r}\x1e")
                elif kind is bool:
                    append(_TRUE if value else _FALSE)
                else:
                    if not level:
                        self._outermost = len(records), kind
                    if (
                        (kind is list or kind is dict or kind is tuple)
                        and 0 < (size := len(value)) <= most
                        and level < depth
                        and (key := id(value)) not in seen
                        and self.room > 0
                        and clock() < deadline
                    ):
                        # A small one that is shown whole; `items` and `entries` are for the others.
                        self.room -= _VALUE_BYTES * size
                        seen[key] = len(records), value
                        if kind is dict:
                            append(_DICTS[size])
                            around.append((next_name, values, "}\x1e", key))
                            values = _chained(list(value.items()))
                        else:
                            append(_LISTS[size] if kind is list else _TUPLES[size])
                            around.append((next_name, values, "]\x1e", key))
                            values = iter(value[:])
                        next_name = None
                        level += 1
                        break
                    known = kind_of(kind)
                    inside = known.write(self, value, level, known)
                    if inside is not None:
                        around.append((next_name, values, inside[2], inside[3]))
                        next_name, values = inside[:2]
                        level += 1
                        break
            else:
                if not level:
                    return
                next_name, values, end, key = around.pop()
                level -= 1
                append(end)
                if not shares:
                    del seen[key]

    # Values that hold no others

    def text(self, name: str, text: str) -> None:
        """Write a text, as the value of a type of this name."""
        size = len(text)
        if size > self.most_chars:
            self.part(name, text[: self.most_chars], size)
        elif self.room <= 0:
            self._omit_for_room(name)
        else:
            self.room -= size
            self.records.append(f"t\x1f{name}\x1f{field(text)}\x1e")

    def part(self, name: str, shown: str, size: int) -> None:
        """Write the begin of a text, of which the whole has this size."""
        if self.room <= 0:
            self._omit_for_room(name)
        else:
            self.room -= len(shown)
            self.records.append(f"t\x1f{name}\x1f{field(shown)}\x1f{size}\x1fcharacters\x1e")

    def integer(self, name: str, value: int) -> None:
        """Write an integer of any class and size."""
        digits = decimal(value)
        if digits is None:
            self.part(name, *hexadecimal(value))
        else:
            self.room -= len(digits)
            self.records.append(f"i\x1f{name}\x1f{digits}\x1e")

    def number(self, name: str, value: float) -> None:
        """Write a floating-point number of any class."""
        self.records.append(f"d\x1f{name}\x1f{float.__repr__(value)}\x1e")

    def omit(self, name: str, reason: str) -> None:
        """Write a value that is not shown."""
        self.records.append(f"x\x1f{name}\x1f{field(reason)}\x1e")

    def _omit_for_room(self, name: str) -> None:
        self.cut("snapshot size")
        self.omit(name, "snapshot size")

    # Values that hold others: these begin one, and give what is inside.

    def items(self, name: str, value: object, level: int, size: int, each: Callable[[Any], Any]) -> Inside | None:
        """Begin a collection; `each` gives an iterator over a value of its type."""
        if not self._enter("[", name, value, level, size):
            return None
        found = _first(each, value, self.most_items)
        cut = _CHANGED if found is None else "items" if size > self.most_items else ""
        return None, iter(found or ()), f"]\x1f{cut}\x1e", id(value)

    def entries(self, name: str, value: object, level: int, size: int, each: Callable[[Any], Any]) -> Inside | None:
        """Begin a mapping; `each` gives its pairs."""
        if not self._enter("{", name, value, level, size):
            return None
        found = _first(each, value, self.most_items)
        cut = _CHANGED if found is None else "items" if size > self.most_items else ""
        return None, _chained(found or ()), f"}}\x1f{cut}\x1e", id(value)

    def fields(
        self,
        name: str,
        value: object,
        level: int,
        own: Iterable[tuple[str, object]],
        attributes: dict[Any, Any] | None = None,
    ) -> Inside | None:
        """Begin an object: fields with their names, then those in a dictionary of attributes."""
        if not self._enter("(", name, value, level, None):
            return None
        most = self._most_fields
        shown: list[tuple[Any, object]] = list(own)
        size = len(shown)
        cut = ""
        if attributes is not None:
            size += dict.__len__(attributes)
            more = _first(dict.items, attributes, most)
            if more is None:
                cut = _CHANGED
            else:
                shown += more
        if size > most:
            cut = "fields"
            del shown[most:]
        self.records[-1] = f"(\x1f{name}\x1f\x1f{size}\x1e"
        self.room -= _VALUE_BYTES * len(shown)
        names = iter([named(name) for name, _ in shown]).__next__
        return names, iter([held for _, held in shown]), f")\x1f{cut}\x1e", id(value)

    def _enter(self, tag: str, name: str, value: object, level: int, size: int | None) -> bool:
        """Begin a container, or write why it is not opened. `size`: None if it is not known yet."""
        key = id(value)
        if key in self._seen:
            self._refer(name, self._seen[key][0])
            return False
        begin = f"{tag}\x1f{name}\x1f\x1f{'' if size is None else size}\x1e"
        if size == 0:
            reason = ""
        elif level >= self._depth:
            reason = "depth"
        elif self.room <= 0:
            self.cut(reason := "snapshot size")
        elif _clock() >= self.deadline:
            self.cut(reason := "time")
        else:
            if size is not None:
                self.room -= _VALUE_BYTES * min(size, self.most_items)
            self._seen[key] = len(self.records), value
            self.records.append(begin)
            return True
        self.records.append(f"{begin}{_ENDS[tag]}\x1f{reason}\x1e")
        return False

    def _refer(self, name: str, place: int) -> None:
        number = self._numbers.get(place)
        if number is None:
            self.numbered += 1
            number = self._numbers[place] = self.numbered
            # The first empty field of a begin is its id.
            self.records[place] = self.records[place].replace("\x1f\x1f", f"\x1f{number}\x1f", 1)
        self.records.append(f"@\x1f{name}\x1f{number}\x1e")

    def _give_up(self, error: Exception) -> None:
        """Take back what was written of the outermost value."""
        place, kind = self._outermost
        del self.records[place:]
        for key in [key for key, (at, _) in self._seen.items() if at >= place]:
            del self._seen[key]
        self._numbers = {at: number for at, number in self._numbers.items() if at < place}
        self.omit(field(type_name(kind)), f"could not be read: {type_name(type(error))}")


def _first(each: Callable[[Any], Any], value: object, most: int) -> list[Any] | None:
    """The first items; None if other threads change the collection all the time."""
    for _ in range(3):
        try:
            return list(itertools.islice(each(value), most))
        except RuntimeError as error:
            if not raised_in_c(error):
                raise
    return None
