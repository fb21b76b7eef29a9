"""The settrace backend by itself: which lines it reports, in which frames and threads, and what it leaves behind."""

from __future__ import annotations

import gc
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from fakes import FakeHits, FakePlanner, Rules
from nonstop.backends import settrace
from nonstop.backends.settrace import SettraceBackend
from nonstop.core import HIDDEN
from nonstop.errors import BackendError

PYPY = sys.implementation.name == "pypy"


class Session:
    def __init__(self) -> None:
        self.rules = Rules()
        self.hits = FakeHits()
        self.backend = SettraceBackend(FakePlanner(self.rules), self.hits)  # type: ignore[arg-type]

    def arm(self, function: Any, *offsets: int, flags: int = 0) -> None:
        self.rules.arm(function, *offsets, flags=flags)
        self.backend.refresh()

    def disarm(self, function: Any) -> None:
        self.rules.disarm(function)

    def lines(self) -> list[int]:
        return [line for _, line in self.hits.seen]


@pytest.fixture
def session() -> Iterator[Session]:
    made = Session()
    made.backend.start()
    try:
        yield made
    finally:
        made.backend.stop()
    assert made.hits.errors == []
    assert sys.gettrace() is None


def simple(value: int) -> int:
    first = value
    second = first + 1
    return second


def test_armed_line_is_hit_at_each_call(session: Session) -> None:
    session.arm(simple, 2)
    simple(1)
    simple(2)
    assert session.lines() == [2, 2]


def test_code_called_before_it_was_armed_is_hit(session: Session) -> None:
    simple(1)
    session.arm(simple, 1)
    simple(1)
    assert session.lines() == [1]


def test_unarmed_code_is_decided_once_and_not_traced_locally(session: Session) -> None:
    frames = []

    def unarmed() -> None:
        frames.append(sys._getframe().f_trace)

    for _ in range(3):
        unarmed()
    assert frames == [None, None, None]
    assert session.rules.asked.count("unarmed") == 1


def test_disarmed_code_is_not_traced_any_more(session: Session) -> None:
    session.arm(simple, 2)
    simple(1)
    session.disarm(simple)
    simple(1)
    simple(1)
    assert session.lines() == [2]
    assert settrace._known[id(simple.__code__)] is None


def looping(count: int) -> int:
    total = 0
    for number in range(count):
        total += number
        total += 1
    return total


def test_loop_header_is_hit_at_every_next(session: Session) -> None:
    session.arm(looping, 2)
    looping(2)
    assert session.lines() == [2, 2, 2]


def test_loop_body_is_hit_at_every_pass(session: Session) -> None:
    session.arm(looping, 3)
    looping(3)
    assert session.lines() == [3, 3, 3]


def test_one_line_loop_is_hit_once(session: Session) -> None:
    space: dict[str, Any] = {}
    exec("def once(count):\n    for _ in range(count): pass\n    return count", space)
    session.arm(space["once"], 1)
    space["once"](4)
    assert session.lines() == [1]


def test_one_line_while_is_hit_once_for_each_entry(session: Session) -> None:
    # Some interpreters begin its line anew at each pass, just where control also enters it.
    space: dict[str, Any] = {}
    exec("def draining(queue):\n    while queue: queue.pop()", space)
    session.arm(space["draining"], 1)
    space["draining"]([1, 2, 3])
    space["draining"]([])
    assert session.lines() == [1, 1]


def continued(value: int) -> int:
    result = max(
        value,
        simple(value),
        simple(value + 1),
    )
    return result


def test_unit_over_many_lines_is_hit_once(session: Session) -> None:
    session.arm(continued, 1)
    continued(1)
    assert len(session.lines()) == 1


class Resource:
    def __enter__(self) -> None: ...

    def __exit__(self, *exc_info: object) -> None: ...


def managing() -> int:
    value = 0
    with Resource():
        value = 1
    return value


def test_exit_of_with_is_no_entry(session: Session) -> None:
    session.arm(managing, 2)
    managing()
    managing()
    assert session.lines() == [2, 2]


def forever(queue: list[int]) -> None:
    while True:
        queue.pop()


def test_each_pass_of_while_true_enters_a_body_of_one_statement(session: Session) -> None:
    session.arm(forever, 2)
    with pytest.raises(IndexError):
        forever([1, 2])
    assert session.lines() == [2, 2, 2]


def test_entry_that_no_line_event_shows_is_hit_by_that_of_its_instruction(session: Session) -> None:
    traced = []

    def shown() -> int:
        traced.append(sys._getframe().f_trace_opcodes)
        return 1

    session.arm(shown, 2, flags=HIDDEN)
    shown()
    session.arm(shown, 2)
    shown()
    assert session.lines() == [2, 2]
    assert traced == [True, False]


def test_entry_of_a_running_frame_that_no_line_event_shows_is_hit(session: Session) -> None:
    def running() -> int:
        value = 1
        session.arm(running, 3, flags=HIDDEN)
        value += 1
        return value

    running()
    assert session.lines() == [3]


def recursive(depth: int) -> int:
    if depth == 0:
        return 0
    return 1 + recursive(depth - 1)


def test_return_of_a_callee_is_no_entry(session: Session) -> None:
    session.arm(recursive, 3)
    recursive(3)
    assert session.lines() == [3, 3, 3]


def test_exception_in_armed_code_passes(session: Session) -> None:
    def failing() -> None:
        value = 0
        value // value

    session.arm(failing, 2)
    with pytest.raises(ZeroDivisionError):
        failing()
    assert session.lines() == [2]


# Frames that are running or suspended when the breakpoint is set


def test_running_frame_of_the_same_thread_is_hit(session: Session) -> None:
    def running() -> int:
        value = 1
        session.arm(running, 3)
        value += 1
        return value

    running()
    assert session.lines() == [3]


def test_line_in_progress_is_no_entry(session: Session) -> None:
    def running() -> None:
        for _ in range(2):
            session.arm(running, 2)

    running()
    # The first pass armed the line while it ran; the second enters it.
    assert session.lines() == [2]


def test_running_loop_of_another_thread_is_hit(session: Session) -> None:
    halt = threading.Event()
    begun = threading.Event()

    def worker() -> None:
        begun.set()
        while not halt.is_set():
            time.sleep(0.001)

    thread = threading.Thread(target=worker)
    thread.start()
    try:
        assert begun.wait(5)
        session.arm(worker, 3)
        deadline = time.monotonic() + 5
        while len(session.lines()) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        halt.set()
        thread.join()
    assert session.lines()[:3] == [3, 3, 3]
    assert set(session.hits.threads) == {thread.ident}


def counting() -> Iterator[int]:
    yield 1
    yield 2
    last = 3
    yield last


def test_resumption_is_no_entry(session: Session) -> None:
    session.arm(counting, 1)
    assert list(counting()) == [1, 2, 3]
    assert session.lines() == [1]


def test_generator_is_followed_over_its_suspensions(session: Session) -> None:
    session.arm(counting, 3)
    assert list(counting()) == [1, 2, 3]
    assert session.lines() == [3]


def test_suspended_generator_is_hit_after_it_was_armed(session: Session) -> None:
    suspended = counting()
    next(suspended)
    session.arm(counting, 1, 2)
    next(suspended)
    assert session.lines() == [2]


def test_suspended_coroutine_is_hit_after_it_was_armed(session: Session) -> None:
    class Pause:
        def __await__(self) -> Iterator[None]:
            yield

    async def waiting() -> int:
        await Pause()
        return 1

    suspended = waiting()
    suspended.send(None)
    session.arm(waiting, 2)
    with pytest.raises(StopIteration):
        suspended.send(None)
    assert session.lines() == [2]


def test_disarmed_generator_is_hit_again_when_armed_again(session: Session) -> None:
    def passing() -> Iterator[int]:
        for number in range(4):
            yield number * 2

    session.arm(passing, 2)
    suspended = passing()
    next(suspended)
    session.disarm(passing)
    session.backend.refresh()
    next(suspended)
    session.arm(passing, 2)
    next(suspended)
    assert session.lines() == [2, 2]


# Threads


def test_thread_started_later_is_hit(session: Session) -> None:
    session.arm(simple, 1)
    thread = threading.Thread(target=simple, args=(1,))
    thread.start()
    thread.join()
    assert session.lines() == [1]


@pytest.fixture
def earlier_thread() -> Iterator[Any]:
    halt = threading.Event()
    jobs: list[Any] = []

    def worker() -> None:
        while not halt.is_set():
            if jobs:
                jobs.pop()()
            time.sleep(0.001)

    thread = threading.Thread(target=worker, name="earlier")
    thread.start()

    def run(job: Any) -> None:
        done = threading.Event()
        jobs.append(lambda: (job(), done.set()))
        assert done.wait(5)

    yield run
    halt.set()
    thread.join()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="other threads cannot be reached before 3.12")
def test_thread_started_earlier_is_hit(earlier_thread: Any, session: Session) -> None:
    session.arm(simple, 1)
    earlier_thread(lambda: simple(1))
    assert session.lines() == [1]
    assert session.backend.missed() == []


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="other threads are reached at once")
def test_thread_started_earlier_is_reported_and_reached_by_its_next_collection(
    earlier_thread: Any, session: Session
) -> None:
    if not PYPY:  # there a collection can come at any time
        assert any("thread earlier started before tracing" in sentence for sentence in session.backend.missed())
    session.arm(simple, 1)
    deadline = time.monotonic() + 5
    while session.backend.missed():  # on PyPy another thread may take what is left to do after a collection
        assert time.monotonic() < deadline
        earlier_thread(gc.collect)
    earlier_thread(lambda: simple(1))
    assert session.lines() == [1]


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="other threads are reached at once")
def test_running_frame_of_a_thread_started_earlier_is_hit_after_a_collection() -> None:
    halt = threading.Event()
    begun = threading.Event()

    def worker() -> None:
        begun.set()
        while not halt.is_set():
            gc.collect()
            time.sleep(0.001)

    thread = threading.Thread(target=worker)
    thread.start()
    session = Session()
    try:
        assert begun.wait(5)
        session.backend.start()
        session.arm(worker, 4)
        deadline = time.monotonic() + 5
        while len(session.lines()) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        session.backend.stop()
        halt.set()
        thread.join()
    assert session.lines()[:3] == [4, 4, 4]


def test_tracer_lost_at_the_recursion_limit_comes_back(session: Session) -> None:
    def endless() -> None:
        endless()

    session.arm(simple, 1)
    with pytest.raises(RecursionError):
        endless()
    if sys.version_info < (3, 12):  # from 3.12 on it is back when the exception is caught
        gc.collect()
    simple(1)
    assert session.lines() == [1]
    session.hits.errors.clear()


# Other tracers


def other_tracer(frame: Any, event: str, arg: Any) -> None: ...


def test_tracer_of_another_tool_is_refused_and_left_in_place() -> None:
    backend = Session().backend
    sys.settrace(other_tracer)
    try:
        with pytest.raises(BackendError, match=r"in use by .*other_tracer") as caught:
            backend.start()
        assert sys.gettrace() is other_tracer
    finally:
        sys.settrace(None)
    assert caught.value.code == "tracer_in_use"


def test_thread_tracer_of_another_tool_is_refused_and_left_in_place() -> None:
    backend = Session().backend
    threading.settrace(other_tracer)
    try:
        with pytest.raises(BackendError, match=r"threading.settrace is in use by .*other_tracer"):
            backend.start()
        assert threading._trace_hook is other_tracer  # type: ignore[attr-defined]
    finally:
        threading.settrace(None)  # type: ignore[arg-type]
    assert sys.gettrace() is None


def test_second_debugger_is_refused(session: Session) -> None:
    with pytest.raises(BackendError, match=r"another nonstop\.Debugger") as caught:
        Session().backend.start()
    assert caught.value.code == "tracer_in_use"


def test_replaced_tracer_is_reported_and_left_in_place() -> None:
    session = Session()
    session.backend.start()
    try:
        sys.settrace(other_tracer)
        assert any(
            "sys.settrace was replaced by" in text and "other_tracer" in text for text in session.backend.missed()
        )
        session.backend.stop()
        assert sys.gettrace() is other_tracer
    finally:
        sys.settrace(None)
        session.backend.stop()


def test_stop_ends_observing_in_other_threads(earlier_thread: Any) -> None:
    session = Session()
    session.backend.start()
    session.arm(simple, 1)
    earlier_thread(gc.collect)
    session.backend.stop()
    tracers: list[Any] = []
    earlier_thread(lambda: (simple(1), tracers.append(sys.gettrace())))
    assert session.lines() == []
    assert tracers == [None]


def test_next_session_sees_nothing_of_the_last_one() -> None:
    first, second = Session(), Session()
    suspended = counting()
    first.backend.start()
    first.arm(counting, 2)
    next(suspended)
    first.backend.stop()
    second.backend.start()
    second.arm(counting, 3)
    list(suspended)
    second.backend.stop()
    assert first.lines() == []
    assert second.lines() == [3]


# What it leaves


def test_code_compiled_in_a_loop_is_let_go(session: Session) -> None:
    codes = []
    for number in range(1000):
        space: dict[str, Any] = {}
        exec(compile(f"def made(): return {number}", "made", "exec"), space)
        space["made"]()
        if number < 50:
            codes.append(weakref.ref(space["made"].__code__))
    space.clear()
    gc.collect()
    gc.collect()
    assert [code for code in codes if code() is not None] == []
    assert len(settrace._known) < 600
    assert len(session.backend.decisions.codes._references) < 600


class Held:
    """Something in the namespace of a module."""


def test_namespace_of_unarmed_code_is_let_go(session: Session) -> None:
    # On PyPy a code object keeps the namespace that it ran in.
    space: dict[str, Any] = {"held": Held()}
    reference = weakref.ref(space["held"])
    exec(compile("def made(): return held", "made", "exec"), space)
    space["made"]()
    del space
    gc.collect()
    gc.collect()
    assert reference() is None


def test_armed_code_that_dies_is_let_go(session: Session) -> None:
    space: dict[str, Any] = {}
    exec(compile("def made():\n    return 1", "<made>", "exec"), space)
    session.rules.arm(space["made"], 1)
    space["made"]()
    assert session.lines() == [1]
    reference = weakref.ref(space["made"].__code__)
    space.clear()
    gc.collect()
    gc.collect()
    assert reference() is None
    assert len(session.rules.forgotten) > 0
    assert session.backend.decisions.codes.plans() == []


def test_frames_are_let_go(session: Session) -> None:
    class Local:
        pass

    def holding() -> Any:
        local = Local()
        return weakref.ref(local)

    session.arm(holding, 2)
    reference = holding()
    gc.collect()
    assert session.lines() == [2]
    assert reference() is None


def test_error_at_a_hit_does_not_reach_the_program(session: Session) -> None:
    def fail(frame: Any) -> None:
        raise ValueError("hook")

    session.arm(simple, 1)
    session.hits.then = fail
    assert simple(1) == 2
    assert [type(error) for error in session.hits.errors] == [ValueError]
    session.hits.errors.clear()
    assert sys.gettrace() is settrace.trace_call


def test_function_called_by_the_hook_is_not_hit(session: Session) -> None:
    session.arm(simple, 1)
    session.hits.then = lambda frame: simple(1)
    simple(1)
    assert session.lines() == [1]
