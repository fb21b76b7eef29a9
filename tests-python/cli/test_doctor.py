"""`nonstop doctor` tells what works here, and works itself where nonstop does not."""

from __future__ import annotations

import platform
import sys
from typing import Any

import nonstop
import pytest
from nonstop import core
from nonstop.backends.choose import all_backends
from nonstop.cli.doctor import doctor
from nonstop.errors import LibraryError


def test_interpreter_library_and_backends_are_shown(capsys: Any) -> None:
    assert doctor() == 0
    shown = capsys.readouterr().out
    for text in (
        platform.python_implementation(),
        sys.executable,
        nonstop.__version__,
        f"{core.library_version()}, ABI {core.ABI_VERSION}",
        "nonstop works here.",
    ):
        assert text in shown
    for name, reason in all_backends().items():
        assert f"  {name:<10}  " in shown
        assert reason is None or f"not available: {reason}" in shown
    assert shown.count("the default") == 1


@pytest.mark.parametrize(
    "problem",
    [
        LibraryError("the native library is gone; pip install --force-reinstall nonstop", code="missing_library"),
        LibraryError("the native library has ABI 7; pip install --force-reinstall nonstop", code="abi_mismatch"),
    ],
)
def test_unusable_library_is_explained(capsys: Any, monkeypatch: pytest.MonkeyPatch, problem: LibraryError) -> None:
    def load() -> Any:
        raise problem

    monkeypatch.setattr(core, "load", load)
    assert doctor() == 1
    shown = capsys.readouterr().out
    assert shown.endswith(f"nonstop does not work here: {problem}\n")
    assert sys.executable in shown
    assert "settrace" in shown


def test_missing_cffi_is_told(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "_cffi_backend", None)
    doctor()
    assert "pip install cffi" in capsys.readouterr().out


def test_other_tracers_are_named(capsys: Any) -> None:
    def tracer(*_: Any) -> None:
        return None

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        doctor()
    finally:
        sys.settrace(before)
    assert f"{__name__}.test_other_tracers_are_named.<locals>.tracer" in capsys.readouterr().out


@pytest.mark.skipif(not hasattr(sys, "monitoring"), reason="needs sys.monitoring")
def test_tools_of_monitoring_are_named(capsys: Any) -> None:
    monitoring: Any = vars(sys)["monitoring"]
    monitoring.use_tool_id(5, "a profiler")
    try:
        doctor()
    finally:
        monitoring.free_tool_id(5)
    assert "5: a profiler" in capsys.readouterr().out
