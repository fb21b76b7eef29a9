"""The command line: what can be given, and what is called for it."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from nonstop.cli.outcome import USAGE, to_stdout

if TYPE_CHECKING:
    from collections.abc import Sequence

_DESCRIPTION = """\
Non-breaking breakpoints: set a breakpoint in a running program and get the data
each time the line runs; nothing pauses.
"""

_EPILOG = """\
examples:
  nonstop run -b 'shop.py:42 if total > 100' shop.py --port 8000
  nonstop run --log 'shop.py:total: {user.name} pays {total:.2f}' -m shop
  nonstop lines shop.py
  nonstop doctor

'nonstop COMMAND --help' tells more. 'python -m nonstop' is the same command.
"""

_RUN_DESCRIPTION = """\
Run a program as plain 'python' does, under breakpoints that never pause it.
Snapshots and messages are shown on stderr as they come, or go to a file
(--jsonl); a summary follows at the end. What stands after SCRIPT or -m MODULE
belongs to the program.
"""

_RUN_EPILOG = """\
where:
  FILE:LINE           shop.py:42, by the end of a path or a whole one
  FILE:FUNCTION       shop.py:total, shop.py:Cart.total: its first statement
  MODULE:LINE         package.module:42
  ... if COND         any Python expression over the variables there

breakpoints file (TOML, for which Python 3.11 or the package tomli is needed; or
the same as JSON, in a file that ends with .json):
  [[breakpoint]]               # or [[logpoint]] with a template, or [[counter]]
  location = "shop.py:42"
  condition = "total > 100"
  capture = ["len(items)"]
  max_hits = 10                # also hit_condition, rate, expires, thread, limits

examples:
  nonstop run -b 'shop.py:42 if total > 100' shop.py --port 8000
  nonstop run -b shop.py:42 --capture 'len(items)' --max-hits 10 shop.py
  nonstop run --log 'shop.py:57: {user.name} pays {total:.2f}' --rate 5 -m shop
  nonstop run --count 'shop.py:57 if not items' --jsonl hits.jsonl -m pytest -q

exit status:
  the program's own; before the program is run:
  1  the native library of nonstop cannot be loaded (see 'nonstop doctor')
  2  wrong usage, no such script, or a breakpoint that cannot be set

Processes that the program forks keep the breakpoints, and show and write their
own snapshots; the summary counts those of the first process. Processes that it
starts anew have none.
"""

_LINES_EPILOG = """\
examples:
  nonstop lines shop.py
  nonstop lines package.module

exit status:
  0  listed
  1  there is no such file, or it is no source that this Python can compile
  2  wrong usage
"""

_DOCTOR_EPILOG = """\
exit status:
  0  nonstop works here
  1  it does not; the reason and the remedy are shown
  2  wrong usage
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives its exit status. What the program of ``nonstop run`` ends with is raised."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser, run_parser, with_value = _parsers()
    program: list[str] = []
    if words[:1] == ["run"]:
        own, program = split_program(words[1:], with_value)
        words = ["run", *own]
    if not words:
        parser.print_help(sys.stderr)
        return USAGE
    options = parser.parse_args(words)
    if options.command == "run":
        if not program:
            run_parser.error("there is no program to run; give a SCRIPT or -m MODULE")
        from nonstop.cli.run import run

        return run(options, program)
    if options.command == "lines":
        from nonstop.cli.lines import lines

        return to_stdout(lambda: lines(options.place))
    from nonstop.cli.doctor import doctor

    return to_stdout(doctor)


def split_program(words: Sequence[str], with_value: frozenset[str]) -> tuple[list[str], list[str]]:
    """Split what follows ``run`` into the command's own options and the program with its arguments.

    The program begins at the first word that is neither an option nor its value; argparse would look for options of
    ours in the words behind it. The program is ``-m MODULE ...`` or ``SCRIPT ...``.

    >>> split_program(["-b", "a.py:1", "--quiet", "a.py", "-b", "--help"], frozenset({"-b"}))
    (['-b', 'a.py:1', '--quiet'], ['a.py', '-b', '--help'])
    >>> split_program(["-b", "a.py:1", "-mjson.tool", "-"], frozenset({"-b"}))
    (['-b', 'a.py:1'], ['-m', 'json.tool', '-'])
    """
    at = 0
    while at < len(words):
        word = words[at]
        if word == "--":
            return list(words[:at]), list(words[at + 1 :])
        if word.startswith("-m"):
            name = [word[2:]] if word != "-m" else list(words[at + 1 : at + 2])
            behind = at + 1 if word != "-m" else at + 2
            return list(words[:at]), ["-m", *name, *words[behind:]] if name else []
        if word == "-" or not word.startswith("-"):
            return list(words[:at]), list(words[at:])
        at += 2 if word in with_value else 1
    return list(words), []


class _Given(argparse.Action):
    """Collects breakpoints of all kinds in the order in which they are given."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: Any = None) -> None:
        namespace.given = [*namespace.given, (self.dest, values)]


def _parsers() -> tuple[argparse.ArgumentParser, argparse.ArgumentParser, frozenset[str]]:
    """The parser, the one of ``run``, and the options of ``run`` that take a value."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "nonstop", description=_DESCRIPTION, epilog=_EPILOG, formatter_class=raw, allow_abbrev=False
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    run = commands.add_parser(
        "run",
        help="run a program under breakpoints",
        usage="nonstop run [OPTIONS] (SCRIPT | -m MODULE) [ARGS...]",
        description=_RUN_DESCRIPTION,
        epilog=_RUN_EPILOG,
        formatter_class=raw,
        allow_abbrev=False,
    )
    added = _add_run_options(run)
    with_value = frozenset(name for action in added if action.nargs != 0 for name in action.option_strings)
    lines = commands.add_parser(
        "lines",
        help="list the lines that can carry a breakpoint",
        description="List the lines of a file that can carry a breakpoint, for this Python.",
        epilog=_LINES_EPILOG,
        formatter_class=raw,
        allow_abbrev=False,
    )
    lines.add_argument("place", metavar="FILE", help="a source file, or the name of a module")
    commands.add_parser(
        "doctor",
        help="tell what nonstop can do here, and why not more",
        description="Show the interpreter, the native library, and the backends with the reasons why not.",
        epilog=_DOCTOR_EPILOG,
        formatter_class=raw,
        allow_abbrev=False,
    )
    return parser, run, with_value


def _add_run_options(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    parser.set_defaults(given=[])
    what = parser.add_argument_group("breakpoints")
    rules = parser.add_argument_group("rules, for every breakpoint that does not say otherwise")
    output = parser.add_argument_group("output and observation")
    add, rule, out = what.add_argument, rules.add_argument, output.add_argument
    return [
        add(
            "-b",
            "--breakpoint",
            action=_Given,
            metavar="'FILE:LINE [if COND]'",
            help="take a snapshot: frames, locals, expressions",
        ),
        add(
            "--log",
            action=_Given,
            metavar="'FILE:LINE [if COND]: TEXT {EXPR}'",
            help="make a message; braces as in an f-string",
        ),
        add("--count", action=_Given, metavar="'FILE:LINE [if COND]'", help="count how often it is reached"),
        add(
            "--breakpoints",
            action=_Given,
            metavar="FILE",
            help="set those of FILE, each with its own rules (see below)",
        ),
        add("--capture", action="append", metavar="EXPR", help="show the value of EXPR in snapshots (repeatable)"),
        add(
            "--safe",
            action="store_true",
            help="take conditions and expressions that only read; refuse those that may run code of the program",
        ),
        rule("--hit", metavar="'>= N'", help="which hits count, by number: '== N', '>= N' or '%% N'"),
        rule("--max-hits", type=_count, metavar="N", help="be done after N hits"),
        rule("--rate", type=_positive, metavar="N", help="at most N hits a second"),
        rule("--expires", type=_positive, metavar="SECONDS", help="be done after so many seconds"),
        rule("--thread", metavar="NAME", help="only in the thread of this name"),
        out("--jsonl", metavar="PATH", help="append snapshots to a JSON Lines file instead of showing them"),
        out("--quiet", action="store_true", help="show nothing: no snapshots, no messages, no summary"),
        out("--backend", metavar="NAME", help="how hits are observed (see 'nonstop doctor'); default: the fastest"),
        out(
            "--path-map",
            action="append",
            default=[],
            type=_path_map,
            metavar="FROM=TO",
            help="files that the program knows below FROM are named below TO by you (repeatable)",
        ),
    ]


class _Version(argparse.Action):
    """The version is looked up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        import nonstop

        print(f"nonstop {nonstop.__version__}")
        parser.exit()


def _count(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of hits; give an integer from 1 on")
    return number


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return number


def _path_map(text: str) -> tuple[str, str]:
    run_time, equals, local = text.partition("=")
    if not (run_time and equals and local):
        raise argparse.ArgumentTypeError(f"{text!r} is no path map; write FROM=TO, two directories")
    return run_time, local
