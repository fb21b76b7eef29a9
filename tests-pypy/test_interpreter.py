"""What only PyPy has: cffi built in, and one hook for collections."""

from __future__ import annotations

import sys
from importlib import metadata

import nonstop
import pytest


def test_cffi_is_the_interpreters_own() -> None:
    import _cffi_backend

    assert "_cffi_backend" in sys.builtin_module_names
    assert _cffi_backend.__version__ >= "1.15.1"


def test_no_requirement_holds_on_pypy() -> None:
    try:
        requirements = metadata.requires("nonstop") or []
    except metadata.PackageNotFoundError:
        pytest.skip("nonstop is not installed from a wheel here")
    assert all("platform_python_implementation == 'CPython'" in one.replace('"', "'") for one in requirements)


def test_hook_of_the_collector_is_taken_only_when_free_and_left_idle() -> None:
    import gc

    def price(amount: int) -> int:
        return amount

    with nonstop.Debugger() as debugger:
        debugger.counter(price)
        assert gc.hooks.on_gc_minor is not None
    ours = gc.hooks.on_gc_minor
    theirs = lambda stats: None  # noqa: E731
    gc.hooks.on_gc_minor = theirs
    try:
        with nonstop.Debugger() as debugger:
            watched = debugger.counter(price)
            price(1)
            assert watched.hits == 1
            assert gc.hooks.on_gc_minor is theirs
    finally:
        gc.hooks.on_gc_minor = ours
