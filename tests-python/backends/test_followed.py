"""The frames that are followed, while several threads change them."""

from __future__ import annotations

import gc
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import nonstop
import pytest
from nonstop.backends.codes import AliveCodes
from nonstop.backends.followed import Followed
from nonstop.backends.settrace import TracingBackend


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


@pytest.mark.parametrize("backend", sorted({"bytecode", "settrace"} & {*nonstop.available_backends()}))
def test_the_first_line_of_a_frame_is_told_that_is_looked_at_while_it_begins(
    backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a garbage collection does that comes while the trace function is told of the call."""
    path = tmp_path / "begins.py"
    path.write_text("one = 1\ntwo = (\n    one\n    for one in (1, 2)\n)\n")
    enter = TracingBackend.enter

    def look_and_enter(self: Any, frame: FrameType, plan: Any) -> Any:
        look = self.follow if backend == "bytecode" else self._attach
        look(frame)
        trace = enter(self, frame, plan)
        look(frame)
        return trace

    monkeypatch.setattr(TracingBackend, "enter", look_and_enter)
    with nonstop.Debugger(backend=backend) as debugger:
        watched = [debugger.counter(f"{path}:{line}") for line in (1, 2)]
        exec(compile(path.read_text(), str(path), "exec"), {"__name__": "begins"})
        assert [one.hits for one in watched] == [1, 1]


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
