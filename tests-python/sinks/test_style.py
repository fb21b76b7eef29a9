"""Colour and width as the stream has them."""

from __future__ import annotations

import fcntl
import io
import os
import struct
import termios
from typing import Any, Iterator

import pytest
from nonstop.errors import ArgumentError
from nonstop.sinks.style import Style, cut, printable


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def terminal() -> Iterator[Any]:
    controller, side = os.openpty()
    with open(side, "w") as stream:
        resize(stream, 60)
        yield stream
    os.close(controller)


def resize(stream: Any, columns: int) -> None:
    fcntl.ioctl(stream.fileno(), termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


def test_terminal_has_colour_and_its_width(terminal: Any) -> None:
    style = Style(terminal)
    assert style.color
    assert style.width == 60
    assert style.red("lost") == "\x1b[31mlost\x1b[0m"


def test_width_follows_the_terminal(terminal: Any) -> None:
    style = Style(terminal)
    resize(terminal, 100)
    assert style.width == 100


def test_terminal_without_a_size_has_the_usual_one(terminal: Any) -> None:
    resize(terminal, 0)
    assert Style(terminal).width == 80


def test_columns_are_believed_first(terminal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "33")
    assert Style(terminal).width == 33
    for nonsense in ("", "0", "wide", "-3"):
        monkeypatch.setenv("COLUMNS", nonsense)
        assert Style(terminal).width == 60


def test_pipe_is_plain_and_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "33")
    reader, writer = os.pipe()
    with open(writer, "w") as stream:
        style = Style(stream)
    os.close(reader)
    assert not style.color
    assert style.width is None
    assert style.bold("total") == "total"


@pytest.mark.parametrize(
    ("environment", "color"),
    [
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_environment_decides_over_colour(
    terminal: Any, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], color: bool
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert Style(terminal).color is color


def test_colour_can_be_forced_on_a_pipe_and_width_stays_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    style = Style(io.StringIO())
    assert style.color
    assert style.width is None


def test_arguments_decide_over_all(terminal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    style = Style(terminal, color=False, width=20)
    assert (style.color, style.width) == (False, 20)


@pytest.mark.parametrize("width", [0, -1, 2.5, "80", True])
def test_width_that_is_none_is_named(width: Any) -> None:
    with pytest.raises(ArgumentError, match="width is"):
        Style(io.StringIO(), width=width)


@pytest.mark.parametrize("stream", [None, object(), io.StringIO()])
def test_stream_that_is_no_file_is_plain(stream: Any) -> None:
    style = Style(stream)
    assert (style.color, style.width) == (False, None)


def test_closed_stream_is_plain() -> None:
    stream = open(os.devnull, "w")
    stream.close()
    assert not Style(stream).color


def test_nothing_is_painted_around_nothing() -> None:
    assert Style(io.StringIO(), color=True).dim("") == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Zoë 漢字 🎈", "Zoë 漢字 🎈"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("a\r\n\tb", r"a\r\n\tb"),
        ("\u202etxt.exe", r"\u202etxt.exe"),
        ("\u2028", r"\u2028"),
        ("\udce9", r"\udce9"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("total", None, "total"),
        ("total", 5, "total"),
        ("total", 4, "tot…"),
        ("total", 1, "…"),
        ("", 1, ""),
        ("漢字", 4, "漢字"),
        ("漢字", 3, "漢…"),
        ("e\u0301te\u0301", 3, "e\u0301te\u0301"),
    ],
)
def test_text_is_cut_by_columns(text: str, width: Any, shown: str) -> None:
    assert cut(text, width) == shown
