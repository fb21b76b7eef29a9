"""The stacks of the process, as far as they may be looked at."""

from __future__ import annotations

import gc
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_PYPY = sys.implementation.name == "pypy"
#: PyPy 3.9: just asking for the frames that other threads run in compiled code ends the process now and then.
_FRAGILE_FRAMES = _PYPY and sys.version_info < (3, 11)


def stack(top: FrameType) -> Iterator[FrameType]:
    """A frame and those below it, down to the first one of its thread."""
    frame: FrameType | None = top
    while frame is not None:
        yield frame
        frame = frame.f_back


def topmost_frames() -> dict[int, Any]:
    """The topmost frame of each thread; None where it must not be looked at."""
    if not _FRAGILE_FRAMES:
        return sys._current_frames()
    known = list(getattr(threading, "_active", {}).items())
    # A dummy stands for a thread that `threading` did not start, and stays when that has ended.
    dummy = getattr(threading, "_DummyThread", ())
    frames: dict[int, Any] = {ident: None for ident, thread in known if not isinstance(thread, dummy)}
    frames[threading.get_ident()] = sys._getframe(1)
    return frames


def visible(ident: int, top: FrameType | None) -> Iterator[FrameType]:
    """The frames of a thread that may be looked at from the current one."""
    if top is None:
        return iter(())
    return iter((top,)) if _PYPY and ident != threading.get_ident() else stack(top)


def frames_of_greenlets() -> Iterator[FrameType]:
    """The frames of suspended greenlets, which are on no thread's stack. Not on PyPy, which withstands no such look."""
    kind = getattr(sys.modules.get("greenlet"), "greenlet", None)
    if _PYPY or not isinstance(kind, type):
        return
    for found in gc.get_objects():
        if issubclass(type(found), kind):
            # A class derived by the program may have an attribute of this name.
            top = kind.gr_frame.__get__(found)  # type: ignore[attr-defined]
            if top is not None:
                yield from stack(top)
