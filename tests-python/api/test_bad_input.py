"""What users get wrong: each with an error that names the value and the remedy, and nothing left registered."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any

import nonstop
import pytest
from nonstop import core

TEXT = """\
def price(amount):
    # a comment

    total = amount * 2
    return total


class Cart:
    def empty(self):
        return True
"""


def price(amount: int) -> int:
    return amount


@pytest.fixture
def debugger() -> Any:
    with nonstop.Debugger() as made:
        yield made
        assert made.breakpoints == []


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    file = tmp_path / "shop.py"
    file.write_text(TEXT)
    return file


def refused(debugger: Any, location: object, code: str, *texts: str, **options: Any) -> None:
    with pytest.raises(nonstop.NonstopError) as caught:
        debugger.breakpoint(location, **options)
    assert caught.value.code == code
    for text in texts:
        assert text in str(caught.value)
    assert debugger.breakpoints == []
    assert sys.gettrace() is None


def test_no_such_file(debugger: Any, tmp_path: Path) -> None:
    refused(debugger, f"{tmp_path}/missing.py:3", "no_such_file", "missing.py")


def test_directory(debugger: Any, tmp_path: Path) -> None:
    folder = tmp_path / "folder.py"
    folder.mkdir()
    refused(debugger, f"{folder}:3", "is_a_directory", "folder.py")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user who cannot read everything")
def test_unreadable_file(debugger: Any, shop: Path) -> None:
    shop.chmod(0)
    refused(debugger, f"{shop}:4", "unreadable_file", "shop.py")


def test_line_zero(debugger: Any, shop: Path) -> None:
    refused(debugger, f"{shop}:0", "invalid_location", "0")


def test_line_beyond_the_end_names_the_nearest(debugger: Any, shop: Path) -> None:
    refused(debugger, f"{shop}:99", "no_code", "99", "10")


def test_blank_end_of_a_block_names_the_nearest(debugger: Any, shop: Path) -> None:
    file = shop.with_name("blank.py")
    file.write_text("def f():\n    x = 1\n    # the end\n\ny = 1\n")
    refused(debugger, f"{file}:3", "no_code", "3", "2")


def test_unknown_function_names_similar_ones(debugger: Any, shop: Path) -> None:
    refused(debugger, f"{shop}:prise", "no_such_function", "prise", "price")


@pytest.mark.parametrize("location", ["shop", "shop.py", ":3", "shop.py:", "shop.py:3:x y", ""])
def test_text_that_is_no_location(debugger: Any, location: str) -> None:
    with pytest.raises(nonstop.LocationError):
        debugger.breakpoint(location)


@pytest.mark.parametrize("location", [None, 3, len, b"shop.py:3"])
def test_object_that_is_no_location(debugger: Any, location: object) -> None:
    refused(debugger, location, "invalid_location", repr(location))


def test_path_that_is_not_utf8_works(debugger: Any, tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.py")
    try:
        with open(name, "w") as file:
            file.write("a = 1\nb = 2\n")
    except OSError:
        pytest.skip("the file system takes UTF-8 only")
    with debugger.breakpoint(f"{name}:2") as watched:
        exec(compile("a = 1\nb = 2\n", name, "exec"), {})
        assert watched.hits == 1
        (snapshot,) = watched.snapshots(timeout=0.5)
        assert snapshot.json


def test_condition_that_does_not_compile(debugger: Any) -> None:
    refused(debugger, price, "invalid_condition", "amount >", condition="amount >")


def test_expression_that_does_not_compile(debugger: Any) -> None:
    with pytest.raises(nonstop.NonstopError, match="1 \\+"):
        debugger.breakpoint(price, capture=["1 +"])


def test_template_that_does_not_compile(debugger: Any) -> None:
    for template in ("{", "{amount", "{amount +}"):
        with pytest.raises(nonstop.NonstopError):
            debugger.logpoint(price, template)


@pytest.mark.parametrize(
    "options",
    [
        {"hit_condition": "often"},
        {"hit_condition": "% 0"},
        {"hit_condition": 3},
        {"max_hits": 0},
        {"max_hits": -1},
        {"max_hits": "2"},
        {"max_hits": True},
        {"rate": 0},
        {"rate": -1.0},
        {"rate": (1, 0)},
        {"rate": "fast"},
        {"rate": float("nan")},
        {"expires": 0},
        {"expires": float("inf")},
        {"expires": "1h"},
        {"thread": ""},
        {"thread": 1.5},
        {"thread": threading.Thread(name="idle")},
        {"limits": {"depths": 1}},
        {"limits": {"depth": "1"}},
        {"sink": 3},
    ],
)
def test_option_out_of_range_names_its_value(debugger: Any, options: dict[str, Any]) -> None:
    with pytest.raises(nonstop.NonstopError) as caught:
        debugger.breakpoint(price, **options)
    ((name, value),) = options.items()
    shown = next(iter(value.items()))[0] if isinstance(value, dict) else getattr(value, "name", value)
    assert str(shown) in str(caught.value) or repr(shown) in str(caught.value) or name in str(caught.value)
    assert debugger.breakpoints == []


def test_counting_by_a_key_is_told_to_be_missing(debugger: Any) -> None:
    with pytest.raises(nonstop.StateError, match="amount") as caught:
        debugger.counter(price, by="amount")
    assert caught.value.code == "not_supported"


def test_unknown_backend_names_the_available(debugger: Any) -> None:
    with pytest.raises(nonstop.BackendError, match=r"available: .*settrace") as caught:
        nonstop.Debugger(backend="magic")
    assert caught.value.code == "unavailable_backend"


def test_profile_that_is_not_there_yet_is_refused() -> None:
    with pytest.raises(nonstop.StateError, match="production"):
        nonstop.Debugger(profile="production")


def test_other_abi_is_refused_with_both_numbers() -> None:
    with pytest.raises(nonstop.LibraryError, match="ABI 7.*ABI 1") as caught:
        core.check_abi(7)
    assert caught.value.code == "abi_mismatch"


def test_missing_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "_library", None)
    monkeypatch.setitem(sys.modules, "nonstop._native", None)
    with pytest.raises(nonstop.LibraryError, match="pip install") as caught:
        nonstop.Debugger()
    assert caught.value.code == "missing_library"


def test_tracer_of_another_tool_is_named() -> None:
    import bdb

    other = bdb.Bdb()
    other.reset()
    with nonstop.Debugger(backend="settrace") as debugger:
        sys.settrace(other.trace_dispatch)
        try:
            with pytest.raises(nonstop.BackendError, match=r"bdb\.Bdb\.trace_dispatch") as caught:
                debugger.counter(price)
        finally:
            sys.settrace(None)
        assert caught.value.code == "tracer_in_use"
        assert debugger.breakpoints == []
