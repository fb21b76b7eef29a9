"""The file of `--breakpoints`."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from nonstop.cli.breakpoint_file import read_breakpoints
from nonstop.errors import ArgumentError

TOML = """
[[breakpoint]]
location = "shop.py:42"
condition = "total > 100"
capture = ["total", "len(items)"]
max_hits = 10
limits = { depth = 5 }

[[breakpoint]]
location = "shop.py:43"

[[logpoint]]
location = "shop.py:total"
template = "total={total}"
rate = [10, 20]

[[counter]]
location = "shop.py:57"
thread = "worker"
"""
CONTENT = {
    "breakpoint": [
        {
            "location": "shop.py:42",
            "condition": "total > 100",
            "capture": ["total", "len(items)"],
            "max_hits": 10,
            "limits": {"depth": 5},
        },
        {"location": "shop.py:43"},
    ],
    "logpoint": [{"location": "shop.py:total", "template": "total={total}", "rate": [10, 20]}],
    "counter": [{"location": "shop.py:57", "thread": "worker"}],
}
HAS_TOML = sys.version_info >= (3, 11) or importlib.util.find_spec("tomli") is not None


def written(folder: Path, content: Any, name: str = "b.json") -> str:
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return str(file)


def test_json_gives_each_breakpoint_its_own_rules(tmp_path: Path) -> None:
    first, second, log, count = read_breakpoints(written(tmp_path, CONTENT))
    assert first[1:5] == ("breakpoint", "shop.py:42", "total > 100", None)
    assert first.rules == {"capture": ["total", "len(items)"], "max_hits": 10, "limits": {"depth": 5}}
    assert second[1:] == ("breakpoint", "shop.py:43", None, None, {})
    assert log[1:] == ("logpoint", "shop.py:total", None, "total={total}", {"rate": (10, 20)})
    assert count[1:] == ("counter", "shop.py:57", None, None, {"thread": "worker"})


@pytest.mark.skipif(not HAS_TOML, reason="needs Python 3.11 or tomli")
def test_toml_says_the_same_as_json(tmp_path: Path) -> None:
    toml, same = (
        [given._replace(text="") for given in read_breakpoints(path)]
        for path in (written(tmp_path, TOML, "b.toml"), written(tmp_path, CONTENT))
    )
    assert toml == same


@pytest.mark.skipif(HAS_TOML, reason="this Python reads TOML")
def test_where_toml_cannot_be_read_the_remedies_are_named(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"b\.toml: .*3\.11.*tomli.*\.json"):
        read_breakpoints(written(tmp_path, TOML, "b.toml"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "outermost value"),
        ({"breakpoints": []}, "no table 'breakpoints'; there are 'breakpoint', 'logpoint', 'counter'"),
        ({"breakpoint": {"location": "a.py:1"}}, r"write \[\[breakpoint\]\]"),
        ({"breakpoint": [{"location": "a.py:1", "at": 3}]}, "breakpoint 1: there is no key 'at'; there are location,"),
        ({"counter": [{"location": "a.py:1", "capture": []}]}, "counter 1: there is no key 'capture'"),
        ({"breakpoint": [{"location": "a.py:1"}, {}]}, "breakpoint 2: 'location' is missing"),
        ({"logpoint": [{"location": "a.py:1"}]}, "logpoint 1: 'template' is missing"),
        ({"breakpoint": [{"location": 3}]}, "location is 3; it must be text"),
        ({"breakpoint": [{"location": "a.py:1", "condition": True}]}, "condition is True; it must be text"),
        ({"breakpoint": [{"location": "a.py:1", "capture": [1]}]}, r"capture is \[1\]"),
        ("{", "is no JSON: "),
    ],
)
def test_mistakes_are_named_with_file_table_and_key(tmp_path: Path, content: Any, message: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(ArgumentError, match=f"^{re.escape(path)}: .*{message}"):
        read_breakpoints(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"nothing\.json: cannot be read: No such file"):
        read_breakpoints(str(tmp_path / "nothing.json"))
