"""How text may look where it goes: in colour and how wide, or plain."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from nonstop.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Of ECMA-48, "select graphic rendition".
_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_ELLIPSIS = "…"
#: Of a terminal that does not say how wide it is.
_USUAL_WIDTH = 80


class Style:
    r"""What a text stream shows: colours or not, and how many columns.

    A terminal has both, unless the environment says no: ``NO_COLOR`` (no-color.org), ``TERM=dumb``; ``COLUMNS`` is
    believed before the terminal itself. A file, a pipe or any other object gets plain text of any width, with
    ``FORCE_COLOR`` in colour. The order is that of CPython's tracebacks (Lib/_colorize.py).

    :param stream: where the text goes.
    :param color: True or False to decide it here.
    :param width: columns, from 1 on, to decide it here.

    >>> import io
    >>> plain = Style(io.StringIO(), color=False)
    >>> plain.width, plain.paint("7 hits", "green")
    (None, '7 hits')
    >>> Style(io.StringIO(), color=True).green("7 hits")
    '\x1b[32m7 hits\x1b[0m'
    """

    def __init__(self, stream: Any, *, color: bool | None = None, width: int | None = None) -> None:
        if width is not None and (type(width) is not int or width < 1):
            raise ArgumentError(f"width is {width!r}; it must be a number of columns from 1 on, or None")
        self._terminal = _terminal(stream)
        self._width = width
        #: Whether :meth:`paint` paints.
        self.color: bool = _color(self._terminal is not None) if color is None else bool(color)

    @property
    def width(self) -> int | None:
        """Columns, as they are now; None where lines may be of any length."""
        if self._width is not None or self._terminal is None:
            return self._width
        given = os.environ.get("COLUMNS", "")
        if given.isascii() and given.isdigit() and int(given):
            return int(given)
        try:
            return os.get_terminal_size(self._terminal).columns or _USUAL_WIDTH
        except (OSError, ValueError):
            return _USUAL_WIDTH

    def paint(self, text: str, kind: str) -> str:
        """Text in "bold", "dim", "red", "green", "yellow" or "cyan", where there are colours."""
        return f"\x1b[{_CODES[kind]}m{text}\x1b[0m" if self.color and text else text

    def bold(self, text: str) -> str:
        """For what stands out."""
        return self.paint(text, "bold")

    def dim(self, text: str) -> str:
        """For what is beside the point."""
        return self.paint(text, "dim")

    def red(self, text: str) -> str:
        """For what went wrong."""
        return self.paint(text, "red")

    def green(self, text: str) -> str:
        """For what went well."""
        return self.paint(text, "green")

    def yellow(self, text: str) -> str:
        """For what deserves a look."""
        return self.paint(text, "yellow")

    def cyan(self, text: str) -> str:
        """For names and places."""
        return self.paint(text, "cyan")


def printable(text: str) -> str:
    r"""Text in one line that does nothing to a terminal: what cannot be printed is escaped, as ``repr`` does.

    >>> print(printable("Zoë \x1b[2J\n"))
    Zoë \x1b[2J\n
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def cut(text: str, width: int | None) -> str:
    """Text of at most so many columns, with an ellipsis where it was longer; None: whole.

    >>> cut("a long story", 6), cut("short", 6), cut("漢字漢字", 6), cut("漢字漢", 6)
    ('a lon…', 'short', '漢字…', '漢字漢')
    """
    if width is None or (text.isascii() and len(text) <= width):
        return text
    used = fits = 0
    for at, columns in enumerate(_columns(text)):
        used += columns
        if used > width:
            return text[:fits] + _ELLIPSIS
        if used < width:
            fits = at + 1
    return text


def _columns(text: str) -> Iterator[int]:
    import unicodedata

    for char in text:
        if char.isascii():
            yield 1
        elif unicodedata.combining(char):
            yield 0
        else:
            yield 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _terminal(stream: Any) -> int | None:
    """The descriptor of a terminal; None for all else."""
    try:
        return int(stream.fileno()) if stream.isatty() else None
    except (AttributeError, OSError, ValueError):  # closed, or not made of a file
        return None


def _color(is_terminal: bool) -> bool:
    environment = os.environ
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    # Consoles of Windows must be asked to understand escape sequences first.
    return is_terminal and environment.get("TERM") != "dumb" and os.name != "nt"
