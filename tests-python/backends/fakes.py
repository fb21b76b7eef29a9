"""A planner and a hit handler without the native library: what the settrace backend does is then seen by itself."""

from __future__ import annotations

import threading
from typing import Any

from nonstop.core import Arm, Decision
from nonstop.planner import CodeFacts, Planner


class Rules:
    """Armed lines by function name, as {name: [Arm, …]}, with an epoch as the engine has."""

    def __init__(self) -> None:
        self.epoch_word = [1]
        self.arms: dict[str, list[Arm]] = {}
        self.asked: list[str] = []
        self.forgotten: list[int] = []

    def set(self, name: str, *arms: Arm) -> None:
        self.arms[name] = list(arms)
        self.epoch_word[0] += 1


class FakePlanner(Planner):
    def __init__(self, rules: Rules) -> None:
        super().__init__(rules)  # type: ignore[arg-type]
        self.rules = rules

    def decide(self, facts: CodeFacts, code: Any = None, namespace: Any = None) -> Decision:
        self.rules.asked.append(facts.name)
        arms = self.rules.arms.get(facts.name, [])
        # Never quiet: the tests count which code objects are asked about.
        return Decision(3 if arms else 0, self.rules.epoch_word[0], 0, False, False, arms)

    def forget(self, facts: CodeFacts) -> None:
        self.rules.forgotten.append(facts.key)


class FakeHits:
    """Records (function, line) of each hit."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []
        self.threads: list[int] = []
        self.errors: list[BaseException] = []
        self.plan_ended = None
        self.then: Any = None

    def arrive(self, frame: Any, site: int, needs_thread_name: bool) -> None:
        self.seen.append((frame.f_code.co_name, frame.f_lineno - frame.f_code.co_firstlineno))
        self.threads.append(threading.get_ident())
        if self.then is not None:
            self.then(frame)

    def failed(self, error: BaseException) -> None:
        self.errors.append(error)


def arm(function: Any, *offsets: int, site: int = 1, flags: int = 0, inner: tuple[int, int] = (0, 0)) -> list[Arm]:
    """Arms for lines counted from the function's first line; all of them one unit."""
    first = function.__code__.co_firstlineno
    inner_first, inner_last = (first + line if line else 0 for line in inner)
    return [Arm(first + offset, site, flags, inner_first, inner_last) for offset in offsets]
