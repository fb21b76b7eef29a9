"""``nonstop run``: a program under breakpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nonstop.cli import uncaught
from nonstop.cli.breakpoint_file import read_breakpoints
from nonstop.cli.given import breakpoint_from, counter_from, logpoint_from
from nonstop.cli.outcome import FAILED, USAGE, complain, say
from nonstop.cli.program import ProgramNotFoundError, become_python, find_program, prepare
from nonstop.cli.session import Session
from nonstop.errors import LibraryError, NonstopError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence

    from nonstop.cli.given import Given
    from nonstop.cli.program import Program


class NotStartedError(Exception):
    """The program cannot be run as asked."""

    def __init__(self, status: int, *messages: str) -> None:
        super().__init__(*messages)
        self.status = status
        self.messages = messages


def run(options: Namespace, words: Sequence[str]) -> int:
    """Run the program ``python WORDS`` under the breakpoints of `options`. Gives the exit status, or raises what the
    program ended with.

    The frames of this function and of its callers lie below the program's own: they are as few as can be.
    """
    try:
        program, session = _ready(options, words)
    except ProgramNotFoundError as reason:
        say(str(reason))
        return USAGE
    except NotStartedError as reason:
        complain(*reason.messages)
        return reason.status
    try:
        program.start(*program.arguments)
    except SystemExit:
        raise
    except BaseException as caught:
        error = caught
    else:
        return 0
    if uncaught.trimmed(error).__traceback__ is None and isinstance(error, Exception):
        # The script itself does not compile. Python words some of these errors otherwise for a file than for a text.
        session.debugger.close()
        become_python(words)
    uncaught.show(error)
    raise uncaught.shown(error)


def _ready(options: Namespace, words: Sequence[str]) -> tuple[Program, Session]:
    """Set everything up, so that all that is left is to run the program."""
    program = find_program(words)
    given, refused = _given(options)
    # Locations are looked up along the program's sys.path.
    prepare(program)
    try:
        session = Session(
            backend=options.backend,
            jsonl=options.jsonl,
            quiet=options.quiet,
            path_maps=options.path_map,
            safe=options.safe,
        )
    except LibraryError as error:
        raise NotStartedError(FAILED, str(error)) from error
    except NonstopError as error:
        raise NotStartedError(USAGE, *refused, str(error)) from error
    refused += session.set(given)
    if refused:
        session.debugger.close()
        raise NotStartedError(USAGE, *refused)
    session.begin()
    return program, session


def _given(options: Namespace) -> tuple[list[Given], list[str]]:
    """The breakpoints that were asked for, and one message for each that cannot be read."""
    rules = {
        "hit_condition": options.hit,
        "max_hits": options.max_hits,
        "rate": options.rate,
        "expires": options.expires,
        "thread": options.thread,
        "capture": options.capture,
    }
    rules = {name: value for name, value in rules.items() if value is not None}
    given: list[Given] = []
    refused: list[str] = []
    readers: dict[str, Callable[[str], Any]] = {
        "breakpoint": lambda text: [breakpoint_from(text)],
        "log": lambda text: [logpoint_from(text)],
        "count": lambda text: [counter_from(text)],
        "breakpoints": read_breakpoints,
    }
    for kind, text in options.given:
        try:
            given += [one.with_defaults(rules) for one in readers[kind](text)]
        except NonstopError as error:
            refused.append(str(error))
    return given, refused
