"""A planner and a hit handler that do what a test says: what the settrace backend does is then seen by itself.

Where control enters the units comes from the engine, as in earnest: entries made up by hand would be those of one
interpreter.
"""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from nonstop import core
from nonstop.code_objects import dialect
from nonstop.core import Decision, Engine, Entry, Spec
from nonstop.dialect import bytecode_of
from nonstop.planner import CodeFacts, Planner, path_bytes, source_rows

#: The engine's key of the one code object that it is asked about.
_KEY = 1


class Armed(NamedTuple):
    """Where control enters some lines of one code object, and the engine that knows it."""

    engine: Engine
    entries: list[Entry]


def armed(function: Any, *offsets: int) -> Armed:
    """What the engine arms for breakpoints at lines that are counted from the function's first one."""
    code = function.__code__
    path = path_bytes(code.co_filename)
    engine = Engine()
    engine.add([Spec(core.COUNT, path + b":%d" % (code.co_firstlineno + offset)) for offset in offsets])
    try:
        rows = source_rows(code.co_filename)
    except LookupError:
        engine.source_without_units(path)  # it was compiled without a file
    else:
        engine.register_source(path, "", rows)
    engine.code_decide(_KEY, path, "", code.co_name, "", code.co_firstlineno, bytecode=(dialect(), bytecode_of(code)))
    return Armed(engine, engine.code_entries(_KEY)[1])


class Rules:
    """What is armed, by function name, with an epoch as the engine has."""

    def __init__(self) -> None:
        self.epoch_word = [1]
        self.armed: dict[str, Armed] = {}
        self.asked: list[str] = []
        self.forgotten: list[int] = []

    def arm(self, function: Any, *offsets: int, flags: int = 0) -> None:
        found = armed(function, *offsets)
        entries = [entry._replace(flags=entry.flags | flags) for entry in found.entries]
        self.armed[function.__name__] = found._replace(entries=entries)
        self.epoch_word[0] += 1

    def disarm(self, function: Any) -> None:
        del self.armed[function.__name__]
        self.epoch_word[0] += 1


class FakePlanner(Planner):
    def __init__(self, rules: Rules) -> None:
        super().__init__(rules)  # type: ignore[arg-type]
        self.rules = rules

    def decide(self, facts: CodeFacts, code: Any = None, namespace: Any = None) -> Decision:
        self.rules.asked.append(facts.name)
        found = self.rules.armed.get(facts.name)
        entries = [] if found is None else found.entries
        # Never quiet: the tests count which code objects are asked about.
        return Decision(3 if entries else 0, self.rules.epoch_word[0], 0, False, False, [], len(entries), entries)

    def is_inside(self, facts: CodeFacts, site: int, offset: int) -> bool:
        return self.rules.armed[facts.name].engine.code_is_inside(_KEY, site, offset)

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
