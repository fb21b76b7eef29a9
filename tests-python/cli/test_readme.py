"""The README is true: its transcript comes out again, and its Python example sets breakpoints as it says."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import nonstop
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def masked(text: str) -> str:
    """Without what differs from run to run, and between interpreters: times of day, durations, the backend."""
    text = re.sub(r"\(backend \w+\)", "(backend NAME)", text)
    text = re.sub(r"\d\d:\d\d:\d\d\.\d{3}", "HH:MM:SS", text)
    return re.sub(r"[\d.]+ (µs|ms|s) spent", "TIME spent", text)


def test_transcript_comes_out_again() -> None:
    block = README.split("```console\n")[1].split("```")[0]
    command, _, shown = block.partition("\n")
    words = shlex.split(command)
    assert words[:2] == ["$", "nonstop"]
    done = subprocess.run(
        [sys.executable, "-m", "nonstop", *words[2:]], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0
    assert masked(done.stdout + done.stderr) == masked(shown)


def test_python_example_sets_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    block = README.split("```python\n")[1].split("```")[0]
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("")
    (tmp_path / "shop" / "pricing.py").write_text("\n" * 56 + "x = 1\n")
    (tmp_path / "shop.py").write_text("\n" * 10 + "def total(coupon):\n    due = 1\n    a = 2\n\n    return due\n")
    exec(compile(block.replace("timeout=60", "timeout=0"), "README.md", "exec"), {})
    debugger = nonstop.default.default_debugger()
    try:
        found = debugger.breakpoints
        assert [one.location for one in found] == ["shop.py:total", "shop.py:15", "shop.pricing:57"]
        assert [one.resolved_line for one in found] == [12, 15, 57]
    finally:
        debugger.close()  # with the thread that delivers
