"""Waiting until an edit has been seen to everywhere: a thread looks for functions where that takes long."""

from __future__ import annotations

import time

import nonstop


def settle(debugger: nonstop.Debugger) -> None:
    """Wait until all functions have been found, and until this thread is not traced on account of that any more."""
    swapping = getattr(debugger._backend, "_swapping", None)
    deadline = time.monotonic() + 10
    search = None if swapping is None else swapping._search
    while search is not None and search.is_pending:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    debugger.missed()  # it sees to the trace function of this thread
