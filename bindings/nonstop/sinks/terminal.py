"""Snapshots for somebody who watches."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Any

from nonstop.errors import ArgumentError, SinkError
from nonstop.sinks.base import WritingSink
from nonstop.sinks.descriptor import LineWriter
from nonstop.sinks.render import block
from nonstop.sinks.style import Style, printable

if TYPE_CHECKING:
    from nonstop.snapshots import Snapshot


class TerminalSink(WritingSink):
    """Writes snapshots to a text stream as people read them: where and when, and what was captured.

    On a terminal it is in colour, and values are cut to its width; anywhere else it is plain and whole (see
    :class:`~nonstop.sinks.style.Style`). Text of the program cannot move the cursor or paint: what is not printable
    is escaped. The stream is not closed. When it fails, the program does not notice: snapshots are lost and counted,
    and the first loss is logged.

    :param stream: None: ``sys.stderr``, as it is now.
    :param color: True or False to decide it here.
    :param width: columns, to decide it here.

    Raises :class:`~nonstop.errors.SinkError` for a stream that cannot be written, and
    :class:`~nonstop.errors.ArgumentError` for what is no text stream.

    >>> import io, nonstop
    >>> def price(amount, count=1):
    ...     return amount * count
    >>> screen = io.StringIO()
    >>> with nonstop.Debugger(sinks=[TerminalSink(screen)]) as debugger:
    ...     watched = debugger.breakpoint(price)
    ...     total = price(20)
    >>> time, _, rest = screen.getvalue().partition(" ")
    >>> print(rest, end="")  # doctest: +ELLIPSIS
    <doctest ...>:2 in price, hit 1, MainThread
        amount = 20
        count  = 1
    """

    def __init__(self, stream: Any = None, *, color: bool | None = None, width: int | None = None) -> None:
        if stream is None:
            stream = sys.stderr
            if stream is None:
                raise SinkError("cannot show snapshots: this process has no sys.stderr; give another stream")
        if not callable(getattr(stream, "write", None)) or isinstance(stream, (io.RawIOBase, io.BufferedIOBase)):
            raise ArgumentError(f"{stream!r} is no text stream; give one such as sys.stderr")
        if not _is_writable(stream):
            raise SinkError(
                f"cannot show snapshots on {stream!r}: it is closed, or not for writing; give another stream"
            )
        name = getattr(stream, "name", None)
        super().__init__(printable(name) if isinstance(name, str) else type(stream).__name__)
        self._stream = stream
        self._by_descriptor = _is_plain_file(stream)
        self._style = Style(stream, color=color, width=width)
        self._writer = LineWriter()
        try:
            self._folder = os.path.join(os.getcwd(), "")
        except OSError:  # it was removed
            self._folder = ""

    def _write(self, snapshot: Snapshot) -> None:
        text = block(snapshot, self._style, self._folder)
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        encoded = _encoded(text, encoding)
        if self._by_descriptor:
            # Not through the stream: what it cannot write it keeps, and the program would fail with that at its end.
            self._writer.write(self._fileno, encoded)
        else:
            self._stream.write(encoded.decode(encoding))
            flush = getattr(self._stream, "flush", None)
            if flush is not None:
                flush()

    def _fileno(self) -> int:
        return int(self._stream.fileno())


def _encoded(text: str, encoding: str) -> bytes:
    r"""Text in the encoding of a stream, which may know less.

    >>> _encoded("['é', …]", "ascii")
    b"['\\xe9', ...]"
    """
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        return text.replace("…", "...").encode(encoding, "backslashreplace")


def _is_writable(stream: Any) -> bool:
    try:
        writable = getattr(stream, "writable", None)
        return not getattr(stream, "closed", False) and (writable is None or bool(writable()))
    except ValueError:  # its buffer was taken away
        return False


def _is_plain_file(stream: Any) -> bool:
    """Whether writing to the stream's descriptor is the same as writing to the stream. Others may have a descriptor,
    and send what is written elsewhere, as those of notebooks do.
    """
    if os.name != "posix" or type(stream) is not io.TextIOWrapper:
        return False
    buffer: Any = stream.buffer
    return type(buffer.raw if type(buffer) is io.BufferedWriter else buffer) is io.FileIO
