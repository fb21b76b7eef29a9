"""The texts of the record stream in which a hit is described to the engine (``src/capture/records.rs`` defines it)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict

from nonstop.walk.objects import derives, plain, type_name

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Ends a record.
RS = "\x1e"
#: Separates fields.
US = "\x1f"

_ESCAPES = str.maketrans({"\x10": "\x10p", RS: "\x10r", US: "\x10u"})


def field(text: str) -> str:
    r"""A text as it stands in a record.

    >>> field("a\x1fb")
    'a\x10ub'
    """
    text = plain(text)
    # One look in C that nearly all texts pass: the three are not printable.
    if text.isprintable() or not (US in text or RS in text or "\x10" in text):
        return text
    return text.translate(_ESCAPES)


def encoded(records: Iterable[str]) -> bytes:
    r"""The stream. Lone surrogates (of file names that are not UTF-8, mostly) become readable text.

    >>> encoded(["n\x1fcaf\udce9\x1e"])
    b'n\x1fcaf\\udce9\x1e'
    """
    return "".join(records).encode("utf-8", "backslashreplace")


def named(name: Any) -> str:
    r"""The record of a name, which stands before the value that has it.

    >>> named("total")
    'n\x1ftotal\x1e'
    """
    if type(name) is str:
        return _NAMES[name]
    # A dictionary of attributes takes every key, if it is asked nicely.
    kind = type(name)
    return f"n\x1f{field(name) if derives(kind, str) else f'<{field(type_name(kind))}>'}\x1e"


class Names(Dict[str, str]):
    """The records of names, made once: programs have few names, and they are asked for all the time."""

    def __missing__(self, name: str) -> str:
        if len(self) >= _MOST_NAMES:  # somebody uses attributes as a database
            self.clear()
        record = self[name] = self.record(name)
        return record

    def record(self, name: str) -> str:
        """The record of a name."""
        return f"n\x1f{field(name)}\x1e"


_MOST_NAMES = 10_000
_NAMES = Names()
