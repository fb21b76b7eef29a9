"""Debuggers: what they observe, from when to when, and where snapshots go."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import nonstop
import nonstop.sinks
import pytest
from nonstop.default import default_debugger


def price(amount: int, count: int = 1) -> int:
    total = amount * count
    return total


BODY = price.__code__.co_firstlineno + 1


@pytest.fixture
def debugger() -> Any:
    with nonstop.Debugger() as made:
        yield made
    assert sys.gettrace() is None


def here(line: int) -> str:
    return f"{__file__}:{line}"


# Locations


def test_line_of_a_file_is_hit(debugger: Any) -> None:
    watched = debugger.counter(here(BODY))
    price(1)
    assert (watched.hits, watched.state, watched.resolved_line) == (1, "bound", BODY)


def test_function_of_a_file_is_hit_at_the_first_line_of_its_body(debugger: Any) -> None:
    watched = debugger.counter(f"{__file__}:price")
    price(1)
    assert (watched.hits, watched.resolved_line) == (1, BODY)


def test_function_object_is_hit_at_the_first_line_of_its_body(debugger: Any) -> None:
    watched = debugger.counter(price)
    price(1)
    assert (watched.hits, watched.resolved_line) == (1, BODY)


def test_path_suffix_is_enough(debugger: Any) -> None:
    watched = debugger.counter(f"{Path(__file__).parent.name}/{Path(__file__).name}:{BODY}")
    price(1)
    assert watched.hits == 1


def test_module_is_hit(debugger: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loaded_module.py").write_text("def twice(x):\n    return 2 * x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import loaded_module  # type: ignore[import-not-found]

    watched = debugger.counter("loaded_module:2")
    assert loaded_module.twice(2) == 4
    assert (watched.hits, watched.state) == (1, "bound")
    del sys.modules["loaded_module"]


def test_method_property_and_decorated_function_are_locations(debugger: Any) -> None:
    import functools

    def plain(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*args: Any) -> Any:
            return function(*args)

        return wrapper

    class Cart:
        def method(self) -> int:
            return 1

        @property
        def size(self) -> int:
            return 2

        @staticmethod
        def static() -> int:
            return 3

        @plain
        def decorated(self) -> int:
            return 4

    cart = Cart()
    watched = [
        debugger.counter(location)
        for location in (cart.method, Cart.__dict__["size"], Cart.__dict__["static"], Cart.decorated)
    ]
    assert (cart.method(), cart.size, cart.static(), cart.decorated()) == (1, 2, 3, 4)
    assert [one.hits for one in watched] == [1, 1, 1, 1]


def test_module_that_is_not_loaded_is_pending_until_it_is(
    debugger: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "late_module.py").write_text("x = 1\ny = 2\n")
    watched = debugger.counter("late_module:2")
    assert watched.state == "pending"
    monkeypatch.syspath_prepend(str(tmp_path))
    import late_module  # type: ignore[import-not-found]

    assert late_module.y == 2
    assert (watched.state, watched.hits) == ("bound", 1)
    del sys.modules["late_module"]


def test_blank_line_moves_to_the_next_statement(debugger: Any, tmp_path: Path) -> None:
    file = tmp_path / "gaps.py"
    file.write_text("a = 1\n\n# comment\nb = 2\n")
    assert debugger.counter(f"{file}:2").resolved_line == 4


def test_code_from_text_is_hit_at_its_own_lines(debugger: Any) -> None:
    watched = debugger.counter("<made>:2")
    exec(compile("a = 1\nb = 2\n", "<made>", "exec"), {})
    assert watched.hits == 1


def test_path_map_translates_the_names_of_the_program(tmp_path: Path) -> None:
    file = tmp_path / "mapped.py"
    file.write_text("a = 1\nb = 2\n")
    with nonstop.Debugger(path_maps=[("/container/app", str(tmp_path))]) as debugger:
        watched = debugger.counter(f"{file}:2")
        exec(compile(file.read_text(), "/container/app/mapped.py", "exec"), {})
        assert watched.hits == 1


# Conditions and rules


def test_condition_decides_and_false_arrivals_are_counted(debugger: Any) -> None:
    watched = debugger.counter(price, condition="amount > 10")
    for amount in (5, 20, 30):
        price(amount)
    assert (watched.arrivals, watched.false, watched.hits) == (3, 1, 2)


def test_condition_that_raises_is_counted_and_reported_once(debugger: Any, caplog: pytest.LogCaptureFixture) -> None:
    watched = debugger.counter(price, condition="amount.missing")
    with caplog.at_level(logging.WARNING, "nonstop"):
        assert [price(1), price(2)] == [1, 2]
    assert (watched.errors, watched.hits) == (2, 0)
    assert len(caplog.records) == 1
    assert "amount.missing" in caplog.text
    assert "AttributeError" in caplog.text


def test_max_hits_exhausts_and_ends_local_tracing(debugger: Any) -> None:
    watched = debugger.counter(price, max_hits=2)
    for _ in range(5):
        price(1)
    assert (watched.state, watched.hits) == ("exhausted", 2)

    def traced() -> bool:
        return sys._getframe().f_trace is not None

    assert not traced()


def test_hit_condition_passes_other_hits(debugger: Any) -> None:
    watched = debugger.counter(price, hit_condition="% 2")
    for _ in range(5):
        price(1)
    assert (watched.hits, watched.captured, watched.passed) == (5, 2, 3)


def test_rate_limits(debugger: Any) -> None:
    watched = debugger.counter(price, rate=(0.001, 2))
    for _ in range(5):
        price(1)
    assert (watched.captured, watched.limited) == (2, 3)


def test_expiry_ends(debugger: Any) -> None:
    watched = debugger.counter(price, expires=2)  # long enough for the call below, on a machine that is busy
    price(1)
    time.sleep(2.1)
    price(1)
    assert (watched.hits, watched.state) == (1, "expired")


def test_batch_arms_at_its_end_what_runs_already(debugger: Any) -> None:
    price(1)
    with debugger.batch():
        first = debugger.counter(price)
        with debugger.batch():
            second = debugger.counter(price)
        first.disable()
    price(1)
    assert (first.hits, second.hits) == (0, 1)
    with debugger.batch():
        first.enable()
    price(1)
    assert (first.hits, second.hits) == (1, 2)


def test_batch_keeps_what_was_set_before_an_error(debugger: Any) -> None:
    with pytest.raises(nonstop.LocationError), debugger.batch():
        watched = debugger.counter(price)
        debugger.counter("nowhere.py:1")
    price(1)
    assert watched.hits == 1


def test_batch_is_published_once_at_its_end(debugger: Any) -> None:
    debugger.counter(price)
    epoch = debugger._engine.epoch_word
    before = epoch[0]
    with debugger.batch():
        watched = [debugger.counter(here(line)) for line in (BODY, BODY + 1) * 5]
        assert epoch[0] == before
    assert epoch[0] == before + 1
    price(1)
    assert [one.hits for one in watched] == [1] * 10


def test_batch_gives_ids_and_reports_when_they_are_asked_for(debugger: Any) -> None:
    with debugger.batch():
        first = debugger.counter(here(BODY))
        rated = debugger.counter(here(BODY), rate=10)
        second = debugger.counter(here(BODY + 1))
        assert 0 < first.id < rated.id < second.id
        assert (second.resolved_line, repr(first)[:20]) == (BODY + 1, f"<nonstop.Breakpoint {first.id}"[:20])
        third = debugger.counter(here(BODY + 1))
        third.remove()
        assert debugger.breakpoints == [first, rated, second]
    assert third.removed


@pytest.mark.parametrize(
    ("line", "rules", "error"),
    [
        (BODY, {"hit_condition": "often"}, nonstop.ConditionError),
        (BODY, {"limits": nonstop.Limits(depth=-1)}, OverflowError),
        (10**6, {}, nonstop.LocationError),
    ],
)
def test_batch_refuses_at_once_what_would_be_refused_alone(
    debugger: Any, line: int, rules: dict[str, Any], error: type[Exception]
) -> None:
    with debugger.batch():
        watched = debugger.counter(here(BODY))
        with pytest.raises(error):
            debugger.breakpoint(here(line), **rules)
    price(1)
    assert (watched.hits, debugger.breakpoints) == (1, [watched])


def test_batch_that_the_engine_refuses_leaves_the_debugger_as_it_was(
    debugger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(specs: object) -> list[int]:
        raise nonstop.StateError("full", code="limit_reached")

    with pytest.raises(nonstop.StateError), debugger.batch():
        debugger.counter(here(BODY))
        monkeypatch.setattr(debugger._engine, "add", refuse)
    monkeypatch.undo()
    watched = debugger.counter(here(BODY))
    price(1)
    assert (watched.hits, debugger.breakpoints) == (1, [watched])


def test_code_in_code_that_ran_before_is_armed_although_the_latter_carries_nothing(
    debugger: Any, tmp_path: Path
) -> None:
    path = tmp_path / "made.py"
    path.write_text("def outer():\n    def inner():\n        return 1\n    return inner\n")
    os.utime(path, (0, 0))
    space: dict[str, Any] = {}
    exec(compile(path.read_text(), str(path), "exec"), space)
    inner = space["outer"]()
    watched = debugger.counter(f"{path}:3")
    other = debugger.counter(f"{path}:4")
    inner()
    space["outer"]()()
    assert (watched.hits, other.hits) == (2, 1)


def test_code_that_an_older_text_made_is_armed_by_its_lines(debugger: Any, tmp_path: Path) -> None:
    path = tmp_path / "made.py"
    path.write_text("def first():\n    return 1\n\ndef second():\n    return 2\n")
    space: dict[str, Any] = {}
    exec(compile(path.read_text(), str(path), "exec"), space)
    path.write_text("# moved\n\n\n" + path.read_text())
    os.utime(path, (0, 0))
    watched = debugger.counter(f"{path}:5")
    space["first"]()
    space["second"]()
    assert watched.hits == 1


def test_counters_add_up(debugger: Any) -> None:
    watched = debugger.counter(price, condition="10 // amount", hit_condition=">= 2", max_hits=3)
    for amount in (0, 1, 2, 20, 3, 4, 5, 6):
        price(amount)
    report = watched.report()
    assert report.arrivals == report.skipped + report.false + report.errors + report.hits
    assert report.hits == report.passed + report.limited + report.captured + report.dropped


# Snapshots and sinks


def test_snapshot_has_locals_captures_and_thread(debugger: Any) -> None:
    watched = debugger.breakpoint(here(BODY + 1), capture=["total + 1"])
    price(20, count=2)
    (snapshot,) = watched.snapshots(timeout=0.5)
    document = json.loads(snapshot.json)
    assert document["breakpoint"] == watched.id
    assert document["location"]["line"] == BODY + 1
    assert document["frames"][0]["function"] == "price"
    assert document["frames"][0]["locals"]["total"]["value"] == 40
    assert document["captures"]["total + 1"]["value"] == 41
    assert document["thread"]["id"] == threading.get_ident()
    assert document["frames"][0]["file"] == __file__


def test_logpoint_makes_messages(debugger: Any) -> None:
    watched = debugger.logpoint(here(BODY + 1), "total={total} of {amount!r} {{x}}")
    price(20, count=2)
    assert [snapshot.message for snapshot in watched.snapshots(timeout=0.5)] == ["total=40 of 20 {x}"]


def test_breakpoint_sink_gets_its_snapshots_and_others_do_not() -> None:
    own: list[Any] = []
    common: list[Any] = []
    with nonstop.Debugger(sinks=[common.append]) as debugger:
        debugger.breakpoint(here(BODY), sink=own.append)
        debugger.breakpoint(here(BODY + 1))
        price(1)
    assert [snapshot.json.count(f'"line":{BODY},') > 0 for snapshot in own] == [True]
    assert len(common) == 1


class KeptOpen(nonstop.sinks.Sink):
    closed = 0

    def emit(self, snapshot: Any) -> None:
        assert not self.closed

    def close(self) -> None:
        self.closed += 1


def test_sink_that_the_user_made_stays_open_until_the_debugger_closes() -> None:
    sink = KeptOpen()
    with nonstop.Debugger() as debugger:
        for _ in range(2):
            with debugger.breakpoint(price, sink=sink):
                price(1)
    assert sink.closed == 1


def test_file_of_a_removed_breakpoint_is_closed_after_its_last_snapshot(
    debugger: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[Any] = []
    close = nonstop.sinks.JsonLinesSink.close
    monkeypatch.setattr(nonstop.sinks.JsonLinesSink, "close", lambda sink: (closed.append(sink), close(sink)))
    watched = debugger.breakpoint(price, sink=tmp_path / "hits.jsonl")
    for number in range(50):
        price(number)
    watched.remove()
    deadline = time.monotonic() + 5
    while not closed and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(closed) == 1
    assert len((tmp_path / "hits.jsonl").read_text().splitlines()) == 50


def test_wrong_location_leaves_no_file(debugger: Any, tmp_path: Path) -> None:
    with pytest.raises(nonstop.LocationError):
        debugger.breakpoint("missing.py:3", sink=tmp_path / "hits.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_sink_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    got: list[Any] = []

    def failing(snapshot: Any) -> None:
        raise OSError("sink is broken")

    with nonstop.Debugger(sinks=[failing, got.append]) as debugger:
        watched = debugger.breakpoint(price)
        price(1)
        price(2)
    assert len(got) == 2
    assert watched.captured == 2
    assert caplog.text.count("sink is broken") == 1


def test_snapshots_end_when_the_breakpoint_is_exhausted(debugger: Any) -> None:
    watched = debugger.breakpoint(price, max_hits=2)
    for _ in range(3):
        price(1)
    assert len(list(watched.snapshots())) == 2


def test_snapshots_end_when_the_breakpoint_is_removed(debugger: Any) -> None:
    watched = debugger.breakpoint(price)
    price(1)
    watched.remove()
    assert len(list(watched.snapshots())) == 1


def test_snapshots_end_when_the_debugger_closes() -> None:
    with nonstop.Debugger() as debugger:
        watched = debugger.breakpoint(price)
        price(1)
    assert len(list(watched.snapshots())) == 1


def test_waiting_for_snapshots_is_over_when_another_thread_removes(debugger: Any) -> None:
    watched = debugger.breakpoint(price)
    timer = threading.Timer(0.05, watched.remove)
    timer.start()
    assert list(watched.snapshots(timeout=5)) == []
    timer.join()


def test_unread_snapshots_are_let_go_and_counted(debugger: Any) -> None:
    watched = debugger.breakpoint(price)
    assert list(watched.snapshots(timeout=0)) == []
    for number in range(1100):
        price(number)
        if number % 100 == 0:
            time.sleep(0.02)  # the queue of the engine holds 1000 as well
    deadline = time.monotonic() + 5
    while watched.undelivered < watched.captured - 1000 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert watched.undelivered == watched.captured - 1000
    assert watched.captured + watched.dropped == 1100


def test_queue_that_nobody_reads_drops_and_counts(debugger: Any) -> None:
    watched = debugger.breakpoint(price)
    for number in range(1100):
        price(number)
    assert watched.captured + watched.dropped == 1100
    assert watched.dropped >= 100


def test_no_thread_is_started_before_a_snapshot_is_wanted(tmp_path: Path) -> None:
    # In a process of its own: others in this one may just be ending.
    done = run_script(
        tmp_path,
        """
        import nonstop, sys, threading, time
        def price(amount):
            return amount
        debugger = nonstop.Debugger()
        watched = debugger.breakpoint("script.py:4")
        time.sleep(0.5)
        while len(sys._current_frames()) > 1:  # one that looks for functions comes and goes
            time.sleep(0.01)
        price(1)
        print(len(sys._current_frames()))
        next(watched.snapshots(timeout=5))
        print(len(sys._current_frames()), threading.active_count())
        """,
    )
    assert done.stdout.split() == ["1", "2", "1"]


# Life


def test_debugger_is_started_by_its_first_breakpoint_and_ended_by_close() -> None:
    debugger = nonstop.Debugger()
    assert not debugger.running
    debugger.counter(price)
    assert debugger.running
    debugger.close()
    assert not debugger.running
    assert sys.gettrace() is None
    debugger.close()


def test_stopped_debugger_observes_nothing_until_it_is_started() -> None:
    with nonstop.Debugger() as debugger:
        watched = debugger.counter(price)
        debugger.stop()
        price(1)
        assert watched.hits == 0
        assert watched.armed.missed == ["the debugger is stopped: call start()"]
        debugger.start()
        price(1)
        assert watched.hits == 1


def test_closed_debugger_refuses() -> None:
    debugger = nonstop.Debugger()
    debugger.close()
    with pytest.raises(nonstop.StateError, match="closed") as caught:
        debugger.counter(price)
    assert caught.value.code == "closed"


def test_default_debugger_stops_with_the_last_breakpoint() -> None:
    first = nonstop.counter(price)
    second = nonstop.counter(price)
    first.remove()
    assert default_debugger().running
    second.remove()
    assert not default_debugger().running
    with nonstop.counter(price) as third:
        price(1)
        assert third.hits == 1
    assert not default_debugger().running


def test_default_debugger_stops_when_the_last_breakpoint_ends_by_itself() -> None:
    watched = nonstop.counter(price, max_hits=1)
    price(1)
    assert not default_debugger().running
    assert watched.hits == 1
    watched.remove()


def test_second_debugger_is_refused_and_keeps_nothing(debugger: Any) -> None:
    debugger.counter(price)
    second = nonstop.Debugger()
    with pytest.raises(nonstop.BackendError, match="another nonstop.Debugger") as caught:
        second.counter(price)
    assert caught.value.code == "tracer_in_use"
    assert second.breakpoints == []
    second.close()


def test_two_debuggers_take_turns() -> None:
    with nonstop.Debugger() as first:
        first.counter(price)
    with nonstop.Debugger() as second:
        watched = second.counter(price)
        price(1)
        assert watched.hits == 1


def run_script(folder: Path, text: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
    script = folder / "script.py"
    script.write_text(textwrap.dedent(text))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False)
    if check:
        assert done.returncode == 0, done.stderr
    return done


def test_snapshots_still_queued_are_delivered_at_exit(tmp_path: Path) -> None:
    done = run_script(
        tmp_path,
        """
        import nonstop, time
        def price(amount):
            return amount
        def slow(snapshot):
            time.sleep(0.01)
            print(snapshot.hit, flush=True)
        nonstop.breakpoint("script.py:4", sink=slow)
        for number in range(10):
            price(number)
        """,
    )
    assert done.stdout.split() == [str(number) for number in range(1, 11)]
    assert done.stderr == ""


def test_exit_with_running_threads_is_quiet(tmp_path: Path) -> None:
    done = run_script(
        tmp_path,
        """
        import nonstop, threading, time
        def price(amount):
            return amount
        nonstop.breakpoint("script.py:4", sink=lambda snapshot: None)
        def work():
            while True:
                price(1)
        for _ in range(3):
            threading.Thread(target=work, daemon=True).start()
        time.sleep(0.2)
        """,
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_exit_with_threads_in_a_condition_is_quiet(tmp_path: Path) -> None:
    # Up to 3.13 CPython ends such a thread where it asks for the GIL, by unwinding its stack, and what of nonstop is on
    # it too. The interpreter takes its time to end, so that they do ask.
    done = run_script(
        tmp_path,
        """
        import nonstop, sys, threading, time
        begun = threading.Semaphore(0)
        def slow():
            begun.release()
            time.sleep(0.5)
        def price(amount):
            return amount
        nonstop.breakpoint("script.py:8", condition="slow()", sink=lambda snapshot: None)
        for _ in range(3):
            threading.Thread(target=price, args=(1,), daemon=True).start()
        for _ in range(3):
            begun.acquire(timeout=10)
        class Late:
            def __del__(self, sleep=time.sleep):
                sleep(0.8)
        sys.late = Late()
        """,
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_exit_status_and_traceback_are_the_programs_own(tmp_path: Path) -> None:
    done = run_script(
        tmp_path,
        """
        import nonstop
        def price(amount):
            raise ValueError(amount)
        nonstop.breakpoint("script.py:4", sink=lambda snapshot: None)
        price(7)
        """,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1] == "ValueError: 7"
    assert "nonstop" not in done.stderr.replace("import nonstop", "").replace("nonstop.breakpoint", "")
