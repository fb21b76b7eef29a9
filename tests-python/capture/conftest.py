"""Records through the engine: what it makes of them is what users see, and it refuses what is no record stream."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any, Callable

import pytest
from nonstop import core
from nonstop.capture import Recorder
from nonstop.limits import Limits

_LINE = 3


class Encoder:
    """An engine with a breakpoint and a logpoint on a line of a file that does not exist."""

    def __init__(self) -> None:
        self._engine = core.Engine()
        self._sites: dict[int, int] = {}

    def encode(self, records: bytes, limits: Limits, template: str = "") -> Any:
        spec = core.Spec(core.LOG if template else core.SNAPSHOT, b"/nowhere.py:3", template=template, limits=limits)
        (number,) = self._engine.add([spec])
        try:
            self._engine.source_without_units(b"/nowhere.py")
            decision = self._engine.code_decide(1, b"/nowhere.py", "", "f", "f", 1, [_LINE])
            (arm,) = decision.arms
            (item,) = self._engine.hit(arm.site, 1)
            assert self._engine.capture_records(item.ticket, records) == core.CAPTURE
            (received,) = self._engine.receive(0) or ()
            return json.loads(received.json)
        finally:
            self._engine.remove([number])


_encoder = Encoder()


def _snapshot(frame: FrameType, captures: Any = (), **limits: int) -> Any:
    bounds = Limits(**limits)
    return _encoder.encode(Recorder(bounds).snapshot(frame, captures), bounds)


def _log(frame: FrameType, template: str, *expressions: Any, **limits: int) -> Any:
    bounds = Limits(**limits)
    return _encoder.encode(Recorder(bounds).log(frame, expressions=expressions), bounds, template)


def _show(value: object, **limits: int) -> Any:
    """The JSON of one value, as a local variable."""
    document = _snapshot(sys._getframe(), **{"frames": 1, **limits})
    return document["frames"][0]["locals"]["value"]


@pytest.fixture(name="snapshot")
def snapshot_factory() -> Callable[..., Any]:
    """The snapshot of a frame."""
    return _snapshot


@pytest.fixture(name="log")
def log_factory() -> Callable[..., Any]:
    """The log line at a frame: template and one function of the frame for each of its expressions."""
    return _log


@pytest.fixture(name="show")
def value_factory() -> Callable[..., Any]:
    return _show


class Trap(Exception):
    """The program's code ran."""


_SPECIAL = """
    repr str bytes format hash bool eq ne lt le gt ge len length_hint iter next reversed contains getitem setitem
    delitem missing getattr getattribute setattr delattr dir get set delete call enter exit int float complex index
    round trunc floor ceil abs neg pos invert add radd sub mul truediv floordiv mod pow and or xor iadd reduce
    reduce_ex getstate copy deepcopy sizeof await aiter anext fspath
""".split()
_SPECIAL_OF_CLASSES = "repr str hash eq ne getattribute instancecheck subclasscheck dir len iter contains bool".split()


class Hostile:
    """Makes classes of a hostile program: while they are armed, every method and property of theirs is a trap.

    A finaliser is the collector's to call: there is none.
    """

    def __init__(self) -> None:
        #: What was called.
        self.calls: list[str] = []
        self._kinds: list[Any] = []
        self._armed = False

    def kind(self, *bases: type, **body: Any) -> Any:
        """A class. What stands in its body stays as it is."""

        def of_class(name: str) -> Any:
            real = type.__dict__[name].__get__
            return property(lambda cls: self._spring(f"type.{name}") if self._armed else real(cls))

        names = ("__name__", "__mro__", "__dict__", "__module__")
        meta: Any = type("HostileMeta", (type,), {name: of_class(name) for name in names})
        lie = property(lambda value: self._spring("class") if self._armed else type(value))
        made = meta("Hostile", bases, {"__class__": lie, **body})
        self._kinds.append((made, meta, set(body)))
        return made

    @contextlib.contextmanager
    def armed(self) -> Iterator[None]:
        """Meanwhile the classes are hostile; nothing of theirs must be called."""
        for made, meta, body in self._kinds:
            for name in _SPECIAL:
                if f"__{name}__" not in body:
                    type.__setattr__(made, f"__{name}__", self._trap(name))
            type.__setattr__(made, "trap", self._trap("property"))
            for name in _SPECIAL_OF_CLASSES:
                type.__setattr__(meta, f"__{name}__", self._trap(f"type.{name}"))
        self._armed = True
        try:
            yield
        finally:
            self._armed = False
            for made, meta, body in self._kinds:
                for name in _SPECIAL_OF_CLASSES:
                    type.__delattr__(meta, f"__{name}__")
                for name in _SPECIAL:
                    if f"__{name}__" not in body:
                        type.__delattr__(made, f"__{name}__")
        assert self.calls == []

    def _trap(self, name: str) -> Any:
        def method(*args: Any, **options: Any) -> Any:
            self._spring(name)

        return property(method) if name == "property" else method

    def _spring(self, name: str) -> None:
        self.calls.append(name)
        raise Trap(name)


@pytest.fixture
def hostile() -> Hostile:
    """Makes the classes of a hostile program."""
    return Hostile()
