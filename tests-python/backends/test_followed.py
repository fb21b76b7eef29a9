"""The frames that are followed, while several threads change them."""

from __future__ import annotations

import gc
import sys
import threading
from types import FrameType
from typing import Any

from nonstop.backends.codes import AliveCodes
from nonstop.backends.followed import Followed


def test_what_a_thread_begins_while_another_one_looks_at_it_stays() -> None:
    is_looked_at, has_begun, is_over = threading.Event(), threading.Event(), threading.Event()
    kept: list[Any] = []

    def look(frame: FrameType) -> None:
        if threading.current_thread() is threading.main_thread():
            is_looked_at.set()
            has_begun.wait(10)

    def begin() -> None:
        followed.add(sys._getframe(), "a plan")
        has_begun.set()
        is_over.wait(10)
        kept.extend(followed._frames[threading.get_ident()].values())

    def run() -> None:
        is_looked_at.wait(1)  # PyPy 3.9 does not look at the frames of other threads
        begin()

    followed = Followed(None, look, lambda: False, None)
    thread = threading.Thread(target=run)
    thread.start()
    gc.disable()  # or collections are hastened, and the thread looks for itself
    try:
        followed.attach()
    finally:
        gc.enable()
    is_over.set()
    thread.join()
    assert kept == ["a plan"]


def test_code_that_has_the_text_of_other_code_is_not_taken_for_it() -> None:
    codes = AliveCodes()
    first, second = (compile("1", "m.py", "exec") for _ in range(2))
    assert first == second
    codes.add(first)
    codes.discard(second)
    assert codes
    codes.discard(first)
    assert not codes


def test_code_that_died_is_not_waited_for() -> None:
    codes = AliveCodes()
    codes.add(compile("1", "m.py", "exec"))
    for _ in range(3):  # PyPy is sure of it after several
        gc.collect()
    assert not codes
