"""Programs that trace by themselves beside the settrace backend: nothing of theirs is replaced, and what is missed is
said.
"""

from __future__ import annotations

import bdb
import faulthandler
import gc
import io
import pdb
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import nonstop
import pytest
from nonstop import BackendError


def price(amount: int) -> int:
    less = amount // 10
    return amount - less


LINE = price.__code__.co_firstlineno + 1


class Tracer:
    """A tracer of the program's own: it keeps the lines of `price`."""

    def __init__(self) -> None:
        self.lines: list[int] = []

    def trace(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "line" and frame.f_code is price.__code__:
            self.lines.append(frame.f_lineno - LINE)
        return self.trace


@pytest.fixture
def debugger() -> Iterator[nonstop.Debugger]:
    with nonstop.Debugger(backend="settrace") as made:
        yield made
    sys.settrace(None)


@pytest.fixture
def tracer() -> Iterator[Tracer]:
    yield Tracer()
    sys.settrace(None)
    threading.settrace(None)  # type: ignore[arg-type]


# A tracer that is there


def test_tracer_of_another_tool_is_refused_by_its_name_and_goes_on(tracer: Tracer) -> None:
    sys.settrace(tracer.trace)
    with nonstop.Debugger(backend="settrace") as debugger:
        with pytest.raises(BackendError, match=r"sys\.settrace is in use by .*Tracer\.trace") as caught:
            debugger.counter(price)
    assert caught.value.code == "tracer_in_use"
    price(1)
    sys.settrace(None)
    assert tracer.lines == [0, 1]


def test_debugger_starts_once_the_other_tool_has_stopped(tracer: Tracer) -> None:
    sys.settrace(tracer.trace)
    with nonstop.Debugger(backend="settrace") as debugger:
        with pytest.raises(BackendError):
            debugger.start()
        sys.settrace(None)
        watched = debugger.counter(price)
        price(1)
        assert watched.hits == 1
    assert tracer.lines == []


def test_tracer_in_another_thread_is_refused_or_left_alone(tracer: Tracer) -> None:
    """From 3.12 on tracing begins in all threads at once: that would replace it."""
    begun, halt = threading.Event(), threading.Event()

    def work() -> None:
        sys.settrace(tracer.trace)
        here()
        price(1)

    def here() -> None:
        begun.set()
        halt.wait(5)

    thread = threading.Thread(target=work, name="worker")
    thread.start()
    assert begun.wait(5)
    try:
        with nonstop.Debugger(backend="settrace") as debugger:
            watched = debugger.counter(price)
            price(1)
            assert watched.hits == 1
            assert any("worker" in sentence for sentence in watched.armed.missed)
    except BackendError as error:
        assert "thread worker is in use by" in str(error)
        assert "Tracer.trace" in str(error)
    finally:
        halt.set()
        thread.join()
    assert tracer.lines == [0, 1]


# A tracer that comes later


def test_tracer_set_later_stays_and_is_named(debugger: nonstop.Debugger, tracer: Tracer) -> None:
    watched = debugger.counter(price)
    price(1)
    sys.settrace(tracer.trace)
    price(1)
    (sentence,) = watched.armed.missed
    assert "thread MainThread: sys.settrace was replaced by" in sentence
    assert sentence.endswith("Tracer.trace")
    gc.collect()
    price(1)
    assert sys.gettrace() == tracer.trace
    assert tracer.lines == [0, 1] * 2
    assert watched.hits == 1


def test_hits_go_on_when_the_later_tracer_is_gone(debugger: nonstop.Debugger, tracer: Tracer) -> None:
    watched = debugger.counter(price)
    sys.settrace(tracer.trace)
    price(1)
    sys.settrace(None)
    assert watched.armed.missed == []
    price(1)
    assert watched.hits == 1


def test_hits_go_on_without_anybody_asking(debugger: nonstop.Debugger, tracer: Tracer) -> None:
    watched = debugger.counter(price)
    sys.settrace(tracer.trace)
    sys.settrace(None)
    gc.collect()
    price(1)
    assert watched.hits == 1


def test_tracer_around_ours_leaves_hits_as_they_are(debugger: nonstop.Debugger) -> None:
    """A tool may call the tracer that it found in place."""
    watched = debugger.counter(price)
    calls: list[str] = []
    inner: Any = sys.gettrace()

    def around(frame: FrameType, event: str, arg: Any) -> Any:
        calls.append(frame.f_code.co_name)
        return inner(frame, event, arg)

    sys.settrace(around)
    price(1)
    sys.settrace(inner)
    price(1)
    assert calls == ["price"]
    assert watched.hits == 2
    assert watched.armed.missed == []


def test_tracer_for_threads_to_come_is_kept_and_those_threads_are_named(
    debugger: nonstop.Debugger, tracer: Tracer
) -> None:
    watched = debugger.counter(price)
    begun, halt = threading.Event(), threading.Event()

    def work() -> None:
        price(1)
        begun.set()
        halt.wait(5)

    threading.settrace(tracer.trace)
    thread = threading.Thread(target=work, name="worker")
    thread.start()
    assert begun.wait(5)
    try:
        (sentence,) = watched.armed.missed
    finally:
        halt.set()
        thread.join()
    assert sentence.startswith("thread worker")
    assert tracer.lines == [0, 1]
    assert watched.hits == 0
    price(1)
    assert watched.hits == 1


def test_end_of_the_debugger_leaves_later_tracers_in_place(tracer: Tracer) -> None:
    with nonstop.Debugger(backend="settrace") as debugger:
        debugger.counter(price)
        sys.settrace(tracer.trace)
        threading.settrace(tracer.trace)
    assert sys.gettrace() == tracer.trace
    assert threading._trace_hook == tracer.trace  # type: ignore[attr-defined]
    sys.settrace(None)


# pdb and bdb


def in_thread(call: Any) -> None:
    """Run `call` in a thread: pdb leaves its tracer on the bottom frame, which goes with the thread."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, name="worker")
    thread.start()
    thread.join()
    for error in raised:
        raise error


def test_pdb_in_the_program_works_and_hits_go_on_after_it(debugger: nonstop.Debugger) -> None:
    watched = debugger.counter(price)
    shown = io.StringIO()

    def program() -> None:
        amount = 20
        pdb.Pdb(stdin=io.StringIO("p amount + 1\nnext\np amount + 2\ncontinue\n"), stdout=shown).set_trace()
        amount += 10
        assert watched.armed.missed == []
        price(amount)
        assert watched.hits == 2

    price(1)
    in_thread(program)
    assert "21" in shown.getvalue()


def test_pdb_that_goes_on_is_named(debugger: nonstop.Debugger) -> None:
    watched = debugger.counter(price)

    def program() -> None:
        there = pdb.Pdb(stdin=io.StringIO(f"break {__file__}:{LINE + 1}\ncontinue\n"), stdout=io.StringIO())
        there.set_trace()
        (sentence,) = watched.armed.missed
        assert sentence == "thread worker: sys.settrace was replaced by pdb.Pdb.trace_dispatch"
        sys.settrace(None)
        there.clear_all_breaks()

    in_thread(program)
    assert watched.armed.missed == []


def test_debugger_starts_in_a_thread_where_pdb_was_and_has_gone() -> None:
    """It leaves its tracer on the frame at the bottom, which nothing calls any more."""

    def program() -> None:
        pdb.Pdb(stdin=io.StringIO("continue\n"), stdout=io.StringIO()).set_trace()
        assert sys.gettrace() is None
        with nonstop.Debugger(backend="settrace") as debugger:
            watched = debugger.counter(price)
            price(1)
            assert watched.hits == 1

    in_thread(program)


def test_program_run_by_bdb_is_refused_by_its_name() -> None:
    refused: list[str] = []

    def program() -> None:
        with nonstop.Debugger(backend="settrace") as debugger:
            try:
                debugger.counter(price)
            except BackendError as error:
                refused.append(str(error))

    bdb.Bdb().runcall(program)
    assert len(refused) == 1
    assert "bdb.Bdb.trace_dispatch" in refused[0]


# What else looks at frames


def test_stacks_can_be_written_at_a_hit(debugger: nonstop.Debugger, tmp_path: Path) -> None:
    path = tmp_path / "stacks"
    with path.open("w") as file:

        def write() -> bool:
            faulthandler.dump_traceback(file, all_threads=True)
            return True

        watched = debugger.counter(price, condition="WRITE()")
        globals()["WRITE"] = write
        try:
            price(1)
        finally:
            del globals()["WRITE"]
    assert watched.hits == 1
    assert "in price" in path.read_text()
