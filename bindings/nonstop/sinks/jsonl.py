"""Snapshots to a file, one JSON document a line."""

from __future__ import annotations

import errno
import os
import stat
import time
import weakref
from typing import TYPE_CHECKING, Union

from nonstop.errors import SinkError
from nonstop.sinks.base import WritingSink, reason
from nonstop.sinks.descriptor import LineWriter
from nonstop.sinks.style import printable

if TYPE_CHECKING:
    from typing import BinaryIO

    from nonstop.snapshots import Snapshot

    Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]

#: Opening a pipe that nobody reads must fail, and not wait. 0 where there are no such pipes.
_NONBLOCK: int = getattr(os, "O_NONBLOCK", 0)
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | _NONBLOCK | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_STANDARD = {"/dev/stdout": 1, "/dev/stderr": 2}
_DESCRIPTORS = ("/dev/fd", "/proc/self/fd")
#: How often, and how many seconds apart, the end of a file is looked at again that lacks its last newline.
_LOOKS, _BETWEEN_LOOKS = 5, 0.01
_REMEDIES = {
    errno.EISDIR: "give the path of a file in it",
    errno.ENOTDIR: "a part of the path is a file",
    errno.EACCES: "give a path that this user may write to, or change the permissions",
    errno.EPERM: "give a path that this user may write to, or change the permissions",
    errno.EROFS: "give a path on another file system",
    errno.EBADF: "it is not open for writing in this process",
    errno.ENOSPC: "make room, or give a path on another file system",
    errno.ENAMETOOLONG: "give a shorter path",
}


class JsonLinesSink(WritingSink):
    """Appends snapshots to a file (JSON Lines, docs/snapshot-schema.md), each as one line written at once.

    A reader sees whole lines, as soon as they come, and several processes may append to one file, the children of a
    fork among them. (In a pipe, the system keeps only lines of up to 4096 bytes apart.) When the disk is full, lines
    are lost and counted, the first loss is logged, and it goes on when there is room again; a line that was written in
    part is ended, so that it is the only one that cannot be read.

    A new file can be read by its owner only: what is captured may be private. ``/dev/stdout``, ``/dev/stderr`` and
    ``/dev/fd/N`` write where the program's descriptor does. A named pipe needs its reader first; when the reader goes
    away, lines are lost until there is another.

    :param path: text, bytes or path object; opened at once. It is not removed or emptied.

    Raises :class:`~nonstop.errors.SinkError` when it cannot be opened for writing.

    >>> import json, os, tempfile, nonstop
    >>> def price(amount):
    ...     return amount * 2
    >>> path = os.path.join(tempfile.mkdtemp(), "hits.jsonl")
    >>> with nonstop.Debugger(sinks=[JsonLinesSink(path)]) as debugger:
    ...     watched = debugger.breakpoint(price, capture="amount")
    ...     prices = price(20), price(1)
    >>> with open(path) as lines:
    ...     [json.loads(line)["captures"]["amount"]["value"] for line in lines]
    [20, 1]
    """

    def __init__(self, path: Path) -> None:
        self.path = os.fspath(path)
        super().__init__(_shown(self.path))
        self._descriptor = _open(self.path)
        # Also when nobody closes it. Not by itself at exit: the last snapshots come after that.
        self._close = weakref.finalize(self, os.close, self._descriptor)
        self._close.atexit = False  # type: ignore[misc]  # it is a property
        self._writer = LineWriter(within_line=_ends_within_line(self._descriptor, self.path))

    def close(self) -> None:
        """Close the file. What comes after is lost, and counted."""
        self._close()

    def _write(self, snapshot: Snapshot) -> None:
        self._writer.write(self._fileno, snapshot.json.encode() + b"\n")

    def _fileno(self) -> int:
        if not self._close.alive:
            raise ValueError("it was closed")
        return self._descriptor


def _open(path: str | bytes) -> int:
    if path in ("-", b"-"):
        raise SinkError(
            "cannot write snapshots to '-': it is no path; give /dev/stdout for standard output, or ./- for a file of "
            "that name"
        )
    own = _own_descriptor(path)
    try:
        return _open_file(path) if own is None else _duplicate(own)
    except (OSError, ValueError) as error:
        raise SinkError(f"cannot write snapshots to {_shown(path)}: {reason(error)}; {_remedy(path, error)}") from error


def _open_file(path: str | bytes) -> int:
    descriptor = os.open(path, _FLAGS, 0o600)
    if _NONBLOCK:
        os.set_blocking(descriptor, True)
    return descriptor


def _duplicate(own: int) -> int:
    """Another number for an open file. Opening its path anew would give another position in a file, and the program
    would write over our lines.
    """
    descriptor = os.dup(own)
    try:
        os.write(descriptor, b"")  # fails where it is open for reading only
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _remedy(path: str | bytes, error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if not path:
        return "the path is empty"
    folder = os.path.dirname(path)
    if number == errno.ENOENT and folder and not os.path.isdir(folder):
        return f"make the directory {_shown(folder)} first"
    if number == errno.ENXIO and _is_pipe(path):
        return "nobody reads this named pipe; start its reader first"
    return _REMEDIES.get(number or 0, "give another path")


def _is_pipe(path: str | bytes) -> bool:
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except OSError:
        return False


def _own_descriptor(path: str | bytes) -> int | None:
    """The descriptor of this process that a path stands for.

    >>> _own_descriptor("/dev/stderr"), _own_descriptor(b"/dev/fd/5"), _own_descriptor("/srv/hits.jsonl")
    (2, 5, None)
    """
    text = os.fsdecode(path)
    if text in _STANDARD:
        return _STANDARD[text]
    folder, _, number = text.rpartition("/")
    if folder in _DESCRIPTORS and number.isascii() and number.isdigit() and len(number) < 9:
        return int(number)
    return None


def _ends_within_line(descriptor: int, path: str | bytes) -> bool:
    """Whether a file that is there already lacks its last newline, as when the disk was full the last time.

    One that changes meanwhile is being written to, and a reader may see a part of a line: its writer ends it.
    """
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        return False
    try:
        with open(path, "rb", buffering=0) as file:
            end = _end_within_line(file)
            for _ in range(_LOOKS if end else 0):
                time.sleep(_BETWEEN_LOOKS)
                if _end_within_line(file) != end:
                    return False
            return end is not None
    except OSError:  # it may be written, and not read
        return False


def _end_within_line(file: BinaryIO) -> int | None:
    r"""The size of a file that lacks its last newline; None for others.

    >>> import io
    >>> [_end_within_line(io.BytesIO(content)) for content in (b"", b"{}\n", b"{}\n{")]
    [None, None, 4]
    """
    end = file.seek(0, os.SEEK_END)
    if not end:
        return None
    file.seek(end - 1)
    return end if file.read(1) != b"\n" else None


def _shown(path: str | bytes) -> str:
    """A path in messages: no control characters, and bytes that are no text escaped.

    >>> _shown(b"/srv/hits.jsonl")
    '/srv/hits.jsonl'
    """
    return printable(os.fsdecode(path)) or "''"
