"""`nonstop lines`: the lines that can carry a breakpoint."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import nonstop
import pytest
from nonstop.cli.lines import lines, usable_lines

TEXT = '''\
"""Shop."""
import sys

def total(items):
    """Sum up."""
    result = sum(
        items
    )

    def tax():
        return 1
    return result + tax()


class Cart:
    def total(self):
        return 0  # añb
'''


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    file = tmp_path / "shop.py"
    file.write_text(TEXT, "utf-8")
    return file


@pytest.fixture(autouse=True)
def same_path_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))


def test_lines_are_shown_with_spans_functions_and_text(shop: Path, capsys: Any) -> None:
    assert lines(str(shop)) == 0
    shown = capsys.readouterr().out.splitlines()
    for line in (
        "  2: import sys",
        "  4: def total(items):",
        "6-8:     result = sum(  <- total",
        " 12:     return result + tax()",
        " 17:         return 0  # añb  <- Cart.total",
    ):
        assert line.lstrip() in [one.lstrip() for one in shown]
    assert not any(one.lstrip().startswith(("3:", "5:", "9:", "7:")) for one in shown)
    assert len({len(one.partition(":")[0]) for one in shown}) == 1


def test_nested_functions_are_named_as_a_location_names_them(shop: Path) -> None:
    functions = {line.function: line.first for line in usable_lines(str(shop)) if line.function}
    assert functions == {"total": 6, "tax": 11, "Cart.total": 17}


def test_every_line_shown_takes_a_breakpoint_and_no_other_stays_where_it_was_asked(shop: Path) -> None:
    usable = {line.first for line in usable_lines(str(shop))}
    with nonstop.Debugger() as debugger:
        for number in range(1, len(TEXT.splitlines()) + 1):
            try:
                resolved = debugger.counter(f"{shop}:{number}").resolved_line
            except nonstop.LocationError:
                resolved = 0
            assert (resolved == number) == (number in usable), number


def test_functions_lead_to_the_lines_that_are_marked(shop: Path) -> None:
    with nonstop.Debugger() as debugger:
        for line in usable_lines(str(shop)):
            if line.function not in ("", "total"):  # that one is ambiguous here
                assert debugger.counter(f"{shop}:{line.function}").resolved_line == line.first


def test_module_names_work(capsys: Any) -> None:
    assert lines("json.decoder") == 0
    assert "<- JSONDecoder.decode" in capsys.readouterr().out


def test_modules_are_found_from_the_working_directory(shop: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.parent)
    assert lines("shop") == 0
    assert "<- Cart.total" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a = 1\nb = = 2\n", "line 2"),
        (b"a = '\xe9'\n", "no Python source"),
        (b"\x7fELF\0\0\1", "broken.py"),
    ],
)
def test_what_is_no_source_is_refused(tmp_path: Path, capsys: Any, content: bytes, message: str) -> None:
    file = tmp_path / "broken.py"
    file.write_bytes(content)
    refused(capsys, str(file), "broken.py", message)


def test_missing_things_are_refused(tmp_path: Path, capsys: Any) -> None:
    refused(capsys, "missing.py", "there is no file 'missing.py'")
    refused(capsys, "no_such_module", "there is no module 'no_such_module'")
    refused(capsys, f"{tmp_path}/", "is a directory")


def test_empty_file_is_told(tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "empty.py"
    file.write_text("# nothing\n")
    assert lines(str(file)) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "empty.py" in captured.err


def refused(capsys: Any, place: str, *messages: str) -> None:
    assert lines(place) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("nonstop: error: ")
    for message in messages:
        assert message in captured.err


def test_text_is_cut_to_the_terminal(shop: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        width = 30

        def __init__(self, stream: Any) -> None:
            pass

        dim = cyan = bold = staticmethod(lambda text: text)

    monkeypatch.setattr("nonstop.cli.lines.Style", Terminal)
    shop.write_text("number = 'a text that is longer than that'\n")
    lines(str(shop))
    (shown,) = capsys.readouterr().out.splitlines()
    assert shown.endswith("…")
    assert len(shown) <= 30


def test_names_that_are_no_text_can_be_shown(tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.py")
    try:
        Path(name).write_text("a = 1\n")
    except OSError:
        pytest.skip("the file system takes UTF-8 only")
    assert [line.first for line in usable_lines(name)] == [1]
