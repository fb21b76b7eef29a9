"""Snapshots as people read them, and streams that fail."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from nonstop.errors import ArgumentError, SinkError
from nonstop.sinks import TerminalSink


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def shown(snapshot: Any, **options: Any) -> str:
    """What a snapshot looks like, after the time of day."""
    stream = io.StringIO()
    TerminalSink(stream, **options).emit(snapshot)
    time, space, rest = stream.getvalue().partition(" ")
    hours, minutes, seconds = time.split(":")
    assert hours.isdigit() and minutes.isdigit() and seconds.endswith(".123") and space == " "
    return rest


def texts(**values: str) -> dict[str, Any]:
    return {name: {"type": "str", "value": value} for name, value in values.items()}


# What is shown


def test_snapshot_has_a_head_and_a_line_for_each_variable(snapshot_of: Any) -> None:
    assert shown(snapshot_of()) == (
        "/srv/shop.py:42 in total, hit 2, worker-1\n"  #
        "    count = 3\n"
        "    name  = 'Zoë'\n"
    )


def test_captured_expressions_stand_for_the_variables(snapshot_of: Any) -> None:
    captures = {"len(items)": {"type": "int", "value": 9}, "n": {"type": "NoneType", "value": None}}
    assert shown(snapshot_of(captures=captures)).splitlines()[1:] == ["    len(items) = 9", "    n          = None"]


def test_long_expression_pushes_no_other_value_aside(snapshot_of: Any) -> None:
    captures = texts(**{"sum(item.price * item.count for item in cart.items)": "a", "n": "b"})
    assert shown(snapshot_of(captures=captures)).splitlines()[1:] == [
        "    sum(item.price * item.count for item in cart.items) = 'a'",
        f"    {'n':24} = 'b'",
    ]


def test_logpoint_is_one_line(snapshot_of: Any) -> None:
    assert shown(snapshot_of(message="total=28.5\nof two")) == "/srv/shop.py:42 total=28.5\\nof two\n"


def test_task_and_thread_without_a_name_are_told(snapshot_of: Any) -> None:
    snapshot = snapshot_of(thread={"id": 7, "name": None}, task="Task-3")
    assert shown(snapshot).startswith("/srv/shop.py:42 in total, hit 2, thread 7, task Task-3\n")


def test_path_is_shown_from_the_current_directory(
    snapshot_of: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here = os.path.join(os.getcwd(), "app", "shop.py")
    inside = snapshot_of(location={"file": here, "line": 0, "function": "total"})
    assert shown(inside).startswith(os.path.join("app", "shop.py") + ":? in total")


def test_what_is_missing_of_what_is_shown_is_told(snapshot_of: Any) -> None:
    # Frames beyond the first are not shown here, so that it does not matter what they lack.
    assert shown(snapshot_of(cut=["frames", "locals", "time"])).endswith("    not complete: time\n")
    assert "not complete" not in shown(snapshot_of(cut=["frames", "locals"]))
    bare = snapshot_of(frames=[{"file": "/srv/shop.py", "line": 42, "function": "total"}], cut=["locals"])
    assert shown(bare) == "/srv/shop.py:42 in total, hit 2, worker-1\n    not complete: locals\n"


def test_redacted_value_is_not_shown(snapshot_of: Any) -> None:
    assert "    password = <redacted>\n" in shown(snapshot_of(captures={"password": {"type": "str", "redacted": True}}))


def test_nothing_of_the_program_reaches_the_terminal_raw(snapshot_of: Any) -> None:
    evil = "\x1b[2J\x9b\n\r\u202e\x07"
    value = {"type": "str", "value": evil}
    shapes: dict[str, Any] = {
        evil: value,
        "text of a type": {"type": evil, "value": evil},
        "fields": {"type": "User", "fields": {evil: value}},
        "entries": {"type": "dict", "entries": [[value, value]]},
        "cut": {"type": "object", "cut": evil},
    }
    location = {"file": f"/srv/{evil}.py", "line": 1, "function": evil}
    common = {"location": location, "thread": {"id": 1, "name": evil}, "task": evil}
    snapshots = [
        snapshot_of(captures=shapes, cut=[evil], **common),
        snapshot_of(message=evil, **common),
    ]
    for snapshot in snapshots:
        assert all(line.isprintable() for line in shown(snapshot, color=False).splitlines())
        assert shown(snapshot, color=False).count("\n") == (7 if snapshot.message is None else 1)


# Width and colour


def test_values_are_cut_to_the_width(snapshot_of: Any) -> None:
    lines = shown(snapshot_of(captures=texts(note="x" * 500, n="y")), width=40).splitlines()
    assert lines[1] == "    note = '" + "x" * 27 + "…"
    assert len(lines[1]) == 40
    assert lines[2] == "    n    = 'y'"


def test_value_keeps_some_room_beside_a_long_name(snapshot_of: Any) -> None:
    lines = shown(snapshot_of(captures=texts(**{"n" * 100: "abcdefghijkl"})), width=50).splitlines()
    assert lines[1] == "    " + "n" * 32 + "… = 'abcdefgh…"
    assert len(lines[1]) == 50


def test_narrowest_terminal_still_shows_names_and_values(snapshot_of: Any) -> None:
    assert "    count = 3" in shown(snapshot_of(), width=1)


def test_values_are_whole_where_there_is_no_width(snapshot_of: Any) -> None:
    assert f"'{'x' * 5000}'\n" in shown(snapshot_of(captures=texts(note="x" * 5000)))


def test_message_is_never_cut(snapshot_of: Any) -> None:
    assert shown(snapshot_of(message="x" * 500), width=20).endswith(f" {'x' * 500}\n")


def test_colour_adds_nothing_but_colour(snapshot_of: Any) -> None:
    import re

    snapshot = snapshot_of(captures=texts(note="x" * 500), cut=["time"])
    stream = io.StringIO()
    TerminalSink(stream, color=True, width=40).emit(snapshot)
    painted = stream.getvalue()
    assert "\x1b[36m/srv/shop.py:42\x1b[0m" in painted
    plain = io.StringIO()
    TerminalSink(plain, color=False, width=40).emit(snapshot)
    assert re.sub(r"\x1b\[\d+m", "", painted) == plain.getvalue()


def test_terminal_gets_colour_and_its_width(snapshot_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    controller, side = os.openpty()
    monkeypatch.setenv("COLUMNS", "40")
    with open(side, "w") as stream:
        TerminalSink(stream).emit(snapshot_of(captures=texts(note="x" * 500)))
        written = os.read(controller, 65536).decode()
    os.close(controller)
    assert written.endswith("    \x1b[32mnote\x1b[0m = '" + "x" * 27 + "…\r\n")


# Streams


def test_stream_that_cannot_say_all_gets_it_escaped(snapshot_of: Any) -> None:
    for encoding, name in (("ascii", r"'Zo\xeb'"), ("latin-1", "'Zoë'"), ("utf-8", "'Zoë'")):
        raw = io.BytesIO()
        stream = io.TextIOWrapper(raw, encoding)
        TerminalSink(stream).emit(snapshot_of())
        assert raw.getvalue().decode(encoding).endswith(f"    name  = {name}\n")


def test_stream_is_not_closed(snapshot_of: Any) -> None:
    stream = io.StringIO()
    sink = TerminalSink(stream)
    sink.close()
    sink.close()
    assert not stream.closed


def test_standard_error_is_taken_when_the_sink_is_made(snapshot_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", first)
    sink = TerminalSink()
    monkeypatch.setattr(sys, "stderr", second)
    sink.emit(snapshot_of())
    assert "in total" in first.getvalue()
    assert second.getvalue() == ""


def test_process_without_standard_error_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with pytest.raises(SinkError, match=r"no sys\.stderr"):
        TerminalSink()


@pytest.mark.parametrize("stream", [3, object(), io.BytesIO()])
def test_what_is_no_text_stream_is_named(stream: Any) -> None:
    with pytest.raises(ArgumentError) as caught:
        TerminalSink(stream)
    assert repr(stream) in str(caught.value)


def test_stream_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("")
    with open(tmp_path / "in") as reading, pytest.raises(SinkError, match="not for writing"):
        TerminalSink(reading)
    closed = io.StringIO()
    closed.close()
    with pytest.raises(SinkError, match="it is closed"):
        TerminalSink(closed)
    detached = io.TextIOWrapper(io.BytesIO())
    detached.detach()
    with pytest.raises(SinkError):
        TerminalSink(detached)


def test_stream_that_is_closed_later_loses_and_counts(snapshot_of: Any, caplog: pytest.LogCaptureFixture) -> None:
    stream = io.StringIO()
    sink = TerminalSink(stream)
    sink.emit(snapshot_of())
    stream.close()
    sink.emit(snapshot_of())
    sink.emit(snapshot_of())
    assert (sink.taken, sink.lost) == (1, 2)
    assert caplog.text.count("cannot write to StringIO") == 1


def test_object_that_has_only_write_is_enough(snapshot_of: Any) -> None:
    class Kept:
        def __init__(self) -> None:
            self.parts: list[str] = []

        def write(self, text: str) -> None:
            self.parts.append(text)

    kept = Kept()
    sink = TerminalSink(kept)
    sink.emit(snapshot_of())
    # In one piece: whoever else writes there does not come between its lines.
    assert len(kept.parts) == 1
    assert sink.taken == 1


CLOSED_PIPE = """
import logging, os, signal, sys
import nonstop
from nonstop.sinks import JsonLinesSink, TerminalSink
if sys.argv[1] == "deadly":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
if sys.argv[2] == "log":
    logging.basicConfig()
def price(amount):
    return amount * 2
sink = TerminalSink() if sys.argv[3] == "terminal" else JsonLinesSink("/dev/stderr")
with nonstop.Debugger(sinks=[sink]) as debugger:
    watched = debugger.breakpoint(price)
    prices = [price(amount) for amount in range(5)]
print(sum(prices), sink.taken, sink.lost)
"""


@pytest.mark.parametrize("sigpipe", ["ignored", "deadly"])
@pytest.mark.parametrize("log", ["log", "last resort"])
@pytest.mark.parametrize(("kind", "unbuffered"), [("terminal", ""), ("terminal", "1"), ("file", "")])
def test_closed_stderr_changes_neither_program_nor_exit_status(
    sigpipe: str, log: str, kind: str, unbuffered: str
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", CLOSED_PIPE, sigpipe, log, kind]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=writer, env=environment, text=True, check=False, timeout=60
    )
    os.close(writer)
    assert (done.returncode, done.stdout) == (0, "20 0 5\n")
