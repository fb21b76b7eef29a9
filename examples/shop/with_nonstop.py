"""The shop with nonstop inside: breakpoints come and go while it serves, by lines on standard input.

    break LOCATION [if CONDITION]     take snapshots there
    log LOCATION: TEMPLATE            make a message there, with {expressions}
    report                            counters of all breakpoints so far, as JSON
    remove                            take all breakpoints away
    quit                              end; so does the end of the input

Each line is answered with one line on standard output. What is captured goes to standard error as it comes.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time

import nonstop
import server
from nonstop.sinks import TerminalSink

#: What a reader can follow: a hit a second for each breakpoint, two in a burst. More are counted, not shown.
RATE = (1, 2)

_LOCATION = r"(?P<location>\S+:[\w.]+)"
_BREAK = re.compile(rf"{_LOCATION}(?: +if +(?P<condition>.+))?")
_LOG = re.compile(rf"{_LOCATION}: *(?P<template>.+)")


class Control:
    """Obeys the lines, in a thread of its own. Nothing of the service waits for it."""

    def __init__(self, shop: server.Shop) -> None:
        self._shop = shop
        self._sink = TerminalSink()
        #: With the word that set it.
        self._breakpoints: list[tuple[str, nonstop.Breakpoint]] = []

    def run(self) -> None:
        """Until the input ends."""
        for line in sys.stdin:
            word, _, rest = line.strip().partition(" ")
            if word == "quit":
                break
            try:
                answer = self._obey(word, rest.strip())
            except nonstop.NonstopError as error:
                answer = f"error: {error}"
            except Exception as error:
                # Whatever it is, the next line still gets its answer.
                answer = f"error: {error!r}"
            print(answer, flush=True)
        self._shop.shutdown()

    def _obey(self, word: str, rest: str) -> str:
        if word in ("break", "log"):
            words = (_BREAK if word == "break" else _LOG).fullmatch(rest)
            if words is None:
                return f"error: cannot read {rest!r}; see the head of {__file__}"
            return self._set(word, words)
        if word == "report":
            return json.dumps(self._report())
        if word == "remove":
            for _, one in self._breakpoints:
                one.remove()
            return "removed"
        return f"error: {word!r} is not one of break, log, report, remove, quit"

    def _set(self, word: str, words: re.Match[str]) -> str:
        location = words["location"]
        if word == "break":
            one = nonstop.breakpoint(location, condition=words["condition"], rate=RATE, sink=self._sink)
        else:
            one = nonstop.logpoint(location, words["template"], rate=RATE, sink=self._sink)
        self._breakpoints.append((word, one))
        # A line without code of its own stands for the next one; a function for its first.
        moved = one.resolved_line != one.requested_line
        return f"set at {location}" + (f", on line {one.resolved_line}" if moved else "")

    def _report(self) -> dict[str, object]:
        return {
            "cpu_seconds": time.process_time(),
            "breakpoints": [
                {
                    "action": word,
                    "location": one.location,
                    "arrivals": one.arrivals,
                    "hits": one.hits,
                    "captured": one.captured,
                    "limited": one.limited,
                    "dropped": one.dropped,
                }
                for word, one in self._breakpoints
            ],
        }


def main() -> None:
    """Serve until the input ends."""
    shop = server.make_shop()
    threading.Thread(target=Control(shop).run, name="control", daemon=True).start()
    try:
        shop.serve_forever()
    except KeyboardInterrupt:
        print("closed", flush=True)


if __name__ == "__main__":
    main()
