"""Exit statuses, and how the command says what went wrong."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

from nonstop.sinks.descriptor import LineWriter
from nonstop.sinks.sigpipe import sigpipe_held

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

#: Something is wrong with the installation, or with the file that was looked at.
FAILED = 1
#: The command line, or a breakpoint, is wrong: the program was not run.
USAGE = 2


def complain(*messages: str) -> None:
    """Write errors to stderr, each with the name of the command."""
    say(*(f"nonstop: error: {message}" for message in messages))


def say(*messages: str) -> None:
    """Write lines to stderr, if there is one."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write("".join(f"{message}\n" for message in messages))


def to_stdout(command: Callable[[], int]) -> int:
    """Run a command that writes to stdout, and see its output out. Gives its status."""
    # Sources and paths may hold what the encoding of stdout cannot show.
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    try:
        status = command()
        sys.stdout.flush()
    except OSError as error:
        # The reader of a pipe may have seen enough.
        if not isinstance(error, BrokenPipeError):
            complain(f"cannot write to stdout: {error.strerror}")
        # What is left in the buffer must not fail once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return status


def write(stream: TextIO, text: str) -> None:
    """Write to a stream that belongs to the program, and leave no trace where that fails: the stream would keep what it
    cannot write, and the process end with an error for it.
    """
    with contextlib.suppress(OSError, ValueError), sigpipe_held():
        stream.flush()
        LineWriter().write(stream.fileno, text.encode(stream.encoding, "backslashreplace"))
