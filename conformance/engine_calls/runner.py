"""Runs the engine scenarios (conformance/engine) through `nonstop.core`: the C interface as cffi gives it."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Callable, Optional

from nonstop import core
from nonstop.errors import NonstopError

from conformance.engine_calls.asked import EVENTS, Names, WatchedEngine, events, rule_of, spec_of
from conformance.engine_calls.words import Words, number, numbers, pick, split, wrong

if TYPE_CHECKING:
    from nonstop.unit_table import SourceRows

_VERDICTS = ("ignore", "disable", "evaluate", "capture", "dropped")
_OUTCOMES = {"false": core.FALSE, "true": core.TRUE, "raised": core.ERROR}
_COUNTERS = {
    "skipped": "skipped",
    "false": "false_conditions",
    "errors": "errors",
    "passed": "passed",
    "limited": "limited",
    "captured": "captured",
    "dropped": "dropped",
}
_YES_OR_NO = {"no": 0, "yes": 1}
_HEAD = "h\x1f/app/shop.py\x1f3\x1ftotal\x1f1700000000000000000\x1f1\x1fMainThread\x1e"
_FRAME = "f\x1f/app/shop.py\x1f3\x1ftotal\x1f1\x1e"


def _same(wanted: object, found: object) -> None:
    wrong(wanted == found, f"found {found!r}, not {wanted!r}")


def _key(word: str) -> int:
    wrong(word.startswith("k"), f"{word!r} is no key")
    return number(word[1:])


class Runner:
    """One scenario at work."""

    def __init__(self, tables: dict[str, SourceRows]) -> None:
        self._tables = tables
        self._breakpoints, self._sites, self._tickets = Names(), Names(), Names()
        #: What was asked for, by id.
        self._specs: dict[int, core.Spec] = {}
        #: The action of each ticket.
        self._actions: dict[int, int] = {}
        self._fresh = True
        self._start({})

    def _start(self, options: dict[str, int]) -> None:
        self._engine = WatchedEngine(**options)
        self._epoch = self._engine.epoch_word[0]

    def run(self, line: str) -> None:
        """Do what the line says, and compare."""
        words = split(line)
        answer: Words | None = None
        if "->" in words:
            arrow = words.index("->")
            answer, words = Words(words[arrow + 1 :]), words[:arrow]
        call = Words(words)
        name = call.one("a call")
        wrong(name in _CALLS or name in _QUESTIONS, f"there is no call {name!r}")
        refusal: list[str] | None = None
        if answer is not None and answer.begins("error"):
            refusal = answer.rest()[1:]
            wrong(len(refusal) in (1, 2), "an error has a name, and perhaps a text")
            answer = None
        try:
            compare = _QUESTIONS[name](self, call) if name in _QUESTIONS else _CALLS[name](self, call)
        except NonstopError as error:
            call.finish()
            wrong(refusal is not None, f"refused as {error.code.upper()}: {error}")
            assert refusal is not None
            is_so = error.code.upper() == refusal[0] and "".join(refusal[1:]) in str(error)
            wrong(is_so, f"refused as {error.code.upper()}: {error}")
            return
        wrong(refusal is None, f"not refused as {refusal}")
        call.finish()
        wrong((compare is None) == (answer is None), "an answer is missing, or there is none to tell")
        if compare is not None and answer is not None:
            compare(answer)
            answer.finish()
        self._fresh = False

    # Calls

    def engine(self, call: Words) -> None:
        options = {name: number(value) for name, value in call.options("queue_items", "queue_bytes").items()}
        wrong(self._fresh, "another engine in the middle")
        self._start(options)

    def add(self, call: Words) -> None:
        names: list[str] = []
        specs: list[core.Spec] = []
        for part in call.parts():
            name = part.one("the name of a breakpoint")
            wrong(name not in names and name not in self._breakpoints, f"{name} is given already")
            names.append(name)
            specs.append(spec_of(part, len(self._specs) + len(names) + 100))
        wrong(names, "no breakpoint is named")
        for name, spec, found in zip(names, specs, self._engine.add(specs)):
            self._breakpoints.give(name, found)
            self._specs[found] = spec

    def remove(self, call: Words) -> None:
        self._engine.remove(self._named(call))

    def enable(self, call: Words) -> None:
        self._engine.set_enabled(self._named(call), True)

    def disable(self, call: Words) -> None:
        self._engine.set_enabled(self._named(call), False)

    def _named(self, call: Words) -> list[int]:
        wrong(call, "no breakpoint is named")
        return [self._breakpoints[name] for name in call.rest()]

    def set_state(self, call: Words) -> None:
        one, state, reason = self._breakpoints[call.one("a breakpoint")], call.one("a state"), call.one("a reason")
        wrong(state in core.STATES, f"there is no state {state!r}")
        call.finish()
        self._engine.set_state(one, state, reason)

    def source(self, call: Words) -> None:
        path, table = call.one("a path"), call.one("a table")
        wrong(table in self._tables, f"there is no table {table!r}")
        module = call.options("module").get("module", "")
        self._engine.register_source(path.encode(), module, self._tables[table])

    def no_source(self, call: Words) -> None:
        self._engine.source_without_units(call.one("a path").encode())

    def path_map(self, call: Words) -> None:
        self._engine.add_path_map(call.one("from").encode(), call.one("to").encode())

    def filter(self, call: Words) -> None:
        rules: list[core.FilterRule] = []
        directories: list[bytes] = []
        for part in call.parts():
            word = part.one("a rule")
            name, _, directory = word.partition("=")
            if name == "just_my_code":
                directories.append(directory.encode())
                part.finish()
            else:
                rules.append(rule_of(word, part))
        self._engine.set_filter(rules, directories)

    def forget(self, call: Words) -> None:
        self._engine.code_forget(_key(call.one("a key")))

    def total(self, call: Words) -> None:
        self._engine.hit_total(self._sites[call.one("a site")], number(call.one("how many")))

    def abandon(self, call: Words) -> None:
        self._engine.abandon(self._tickets[call.one("a ticket")])

    def close(self, call: Words) -> None:
        self._engine.close_channel()

    def wait(self, call: Words) -> None:
        time.sleep(number(call.one("milliseconds"), 32) / 1000)

    # Calls with an answer: each gives what compares it.

    def report(self, call: Words) -> _Compare:
        one = self._breakpoints[call.one("a breakpoint")]
        found, reason = self._engine.report(one), self._engine.reason(one)
        spec = self._specs[one]
        target = spec.location.rpartition(b":")[2]
        _same(spec.user_data, found.user_data)
        _same(int(target) if target.isdigit() else 0, found.requested_line)
        _same(found.arrivals, found.skipped + found.false_conditions + found.errors + found.hits)
        _same(found.hits, found.passed + found.limited + found.captured + found.dropped)

        def compare(answer: Words) -> None:
            _same(answer.one("a state"), found.state)
            wanted = dict.fromkeys(_COUNTERS, 0)
            for word in answer.rest():
                key, equals, value = word.partition("=")
                wrong(equals, f"{word!r} says nothing of a report")
                if key in wanted:
                    wanted[key] = number(value)
                elif key == "reason":
                    wrong(value in reason if value else not reason, f"not {word}: {reason}")
                elif key in ("enabled", "off"):
                    is_so = found.enabled if key == "enabled" else found.off_ns > 0
                    wrong(pick(_YES_OR_NO, value, "answer") == is_so, f"not {word}: {found}")
                else:
                    shown = {
                        "requested": found.requested_line,
                        "at": found.resolved_line,
                        "code": found.code_objects,
                        "arrivals": found.arrivals,
                        "hits": found.hits,
                    }
                    _same((word, number(value)), (word, pick(shown, key, "word of a report")))
            _same(wanted, {key: getattr(found, field) for key, field in _COUNTERS.items()})

        return compare

    def source_lines(self, call: Words) -> _Compare:
        found = self._engine.source_lines(call.one("a path").encode())
        return lambda answer: _same(numbers(answer.one("the lines")), found)

    def decide(self, call: Words) -> _Compare:
        key, path, name = _key(call.one("a key")), call.one("a path"), call.one("a name")
        first_line = number(call.one("its first line"), 32)
        options = call.options("lines", "module", "qualname")
        lines = numbers(options["lines"]) if "lines" in options else ()
        module, qualname = options.get("module", ""), options.get("qualname", "")
        found = self._engine.code_decide(key, path.encode(), module, name, qualname, first_line, lines)
        _same(self._engine.epoch_word[0], found.epoch)

        def compare(answer: Words) -> None:
            _same(answer.one("a verdict"), _VERDICTS[found.verdict])
            mask = core.LINE_EVENT if found.arms else 0
            needs: set[str] = set()
            arms = iter(found.arms)
            for word in answer.rest():
                option, equals, value = word.partition("=")
                if word in ("needs_source", "needs_lines"):
                    needs.add(word)
                elif equals:
                    _same("events", option)
                    mask = events(value)
                else:
                    self._arm(word, next(arms, None))
            _same(None, next(arms, None))
            _same(mask, found.event_mask)
            wanted = ("needs_source" in needs, "needs_lines" in needs)
            _same(wanted, (found.needs_source, found.needs_lines))

        return compare

    def _arm(self, word: str, arm: core.Arm | None) -> None:
        line, *rest = word.split(":")
        wrong(len(rest) == 1 or rest[1:] == ["thread_name"], f"{word!r} is no line with its site")
        wrong(arm is not None, f"{word!r} is not to be armed")
        assert arm is not None
        _same((number(line, 32), len(rest) == 2), (arm.line, bool(arm.flags & core.NEEDS_THREAD_NAME)))
        self._sites.meet(rest[0], arm.site)

    def carries(self, call: Words) -> _Compare:
        found = self._engine.code_carries(_key(call.one("a key")), self._breakpoints[call.one("a breakpoint")])
        return lambda answer: _same(pick(_YES_OR_NO, answer.one("yes or no"), "answer"), int(found))

    def event(self, call: Words) -> _Compare:
        key, kind = _key(call.one("a key")), pick(EVENTS, call.one("an event"), "event")
        line = number(call.one("a line"), 32)
        options = call.options("thread", "depth")
        thread, depth = number(options.get("thread", "1")), number(options.get("depth", "1"), 32)
        verdict, site = self._engine.event(key, kind, line, thread, depth)

        def compare(answer: Words) -> None:
            _same(answer.one("a verdict"), _VERDICTS[verdict])
            if answer:
                self._sites.meet(answer.one("a site"), site)
            else:
                _same(0, site)

        return compare

    def hit(self, call: Words) -> _Compare:
        site = self._sites[call.one("a site")]
        options = call.options("thread", "name")
        items = list(self._engine.hit(site, number(options.get("thread", "1")), options.get("name")))
        verdict = self._engine.verdict

        def compare(answer: Words) -> None:
            _same(answer.one("a verdict"), _VERDICTS[verdict])
            for item in items:
                self._item(answer.one(f"{item}"), item)

        return compare

    def _item(self, word: str, item: core.HitItem) -> None:
        parts = re.fullmatch(r"(\w+)(?:#([0-9]+)|\?)=(\w+)", word)
        wrong(parts, f"{word!r} is no item of a hit")
        assert parts is not None
        name, hit, ticket = parts.groups()
        wanted = (self._breakpoints[name], number(hit or "0"), core.CAPTURE if hit else core.EVALUATE)
        _same(wanted, (item.breakpoint, item.hit, item.verdict))
        self._whose(item)
        self._tickets.give(ticket, item.ticket)
        self._actions[item.ticket] = item.action

    def _whose(self, item: core.HitItem) -> None:
        spec = self._specs[item.breakpoint]
        _same((spec.action, spec.user_data), (item.action, item.user_data))

    def commit(self, call: Words) -> _Compare:
        ticket = self._tickets[call.one("a ticket")]
        item = self._engine.commit(ticket, pick(_OUTCOMES, call.one("an outcome"), "outcome"))
        self._whose(item)
        _same(ticket if item.verdict == core.CAPTURE else 0, item.ticket)

        def compare(answer: Words) -> None:
            _same(answer.one("a verdict"), _VERDICTS[item.verdict])
            _same([f"#{item.hit}"] if item.hit else [], answer.rest())

        return compare

    def capture(self, call: Words) -> _Compare:
        ticket = self._tickets[call.one("a ticket")]
        values = []
        for word in call.rest():
            parts = re.fullmatch(r"(\w+)=(-?[0-9]+)", word)
            wrong(parts, f"{word!r} is no value")
            assert parts is not None
            values.append("n\x1f{}\x1ei\x1fint\x1f{}\x1e".format(*parts.groups()))
        frame = "c\x1e" if self._actions.get(ticket) == core.LOG else _FRAME
        return self._send(ticket, _HEAD + frame + "".join(values))

    def records(self, call: Words) -> _Compare:
        return self._send(self._tickets[call.one("a ticket")], call.one("a text"))

    def _send(self, ticket: int, records: str) -> _Compare:
        verdict = self._engine.capture_records(ticket, records.encode())
        return lambda answer: _same(answer.one("a verdict"), _VERDICTS[verdict])

    def receive(self, call: Words) -> _Compare:
        received: list[core.Received] = []
        while True:
            batch = self._engine.receive(0)
            if not batch:
                break
            received += batch

        def compare(answer: Words) -> None:
            if not received:
                _same(answer.one("what is received"), "closed" if batch is None else "nothing")
            words = answer.rest()
            for snapshot in received:
                wrong(words, "more is received")
                first = words.pop(0)
                own = []
                while words and "=" in words[0]:
                    own.append(words.pop(0))
                self._received(first, own, snapshot)
            _same([], words)

        return compare

    def _received(self, first: str, words: list[str], snapshot: core.Received) -> None:
        name, _, hit = first.partition("#")
        one = self._breakpoints[name]
        document = json.loads(snapshot.json)
        _same((one, self._specs[one].action), (snapshot.breakpoint, snapshot.action))
        _same((one, number(hit)), (document["breakpoint"], document["hit"]))
        for word in words:
            key, _, value = word.partition("=")
            if key == "message":
                _same(value, document.get("message"))
            else:
                wrong(re.fullmatch("-?[0-9]+", value), f"{word!r} is no whole number")
                _same({"type": "int", "value": int(value)}, document["frames"][0]["locals"].get(key))

    def stats(self, call: Words) -> _Compare:
        found = self._engine.channel_stats()
        _same(found.queued > 0, found.queued_bytes > 0)

        def compare(answer: Words) -> None:
            options = answer.options("queued", "sent", "dropped")
            wanted = tuple(number(options.get(name, "0")) for name in ("queued", "sent", "dropped"))
            _same(wanted, (found.queued, found.sent, found.dropped))

        return compare

    def epoch(self, call: Words) -> _Compare:
        before, self._epoch = self._epoch, self._engine.epoch_word[0]
        found = "same" if before == self._epoch else "changed"
        return lambda answer: _same(answer.one("same or changed"), found)

    def template(self, call: Words) -> _Compare:
        found: list[str] = []
        for part in core.template_parse(call.one("a template")):
            found.append(f"expression={part.text}" if part.is_expression else f"literal={part.text}")
            found += [f"conversion={part.conversion}"] if part.conversion else []
            found += [f"format={part.format_spec}"] if part.format_spec else []
        return lambda answer: _same(answer.rest(), found)


#: Compares an answer of the engine with the words of the line.
_Compare = Callable[[Words], None]
_Call = Callable[[Runner, Words], Optional[_Compare]]

_CALLS: dict[str, _Call] = {
    name: getattr(Runner, name)
    for name in "engine add remove enable disable set_state source no_source path_map filter forget total abandon close wait".split()
}
_QUESTIONS: dict[str, _Call] = {
    name: getattr(Runner, name)
    for name in "report source_lines decide carries event hit commit capture records receive stats epoch template".split()
}
