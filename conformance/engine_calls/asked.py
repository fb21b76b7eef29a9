"""What a line of an engine scenario asks for, in the terms of `nonstop.core`; and the engine and the names that it works on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from nonstop import core

from conformance.engine_calls.words import number, pick, wrong

if TYPE_CHECKING:
    from conformance.engine_calls.words import Words

EVENTS = {
    "call": core.CALL_EVENT,
    "line": core.LINE_EVENT,
    "return": core.RETURN_EVENT,
    "exception": core.EXCEPTION_EVENT,
}

_NUMBERS = {"max_hits": "max_hits", "thread_id": "thread_id"}
_DECIMALS = {"rate": "rate_per_second", "burst": "burst"}
_TEXTS = {"hit": "hit_condition", "thread_name": "thread_name"}
_FLAGS = {"condition": core.HAS_CONDITION, "disabled": core.DISABLED}
_ACTIONS = {"count": core.COUNT, "snapshot": core.SNAPSHOT}


class WatchedEngine(core.Engine):
    """Keeps the verdict of a hit: `core` gives only the items, since a backend needs no more."""

    verdict = 0

    def __init__(self, **options: int) -> None:
        super().__init__(**options)
        call = self._hit

        def hit(*arguments: Any) -> int:
            self.verdict = call(*arguments)
            return self.verdict

        self._hit = hit


class Names:
    """The names of one kind, and the numbers that they stand for."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._numbers

    def __getitem__(self, name: str) -> int:
        wrong(name in self._numbers, f"nothing has the name {name!r}")
        return self._numbers[name]

    def meet(self, name: str, found: int) -> None:
        """The first use of a name gives it, later ones must find the same."""
        wrong(name and found, f"{name!r} can't name {found}")
        others = [other for other, known in self._numbers.items() if known == found and other != name]
        wrong(not others, f"{found} has the name {others}, not {name}")
        known = self._numbers.setdefault(name, found)
        wrong(known == found, f"{name} is {known}, not {found}")

    def give(self, name: str, found: int) -> None:
        """A name that is new."""
        wrong(name not in self._numbers, f"{name} is given already")
        self.meet(name, found)


def spec_of(words: Words, user_data: int) -> core.Spec:
    """A breakpoint as a part of an `add` asks for it."""
    spec = core.Spec(core.COUNT, words.one("a location").encode(), user_data=user_data)
    for word in words.rest():
        name, equals, value = word.partition("=")
        if not equals and name in _ACTIONS:
            spec = spec._replace(action=_ACTIONS[name])
        elif not equals and name in _FLAGS:
            spec = spec._replace(flags=spec.flags | _FLAGS[name])
        elif name == "log":
            spec = spec._replace(action=core.LOG, template=value)
        elif name == "expires_ms":
            spec = spec._replace(expires_after_ns=number(value) * 1_000_000)
        elif name in _NUMBERS:
            spec = spec._replace(**{_NUMBERS[name]: number(value)})
        elif name in _DECIMALS:
            wrong(re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value), f"{word!r} is no number")
            spec = spec._replace(**{_DECIMALS[name]: float(value)})
        else:
            wrong(equals and name in _TEXTS, f"{word!r} says nothing of a breakpoint")
            spec = spec._replace(**{_TEXTS[name]: value})
    return spec


def events(text: str) -> int:
    """The mask of events with commas between them."""
    return sum({pick(EVENTS, name, "event") for name in text.split(",")})


def rule_of(word: str, words: Words) -> core.FilterRule:
    """A rule of the filter; `word` is the one before the rest."""
    wrong(word in ("include", "exclude"), f"a rule includes or excludes: {word!r}")
    mask = events(words.one("the events of a rule"))
    options = words.options("path", "module", "function", "thread", "depth")
    return core.FilterRule(
        word == "include",
        mask,
        options.get("path", "").encode(),
        options.get("module", ""),
        options.get("function", ""),
        number(options.get("thread", "0")),
        number(options.get("depth", "0"), 32),
    )
