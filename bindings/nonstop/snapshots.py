"""What was captured at one hit, as Python objects over the engine's JSON (docs/snapshot-schema.md)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Place(NamedTuple):
    """Where a hit was."""

    file: str
    #: From 1; 0 where it is not known.
    line: int
    function: str


class ThreadInfo(NamedTuple):
    """The thread of a hit."""

    #: As ``threading.get_ident()`` gives it.
    id: int
    #: None for a thread that `threading` does not know.
    name: str | None


class Frame(NamedTuple):
    """One frame of the stack."""

    file: str
    line: int
    function: str
    #: By name; None where they were not collected.
    locals: Mapping[str, Value] | None


class Value:
    """One captured value: never the program's object, only what was written down of it."""

    __slots__ = ("_document",)

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    @property
    def type(self) -> str:
        """Name of its type."""
        return str(self._document["type"])

    @property
    def value(self) -> Any:
        """The number, truth value, None or text; None for what has no such form (see the other properties).

        >>> Value({"type": "int", "value": 3}).value
        3
        >>> Value({"type": "float", "value": "inf"}).value
        inf
        """
        value = self._document.get("value")
        # JSON has no form for these; in the document they are texts. One that is cut is not the number.
        if isinstance(value, str) and self.type in _NUMBERS and self.cut is None:
            return _NUMBERS[self.type](value)
        return value

    @property
    def items(self) -> list[Value] | None:
        """The items of a collection."""
        items = self._document.get("items")
        return None if items is None else [Value(item) for item in items]

    @property
    def entries(self) -> list[tuple[Value, Value]] | None:
        """The keys and values of a mapping."""
        entries = self._document.get("entries")
        return None if entries is None else [(Value(key), Value(value)) for key, value in entries]

    @property
    def fields(self) -> dict[str, Value] | None:
        """The fields of an object, by name."""
        fields = self._document.get("fields")
        return None if fields is None else {name: Value(value) for name, value in fields.items()}

    @property
    def size(self) -> int | None:
        """The true number of items or characters; None where all of them are shown."""
        return self._document.get("size")

    @property
    def cut(self) -> str | None:
        """Why it is not complete; None where it is."""
        return self._document.get("cut")

    @property
    def id(self) -> int | None:
        """The number by which others in the snapshot refer to it."""
        return self._document.get("id")

    @property
    def ref(self) -> int | None:
        """The :attr:`id` of the value that this is, shown elsewhere in the snapshot."""
        return self._document.get("ref")

    @property
    def redacted(self) -> bool:
        """Whether it was withheld because its name looks like a secret's."""
        return bool(self._document.get("redacted"))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Value) and self._document == other._document

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<nonstop.Value {self}>"

    def __str__(self) -> str:
        """The value in one line, much as Python writes it.

        >>> print(Value({"type": "list", "items": [{"type": "int", "value": 1}], "size": 9, "cut": "items"}))
        [1, …]
        """
        return _text(self._document)


_NUMBERS: dict[str, Any] = {"int": int, "float": float}


def _text(document: Mapping[str, Any]) -> str:
    kind = document["type"]
    cut = ["…"] if "cut" in document else []
    if document.get("redacted"):
        return "<redacted>"
    if "items" in document:
        inside = ", ".join([*map(_text, document["items"]), *cut])
        # A tuple of one needs its comma, an empty set its name.
        return {"list": f"[{inside}]", "tuple": f"({inside})"}.get(kind, f"{kind}({inside})")
    if "entries" in document:
        inside = ", ".join([*(f"{_text(key)}: {_text(value)}" for key, value in document["entries"]), *cut])
        return f"{{{inside}}}" if kind == "dict" else f"{kind}({inside})"
    if "fields" in document:
        inside = ", ".join([*(f"{name}={_text(value)}" for name, value in document["fields"].items()), *cut])
        return f"{kind}({inside})"
    if "ref" in document:
        return f"<{kind} …>"
    if "value" in document:
        value = document["value"]
        if kind == "str":
            return repr(value) + "".join(cut)
        return str(value) + "".join(cut)
    return f"<{kind}: {document.get('cut', '?')}>"


class Snapshot:
    """What one breakpoint captured at one hit: a snapshot, or the message of a logpoint.

    It is read from JSON when it is first looked at; :attr:`json` is the text itself, one line.
    """

    __slots__ = ("_json", "_read")

    def __init__(self, json: bytes) -> None:
        self._json = json
        self._read: dict[str, Any] | None = None

    @property
    def json(self) -> str:
        """The document as JSON (docs/snapshot-schema.md), without a newline."""
        return self._json.decode()

    @property
    def document(self) -> dict[str, Any]:
        """The document as dictionaries and lists."""
        if self._read is None:
            self._read = json.loads(self._json)
        return self._read

    @property
    def breakpoint(self) -> int:
        """The :attr:`~nonstop.Breakpoint.id` of its breakpoint."""
        return int(self.document["breakpoint"])

    @property
    def location(self) -> Place:
        """Where the hit was."""
        place = self.document["location"]
        return Place(place["file"], place["line"], place["function"])

    @property
    def hit(self) -> int:
        """The number of the hit, from 1; hits that were not captured count too."""
        return int(self.document["hit"])

    @property
    def time_ns(self) -> int:
        """When, in nanoseconds since 1970 (UTC), as ``time.time_ns()``."""
        return int(self.document["time_ns"])

    @property
    def thread(self) -> ThreadInfo:
        """In which thread."""
        thread = self.document["thread"]
        return ThreadInfo(thread["id"], thread["name"])

    @property
    def task(self) -> str | None:
        """Name of the asyncio task; None outside of one."""
        return self.document["task"]  # type: ignore[no-any-return]

    @property
    def message(self) -> str | None:
        """The message of a logpoint; None for a snapshot."""
        return self.document.get("message")

    @property
    def frames(self) -> list[Frame]:
        """The stack, innermost first; empty for a logpoint."""
        return [
            Frame(frame["file"], frame["line"], frame["function"], _values(frame.get("locals")))
            for frame in self.document.get("frames", ())
        ]

    @property
    def locals(self) -> dict[str, Value]:
        """The variables of the frame that was hit."""
        frames = self.document.get("frames")
        return (_values(frames[0].get("locals")) or {}) if frames else {}

    @property
    def captures(self) -> dict[str, Value]:
        """The values of the captured expressions, by their text."""
        return _values(self.document.get("captures")) or {}

    @property
    def cut(self) -> list[str]:
        """Why it is not complete; empty where it is."""
        return list(self.document["cut"])

    def __str__(self) -> str:
        return self.json

    def __repr__(self) -> str:
        place = self.location
        return f"<nonstop.Snapshot of {place.file}:{place.line} ({place.function}), hit {self.hit}>"


def _values(documents: Mapping[str, Any] | None) -> dict[str, Value] | None:
    return None if documents is None else {name: Value(value) for name, value in documents.items()}
