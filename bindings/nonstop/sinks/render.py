"""Snapshots as text for people. Whatever comes from the program is made printable first."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nonstop.sinks.style import cut, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nonstop.sinks.style import Style
    from nonstop.snapshots import Snapshot, Value

_INDENT = "    "
#: Longer names, such as those of expressions, do not push the values of all others aside.
_MOST_NAME = 24
#: A value gets so much of the line, however long its name.
_LEAST_VALUE = 10


def one_line(snapshot: Snapshot) -> str:
    """The message of a logpoint as it is; a snapshot as ``file:line function: name=value, …``, with the values of the
    captured expressions, or of the variables if there are none.
    """
    if snapshot.message is not None:
        return snapshot.message
    head = f"{_place(snapshot)} {printable(snapshot.location.function)}"
    values = ", ".join(f"{printable(name)}={printable(str(value))}" for name, value in _values(snapshot).items())
    return f"{head}: {values}" if values else head


def block(snapshot: Snapshot, style: Style, folder: str = "") -> str:
    """What a terminal shows of a snapshot: a line for the message of a logpoint; else a line that says where and when,
    and one for each captured expression, or each variable if there are none. It ends with a newline.

    :param folder: paths are shown from there, if they are in it.
    """
    head = f"{style.dim(_clock(snapshot.time_ns))} {style.cyan(_place(snapshot, folder))}"
    if snapshot.message is not None:
        return f"{head} {printable(snapshot.message)}\n"
    thread = snapshot.thread
    about = [f"hit {snapshot.hit}", printable(thread.name or f"thread {thread.id}")]
    if snapshot.task is not None:
        about.append(f"task {printable(snapshot.task)}")
    function = style.bold(printable(snapshot.location.function))
    lines = [f"{head} in {function}, {', '.join(about)}", *_value_lines(snapshot, style)]
    reasons = [printable(reason) for reason in snapshot.cut if reason not in _unseen(snapshot)]
    if reasons:
        lines.append(_INDENT + style.dim(f"not complete: {', '.join(reasons)}"))
    return "\n".join(lines) + "\n"


def _place(snapshot: Snapshot, folder: str = "") -> str:
    file, line, _ = snapshot.location
    if folder and file.startswith(folder):
        file = file[len(folder) :]
    return printable(f"{file}:{line or '?'}")


def _values(snapshot: Snapshot) -> dict[str, Value]:
    return snapshot.captures or snapshot.locals


def _unseen(snapshot: Snapshot) -> tuple[str, ...]:
    """What may be missing from any deep stack, and not from what is shown here."""
    return ("frames", "locals") if _values(snapshot) else ("frames",)


def _value_lines(snapshot: Snapshot, style: Style) -> Iterator[str]:
    values = {printable(name): value for name, value in _values(snapshot).items()}
    widest = min(max(map(len, values), default=0), _MOST_NAME)
    width = style.width
    for name, value in values.items():
        if width is None:
            name, shown = name.ljust(widest), printable(str(value))
        else:
            around = len(_INDENT) + len(" = ")
            name = cut(name, max(widest, width - around - _LEAST_VALUE)).ljust(widest)
            shown = cut(printable(str(value)), max(_LEAST_VALUE, width - around - len(name)))
        yield f"{_INDENT}{style.green(name)} = {style.dim(shown) if value.redacted else shown}"


def _clock(time_ns: int) -> str:
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return f"{time.strftime('%H:%M:%S', time.localtime(seconds))}.{rest // 1_000_000:03}"
