"""The command line itself: what belongs to nonstop, what to the program, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nonstop
import pytest
from nonstop.cli.main import _parsers, main, split_program

WITH_VALUE = _parsers()[2]


@pytest.mark.parametrize(
    ("words", "own", "program"),
    [
        ([], [], []),
        (["a.py"], [], ["a.py"]),
        (["-b", "a.py:1", "a.py", "-b", "x", "--help"], ["-b", "a.py:1"], ["a.py", "-b", "x", "--help"]),
        (["-ba.py:1", "--rate=3", "--quiet", "a.py"], ["-ba.py:1", "--rate=3", "--quiet"], ["a.py"]),
        (["--jsonl", "-m", "a.py"], ["--jsonl", "-m"], ["a.py"]),
        (["--rate", "3", "-m", "mod", "-m", "x"], ["--rate", "3"], ["-m", "mod", "-m", "x"]),
        (["-mmod", "--", "x"], [], ["-m", "mod", "--", "x"]),
        (["--", "a.py", "--"], [], ["a.py", "--"]),
        (["-", "x"], [], ["-", "x"]),
        (["--quiet", "-m"], ["--quiet"], []),
        (["--unknown", "a.py"], ["--unknown"], ["a.py"]),
    ],
)
def test_what_follows_the_program_belongs_to_it(words: Any, own: Any, program: Any) -> None:
    assert split_program(words, WITH_VALUE) == (own, program)


def refused(capsys: Any, *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return str(captured.err)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run"], "give a SCRIPT or -m MODULE"),
        (["run", "-b", "a.py:1"], "give a SCRIPT or -m MODULE"),
        (["run", "-m"], "give a SCRIPT or -m MODULE"),
        (["run", "--max-hits", "0", "a.py"], "'0' is no number of hits"),
        (["run", "--max-hits", "1.5", "a.py"], "'1.5' is no number of hits"),
        (["run", "--rate", "fast", "a.py"], "'fast' is no number above 0"),
        (["run", "--expires", "-1", "a.py"], "'-1' is no number above 0"),
        (["run", "--rate", "nan", "a.py"], "'nan' is no number above 0"),
        (["run", "--path-map", "/app", "a.py"], "'/app' is no path map; write FROM=TO"),
        (["run", "--unknown", "a.py"], "--unknown"),
        (["run", "--back", "settrace", "a.py"], "--back"),
        (["go"], "'go'"),
        (["lines"], "FILE"),
        (["doctor", "me"], "me"),
    ],
)
def test_wrong_usage_ends_with_status_2(capsys: Any, words: Any, message: str) -> None:
    assert message in refused(capsys, *words)


def test_nothing_at_all_shows_the_help(capsys: Any) -> None:
    assert main([]) == 2
    assert "usage: nonstop" in capsys.readouterr().err


def test_version(capsys: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"nonstop {nonstop.__version__}\n"


@pytest.mark.parametrize("command", [[], ["run"], ["lines"], ["doctor"]])
def test_help_has_exit_statuses_or_examples(capsys: Any, command: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert "exit status:" in shown or "examples:" in shown
    assert "\x1b" not in shown


def test_help_of_run_tells_how_everything_is_written(capsys: Any) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    shown = capsys.readouterr().out
    for word in ("SCRIPT | -m MODULE", "FILE:LINE", "FILE:FUNCTION", "--max-hits N", "examples:", "exit status:"):
        assert word in shown


def command(*words: str, folder: Path, **options: Any) -> Any:
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    done = subprocess.run([sys.executable, "-m", "nonstop", *words], cwd=folder, text=True, timeout=60, **options)
    return done.stdout, done.stderr, done.returncode


def test_python_m_nonstop_is_the_command(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    assert command("lines", "a.py", folder=tmp_path) == ("1: x = 1\n", "", 0)
    assert command("lines", "b.py", folder=tmp_path)[::2] == ("", 1)
    assert command("doctor", folder=tmp_path)[1:] == ("", 0)


def test_what_the_encoding_cannot_show_is_escaped(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 'ñ'\n", "utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    assert command("lines", "a.py", folder=tmp_path, env=environment) == ("1: x = '\\xf1'\n", "", 0)


def test_reader_of_the_output_may_go_away(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n" * 5000)
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as closed:
        assert command("lines", "a.py", folder=tmp_path, stdout=closed)[1:] == ("", 1)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    with open("/dev/full", "w") as full:
        _, told, status = command("lines", "a.py", folder=tmp_path, stdout=full)
    assert (told, status) == ("nonstop: error: cannot write to stdout: No space left on device\n", 1)
