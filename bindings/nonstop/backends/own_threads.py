"""The threads of nonstop itself: what runs in them is not observed, or each snapshot would make more of them."""

from __future__ import annotations

import importlib
import sys
import threading
from typing import TYPE_CHECKING, Any

from nonstop.core import ignore_thread

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

#: Their idents.
OWN_THREADS: set[int] = set()

#: Threads in which nothing is observed now: these, and those that are answering an arrival.
SILENT_THREADS: set[int] = set()

#: The frame that forked last, by its address, and the offset in its code at which it did.
_fork: tuple[int, int] | None = None


def thread_ends() -> None:
    """The calling thread of nonstop ends: its ident may name another one soon."""
    OWN_THREADS.discard(threading.get_ident())
    SILENT_THREADS.discard(threading.get_ident())
    ignore_thread(False)


def leave_unobserved() -> None:
    """Keep the calling thread, one of nonstop's own, out of all observing; call it again after waiting."""
    OWN_THREADS.add(threading.get_ident())
    SILENT_THREADS.add(threading.get_ident())
    ignore_thread(True)
    if sys.gettrace() is not None:
        sys.settrace(None)


def is_forking() -> bool:
    """Whether the calling thread is still in what PyPy does in the child of a fork.

    A thread that starts meanwhile is forgotten when its last step counts the threads, and dies of SIGSEGV.
    """
    global _fork
    if _fork is not None:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if (id(frame), frame.f_lasti) == _fork:
                return True
            frame = frame.f_back
        _fork = None  # over; the address may be another frame's soon
    return False


def fork_is_seen(caller: FrameType) -> None:
    """The child of a fork begins, and calls what was registered for it; `caller` is the frame that forked."""
    global _fork
    # Only this thread is there. New ones may get the idents of those that are not.
    for threads in (OWN_THREADS, SILENT_THREADS):
        threads.intersection_update((threading.get_ident(),))
    if sys.implementation.name == "pypy":
        _fork = id(caller), caller.f_lasti


def start_thread(run: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """Start a thread that `threading.settrace` does not reach, and that `threading.enumerate()` does not show."""
    unpatched("_thread", "start_new_thread")(run, arguments)


def unpatched(module: str, name: str) -> Any:
    """A function as it was before gevent replaced it: a greenlet of nonstop's that waits would stop all the others."""
    monkey = sys.modules.get("gevent.monkey")
    found = getattr(importlib.import_module(module), name)
    return found if monkey is None else monkey.get_original(module, name)
