"""The threads of nonstop itself: what runs in them is not observed, or each snapshot would make more of them."""

from __future__ import annotations

import sys
import threading

from nonstop.core import ignore_thread

#: Their idents.
OWN_THREADS: set[int] = set()


def thread_ends() -> None:
    """The calling thread of nonstop ends: its ident may name another one soon."""
    OWN_THREADS.discard(threading.get_ident())
    ignore_thread(False)


def leave_unobserved() -> None:
    """Keep the calling thread, one of nonstop's own, out of all observing; call it again after waiting."""
    OWN_THREADS.add(threading.get_ident())
    ignore_thread(True)
    if sys.gettrace() is not None:
        sys.settrace(None)
