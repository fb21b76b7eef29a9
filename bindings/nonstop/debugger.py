"""The debugger: breakpoints with what they do, over one engine and one backend."""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib
import itertools
import logging
import os
import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any

from nonstop import capture as capturing
from nonstop import core, rules
from nonstop.backends.choose import choose_backend
from nonstop.backends.own_threads import fork_is_seen, is_forking
from nonstop.breakpoint import Breakpoint, is_over
from nonstop.dispatcher import Dispatcher, Inbox
from nonstop.errors import ArgumentError, LocationError, StateError
from nonstop.hits import Action, Hits, describe
from nonstop.limits import Limits
from nonstop.locate import Located, find_place, locate
from nonstop.planner import Planner
from nonstop.sinks import make_sink
from nonstop.snapshots import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import FrameType

    from nonstop.backends.base import Backend
    from nonstop.core import Received
    from nonstop.locate import Place
    from nonstop.planner import CodeFacts
    from nonstop.sinks import Sink

_log = logging.getLogger("nonstop")

#: Limits that the engine surely takes.
_SURE_LIMITS = (None, Limits())
#: What expressions may be, and what compiles them: only what is used is imported.
_LANGUAGES = {"full": "nonstop.conditions", "safe": "nonstop.safe.conditions"}
#: How long the end of the process may wait for snapshots that are still queued.
_CLOSE_SECONDS = 5.0


class Debugger:
    """Breakpoints over one engine.

    It observes from its first breakpoint, or :meth:`start`, until :meth:`stop`; :meth:`close` ends it for good. Only
    one debugger can observe a process at a time. As a context manager it closes at the end.

    :param backend: how hits are observed (see :func:`nonstop.available_backends`); None takes the fastest.
    :param profile: ``"local"``: full Python conditions, no rate and no budget unless given.
    :param sinks: where snapshots go for which no sink was given with the breakpoint: callables, sinks, or paths (JSON
        Lines).
    :param path_maps: pairs (directory as the program knows it, directory as the user knows it).
    :param expressions: what conditions, captured expressions and the fields of log messages may be. ``"full"``: any
        Python expression, which may call the program and change it. ``"safe"``: the language of :mod:`nonstop.safe`,
        which only reads (docs/expressions.md).

    >>> import nonstop
    >>> def price(amount):
    ...     return amount * 2
    >>> with nonstop.Debugger() as debugger:
    ...     calls = debugger.counter(price, condition="amount > 10")
    ...     total = price(20) + price(1)
    ...     calls.hits, calls.false
    (1, 1)
    """

    def __init__(
        self,
        *,
        backend: str | None = None,
        profile: str = "local",
        sinks: Iterable[Any] = (),
        path_maps: Iterable[tuple[str, str]] = (),
        expressions: str = "full",
    ) -> None:
        if expressions not in _LANGUAGES:
            raise ArgumentError(f"expressions is {expressions!r}; it must be {' or '.join(map(repr, _LANGUAGES))}")
        if profile != "local":
            raise StateError(
                f"the profile {profile!r} is not supported by this version; use profile='local'", code="not_supported"
            )
        self._language = importlib.import_module(_LANGUAGES[expressions])
        self._backend_class = choose_backend(backend)
        self._engine = core.Engine()
        self._planner = Planner(self._engine, sees_instructions=self._backend_class.sees_instructions)
        self._hits = Hits(self._engine)
        self._backend: Backend = self._backend_class(self._planner, self._hits)
        self._dispatcher = Dispatcher(self._engine, self._deliver, self._delivery_ended)
        self._sinks = [make_sink(sink) for sink in sinks]
        #: Sinks that users made for single breakpoints: they may be used again, and are closed at the end.
        self._given_sinks: dict[int, Sink] = {}
        maps = [(os.fsencode(run_time), os.fsencode(local)) for run_time, local in path_maps]
        for run_time, local in maps:
            self._engine.add_path_map(run_time, local)
        self._find = functools.partial(find_place, may_be_elsewhere=bool(maps), has_units=self._planner.has_units)
        self._lock = threading.RLock()
        self._tokens = itertools.count(1)
        self._handles: dict[int, Breakpoint] = {}
        #: Removed ones that the user still holds: what was captured for them still arrives.
        self._removed: weakref.WeakValueDictionary[int, Breakpoint] = weakref.WeakValueDictionary()
        #: Removed ones whose sinks wait for snapshots that are still queued.
        self._leaving: dict[int, Breakpoint] = {}
        self._started = False
        self._stopped = False
        self._closed = False
        self._edit = Edit(self)
        #: The batch that is open, and the breakpoints whose code is looked for at its end.
        self._batch: Batch | None = None
        self._waiting: list[int] = []
        self._has_ended = False
        #: Whether observing ends with the last breakpoint that can fire; a new one starts it again.
        self.stops_when_idle = False
        self._live: dict[int, Breakpoint] = {}
        self._hits.plan_ended = self._stop_if_idle
        _debuggers.add(self)

    # Breakpoints

    def breakpoint(
        self,
        location: object,
        *,
        condition: str | None = None,
        capture: Sequence[str] | str = (),
        hit_condition: str | None = None,
        max_hits: int | None = None,
        rate: float | tuple[float, float] | None = None,
        expires: float | None = None,
        thread: str | int | threading.Thread | None = None,
        sink: Any = None,
        limits: Mapping[str, int] | Limits | None = None,
    ) -> Breakpoint:
        """Take a snapshot (frames, locals, named expressions) each time that the line is about to run. Nothing pauses.

        :param location: ``"shop.py:42"``, ``"shop.py:total"`` (the first statement of every function of that name;
            ``Class.method`` narrows), ``"package.module:42"``, or a function object.
        :param condition: a Python expression over the frame's variables; a hit is an arrival for which it is true.
        :param capture: expressions to evaluate and show at each hit.
        :param hit_condition: which hits count, by number: ``"== 3"``, ``">= 10"``, ``"% 5"``.
        :param max_hits: after so many the breakpoint is exhausted.
        :param rate: hits a second at most, or (hits a second, burst).
        :param expires: seconds until the breakpoint is over.
        :param thread: name, ident or object of the only thread in which it fires.
        :param sink: where its snapshots go: a callable that takes a snapshot, a sink of :mod:`nonstop.sinks`, or the
            path of a JSON Lines file. Without one they go to the debugger's sinks, and without those they wait for
            :meth:`Breakpoint.snapshots`.
        :param limits: how much is captured: :class:`nonstop.Limits`, or a mapping with some of its fields.

        Raises a :class:`~nonstop.errors.NonstopError` that names the value and what to do; nothing stays registered
        then.
        """
        names = [capture] if isinstance(capture, str) else list(capture)
        captures = [(name, self._language.compile_expression(name)) for name in names]
        bounds = rules.limits(limits)
        recorder = capturing.Recorder(bounds)
        record = functools.partial(recorder.snapshot, captures=captures)
        return self._add(
            core.SNAPSHOT,
            location,
            record,
            sink,
            condition,
            rules.Rules(hit_condition, max_hits, rate, expires, thread, bounds),
        )

    def logpoint(
        self,
        location: object,
        template: str,
        *,
        condition: str | None = None,
        hit_condition: str | None = None,
        max_hits: int | None = None,
        rate: float | tuple[float, float] | None = None,
        expires: float | None = None,
        thread: str | int | threading.Thread | None = None,
        sink: Any = None,
        limits: Mapping[str, int] | Limits | None = None,
    ) -> Breakpoint:
        """Make a message each time that the line is about to run: ``"total={total} of {user.name!r}"``.

        `template` is like an f-string: expressions in braces, with conversion and format; the other parameters are
        those of :meth:`breakpoint`. The message is the snapshot's ``message``.

        >>> import nonstop
        >>> def price(amount):
        ...     return amount * 2
        >>> with nonstop.logpoint(price, "amount is {amount}") as watched:
        ...     total = price(20)
        ...     print(next(watched.snapshots(timeout=5)).message)
        amount is 20
        """
        parts = core.template_parse(template)
        expressions = [self._language.compile_expression(part.text) for part in parts if part.is_expression]
        bounds = rules.limits(limits)
        recorder = capturing.Recorder(bounds)
        record = functools.partial(recorder.log, expressions=expressions)
        return self._add(
            core.LOG,
            location,
            record,
            sink,
            condition,
            rules.Rules(hit_condition, max_hits, rate, expires, thread, bounds),
            template,
        )

    def counter(
        self,
        location: object,
        *,
        by: str | None = None,
        condition: str | None = None,
        hit_condition: str | None = None,
        max_hits: int | None = None,
        rate: float | tuple[float, float] | None = None,
        expires: float | None = None,
        thread: str | int | threading.Thread | None = None,
    ) -> Breakpoint:
        """Count how often the line is about to run, and take nothing; parameters as in :meth:`breakpoint`."""
        if by is not None:
            raise StateError(
                f"counter(by={by!r}): counting by a key is not supported by this version; "
                "use a condition for each key, or a breakpoint that captures the expression",
                code="not_supported",
            )
        return self._add(
            core.COUNT,
            location,
            None,
            None,
            condition,
            rules.Rules(hit_condition, max_hits, rate, expires, thread, None),
        )

    @contextlib.contextmanager
    def batch(self) -> Iterator[None]:
        """Set many breakpoints at once: they are there at its end, together. The code that runs already is looked for
        once, and what they have in common is read once.

        >>> import nonstop
        >>> def price(amount):
        ...     return amount * 2
        >>> with nonstop.Debugger() as debugger:
        ...     with debugger.batch():
        ...         calls = [debugger.counter(price) for _ in range(3)]
        ...     total = price(20)
        ...     [one.hits for one in calls]
        [1, 1, 1]
        """
        with self._lock:
            batch = self._batch = self._batch or Batch(self._find, self._planner.usable_lines)
            batch.depth += 1
        try:
            yield
        finally:
            with self._lock:
                batch.depth -= 1
                if not batch.depth:
                    try:
                        self._publish()
                    finally:
                        self._batch = None
                        self._refresh([])
                        if self._has_ended:
                            self._ended()

    @property
    def breakpoints(self) -> list[Breakpoint]:
        """The breakpoints that were not removed, in the order in which they were set."""
        with self._lock:
            self._publish()
            return list(self._handles.values())

    # Life

    def start(self) -> None:
        """Observe from now on. Raises :class:`~nonstop.errors.BackendError` when another tool traces already."""
        with self._lock:
            self._check_open()
            self._backend.start()
            if not self._started:
                self._started = True
                _observing.add(self)
            self._stopped = False
            if self._handles:
                self._backend.refresh()

    def stop(self) -> None:
        """Observe nothing until :meth:`start`; breakpoints stay."""
        with self._lock:
            self._stopped = True
            self._pause()

    def close(self) -> None:
        """Stop, deliver what is queued, and close the sinks. Closing twice is fine."""
        with self._lock:
            if self._closed:
                return
            self._publish()
            self._pause()
            self._closed = True
        if not self._dispatcher.close(_CLOSE_SECONDS):
            _log.warning("nonstop closes although its sinks have not taken all snapshots within %s s", _CLOSE_SECONDS)
        for sink in (*self._sinks, *self._given_sinks.values()):
            _guarded(sink.close)
        for handle in (*self._handles.values(), *self._leaving.values()):
            _close_made_sink(handle)
        _debuggers.discard(self)

    @property
    def backend(self) -> str:
        """Name of the backend."""
        return self._backend.name

    @property
    def running(self) -> bool:
        """Whether it observes now."""
        return self._started

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    @property
    def spent_ns(self) -> int:
        """Time that the program spent inside nonstop at hits, in nanoseconds; without those that are only counted in
        compiled code (PyPy): there is no clock in that.
        """
        return self._hits.spent_ns + self._backend.spent_ns

    def missed(self) -> list[str]:
        """What cannot be observed now, and why: one sentence for each thread."""
        return self._backend.missed()

    def __enter__(self) -> Debugger:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    # Behind the handles

    def _add(
        self,
        action: int,
        location: object,
        record: Callable[[FrameType], bytes] | None,
        sink: Any,
        condition: str | None,
        given: rules.Rules,
        template: str = "",
    ) -> Breakpoint:
        test = None if condition is None else self._language.compile_condition(condition)
        spec = given.spec(action, template)
        located = locate(location, self._find if self._batch is None else self._batch.find)
        # Last: it may make a file.
        its_sink = None if sink is None else make_sink(sink)
        with self._edit:
            token = next(self._tokens)
            spec = spec._replace(
                location=located.encoded, user_data=token, flags=core.HAS_CONDITION if test is not None else 0
            )
            fresh = not self._started
            if fresh and not self._stopped:
                self.start()
            # Before it is published: its first hit may come at once, in another thread.
            self._hits.add(token, Action(located.text, condition or "", test, record))
            if condition is not None:
                self._backend.take_condition(token, condition)
            handle = Breakpoint(self, located.text, given.max_hits, token, its_sink, its_sink is not sink)
            if self._batch is not None and self._batch.can_wait(spec, located):
                self._batch.waiting.append((spec, located, handle))
            else:
                try:
                    self._publish()
                    handle._id = self._set(spec, located)
                except BaseException:
                    self._forget_hits(token)
                    if fresh:
                        self._pause()
                    raise
                self._has_id(handle)
                self._refresh([handle.id])
            if its_sink is not None and not handle._made_sink:
                self._given_sinks[id(its_sink)] = its_sink
        if action != core.COUNT and (its_sink is not None or self._sinks):
            self._wake_dispatcher()
        return handle

    def _set(self, spec: core.Spec, located: Located) -> int:
        """Let the engine have a breakpoint, unless it has no place."""
        (number,) = self._engine.add([spec])
        try:
            self._place(located, number)
        except BaseException:
            self._engine.remove([number])
            raise
        return number

    def _publish(self) -> None:
        """Let the engine have the breakpoints of the open batch that wait for it, at once."""
        waiting = [] if self._batch is None else self._batch.take()
        if not waiting:
            return
        try:
            numbers = self._engine.add([spec for spec, _, _ in waiting])
        except BaseException:
            for _, _, handle in waiting:
                self._forget_hits(handle._token)
            raise
        for number, (_, _, handle) in zip(numbers, waiting):
            handle._id = number
            self._has_id(handle)
        # They are placed now, not when code of theirs first runs.
        self._planner.carry(list(dict.fromkeys(file for _, located, _ in waiting for file in located.files)), numbers)
        self._refresh(numbers)

    def _forget_hits(self, token: int) -> None:
        self._hits.remove(token)
        self._backend.forget_condition(token)

    def _end_waiting(self) -> None:
        with self._lock:
            self._publish()

    def _has_id(self, handle: Breakpoint) -> None:
        self._handles[handle.id] = self._live[handle.id] = handle

    def _refresh(self, numbers: list[int]) -> None:
        """Let the backend look for the code of breakpoints, at once or at the end of a batch."""
        self._waiting += numbers
        if self._batch is not None or not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        if self._started:
            self._backend.refresh(waiting)

    def _ended(self) -> None:
        """Let the backend disarm what nothing stands in any more, at once or at the end of a batch."""
        self._has_ended = True
        if self._batch is None:
            self._has_ended = False
            if self._started:
                self._backend.ended()

    def _place(self, located: Located, number: int) -> None:
        """Let the engine place a breakpoint in the files at hand, and refuse one that stands in none of them."""
        for path, module in located.files:
            self._planner.place(path, module)
        if not located.files:
            return
        report = self._engine.report(number)
        if report.state == "unverified" and not any(self._planner.runs_other_text(path) for path, _ in located.files):
            raise LocationError(self._engine.reason(number), code="no_code" if located.line else "no_such_function")

    def _report(self, handle: Breakpoint) -> tuple[core.Report, str]:
        with self._lock:
            if handle._final is not None:
                return handle._final
            return self._engine.report(handle.id), self._engine.reason(handle.id)

    def _reached(self, handle: Breakpoint) -> tuple[int, list[str]]:
        if not self._started:
            return 0, ["the debugger is stopped: call start()"]

        def carries(code: CodeFacts) -> bool:
            try:
                return self._engine.code_carries(code.key, handle.id)
            except StateError:  # a code object that another thread lets go
                return False

        return sum(1 for _ in self._backend.live_frames(carries)), self._backend.missed()

    def _set_enabled(self, handle: Breakpoint, enabled: bool) -> None:
        with self._edit:
            if handle._final is not None:
                raise StateError(
                    f"breakpoint {handle.id} at {handle.location} was removed; set it again", code="removed"
                )
            self._engine.set_enabled([handle.id], enabled)
            if enabled:
                self._live[handle.id] = handle
                self._refresh([handle.id])
            else:
                self._ended()

    def _remove(self, handle: Breakpoint) -> None:
        with self._lock:
            if handle._final is not None:
                return
            final = self._report(handle)
            self._engine.remove([handle.id])
            handle._final = final
            del self._handles[handle.id]
            self._live.pop(handle.id, None)
            self._removed[handle.id] = handle
            if handle._sink is not None:
                if handle._delivered < final[0].captured:
                    self._leaving[handle.id] = handle
                else:
                    _close_made_sink(handle)
            self._forget_hits(handle._token)
            self._stop_if_idle()
            self._ended()  # where it goes on
        if handle._inbox is not None:
            handle._inbox.wake()

    def _open_inbox(self, handle: Breakpoint) -> Inbox:
        with self._lock:
            if handle._inbox is None:
                handle._inbox = Inbox()
            inbox = handle._inbox
        self._wake_dispatcher()
        return inbox

    def _deliver(self, received: Received) -> None:
        """In the dispatcher's thread."""
        # Under the lock: a breakpoint may be hit before the call that adds it has made its handle.
        with self._lock:
            handle = self._handles.get(received.breakpoint) or self._removed.get(received.breakpoint)
        snapshot = Snapshot(received.json)
        sinks = self._sinks if handle is None or handle._sink is None else [handle._sink]
        for sink in sinks:
            try:
                sink.emit(snapshot)
            except Exception as error:
                self._dispatcher.failed(error)
        if handle is None:
            return
        if not sinks or handle._inbox is not None:
            if handle._inbox is None:
                handle._inbox = Inbox()
            handle._inbox.put(snapshot)
        handle._delivered += 1
        if handle._final is not None and handle._delivered >= handle._final[0].captured:
            self._leaving.pop(handle.id, None)
            _close_made_sink(handle)

    def _delivery_ended(self) -> None:
        """In the dispatcher's thread, after the last snapshot."""
        for handle in (*self._handles.values(), *self._removed.values()):
            if handle._inbox is not None:
                handle._inbox.wake()

    def _stop_if_idle(self) -> None:
        """Also called inside hits: it must not wait for a lock, and not come between the steps of an edit."""
        if not self.stops_when_idle or not self._started or not self._lock.acquire(blocking=False):
            return
        try:
            if self._edit.depth or (self._batch is not None and self._batch.waiting):
                return
            # The first that can still fire ends the search; those that cannot are not looked at again.
            for number in list(self._live):
                if not is_over(self._engine.report(number)):
                    return
                del self._live[number]
            self._pause()
        finally:
            self._lock.release()

    def _after_fork(self) -> None:
        """In the child, where only the thread that forked exists."""
        self._lock = threading.RLock()
        self._engine.after_fork()
        self._dispatcher.after_fork()
        for handle in (*self._handles.values(), *self._removed.values()):
            handle._delivered = self._engine.report(handle.id).captured if handle._final is None else 0
            if handle._inbox is not None:
                handle._inbox = Inbox()
        self._leaving.clear()
        if self._started:
            self._backend.after_fork()
        # The dispatcher's thread is started again when there is something for it.
        self._hits.captured = self._wake_dispatcher if self._wants_dispatcher() else None

    def _wants_dispatcher(self) -> bool:
        return bool(self._sinks) or any(
            handle._sink is not None or handle._inbox is not None for handle in self._handles.values()
        )

    def _wake_dispatcher(self) -> None:
        forking = is_forking()
        self._hits.captured = self._wake_dispatcher if forking else None
        if not forking:
            self._dispatcher.start()

    def _pause(self) -> None:
        if self._started:
            self._started = False
            self._backend.stop()
            _observing.discard(self)

    def _check_open(self) -> None:
        if self._closed:
            raise StateError("this debugger was closed; make a new nonstop.Debugger()", code="closed")


class Edit:
    """An edit of breakpoints: one at a time, and none of a debugger that was closed."""

    def __init__(self, debugger: Debugger) -> None:
        self._debugger = debugger
        #: How many are going on, one inside of the other.
        self.depth = 0

    def __enter__(self) -> None:
        self._debugger._lock.acquire()
        try:
            self._debugger._check_open()
        except BaseException:
            self._debugger._lock.release()
            raise
        self.depth += 1

    def __exit__(self, *exc_info: object) -> None:
        self.depth -= 1
        self._debugger._lock.release()


class Batch:
    """Breakpoints that are set at once: what they have in common is looked up once.

    Those that surely have a place wait until the end, or until somebody asks for them. The others are published one by
    one, so that the call which asks for one that has no place fails.
    """

    def __init__(self, find: Callable[[str], Place], usable_lines: Callable[[str, str], frozenset[int]]) -> None:
        self.find = functools.lru_cache(maxsize=None)(find)
        self._usable_lines = functools.lru_cache(maxsize=None)(usable_lines)
        #: How many are open, one inside of the other.
        self.depth = 0
        self.waiting: list[tuple[core.Spec, Located, Breakpoint]] = []

    def can_wait(self, spec: core.Spec, located: Located) -> bool:
        """Whether the engine surely takes a breakpoint."""
        # What it may refuse is left to it: hit conditions, rates, limits.
        if len(located.files) != 1 or spec.hit_condition or spec.rate_per_second or spec.limits not in _SURE_LIMITS:
            return False
        return located.line in self._usable_lines(*located.files[0])

    def take(self) -> list[tuple[core.Spec, Located, Breakpoint]]:
        """Those that wait: they do no more."""
        waiting, self.waiting = self.waiting, []
        return waiting


def _close_made_sink(handle: Breakpoint) -> None:
    """Close the sink of a breakpoint that is gone, unless the user made it."""
    if handle._sink is not None and handle._made_sink:
        _guarded(handle._sink.close)


def _guarded(call: Callable[[], object]) -> None:
    try:
        call()
    except Exception as error:
        _log.warning("a sink could not be closed: %s", describe(error))


# Debuggers that are used, to be told of a fork; and those that observe, which must live on although nobody holds them.
_debuggers: weakref.WeakSet[Debugger] = weakref.WeakSet()
_observing: set[Debugger] = set()


def _close_all() -> None:
    for debugger in list(_debuggers):
        debugger.close()


def _before_fork() -> None:
    for debugger in list(_debuggers):
        # The engine of the child does not know the sites of its parent.
        debugger._engine.gather()


def _after_fork_in_child() -> None:
    fork_is_seen(sys._getframe(1))
    for debugger in list(_debuggers):
        debugger._after_fork()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork_in_child)
