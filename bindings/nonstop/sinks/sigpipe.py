"""Writing to a closed pipe in a program for which SIGPIPE is deadly."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

#: None where there is no such signal.
_SIGPIPE: Any = getattr(signal, "SIGPIPE", None)


@contextlib.contextmanager
def sigpipe_held() -> Iterator[None]:
    """Inside, a closed pipe is an error of the write and nothing else.

    Python ignores SIGPIPE, but programs that are made for pipelines set it back (``signal.signal(SIGPIPE, SIG_DFL)``):
    their own closed stdout may end them, ours must not. The signal goes to the thread that writes, so holding it back
    in this thread alone is enough.
    """
    if _SIGPIPE is None or signal.getsignal(_SIGPIPE) == signal.SIG_IGN:
        yield
        return
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {_SIGPIPE})
    try:
        yield
    finally:
        if _SIGPIPE not in held:
            # One that came must be gone before the next is let through.
            if _SIGPIPE in signal.sigpending():
                _take()
            signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _take() -> None:
    if hasattr(signal, "sigtimedwait"):
        signal.sigtimedwait({_SIGPIPE}, 0)
    else:  # PyPy, macOS
        signal.sigwait({_SIGPIPE})
