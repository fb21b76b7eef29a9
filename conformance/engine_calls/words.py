"""The lines of the engine scenarios (conformance/engine) as words."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

#: Where the data is.
DIRECTORY = Path(__file__).parent.parent / "engine"

# The bounds that every runner has.
_LINE_BYTES = 4000
_LINE_WORDS = 250


class WrongError(Exception):
    """A line that cannot be read, or an answer that is another one."""


class Scenario(NamedTuple):
    """One scenario: its place, the rules that it shows, its lines with their numbers."""

    file: Path
    title: str
    rules: list[str]
    lines: list[tuple[int, str]]


def wrong(condition: object, why: str) -> None:
    """Raise unless the condition holds."""
    if not condition:
        raise WrongError(why)


def number(text: str, bits: int = 64) -> int:
    """A number without sign or blanks."""
    wrong(text.isascii() and text.isdigit() and int(text) < 1 << bits, f"{text!r} is no number of {bits} bits")
    return int(text)


def numbers(text: str) -> list[int]:
    """Numbers with commas between them."""
    return [number(part, 32) for part in text.split(",")]


def pick(table: dict[str, int], word: str, what: str) -> int:
    """What a word stands for."""
    wrong(word in table, f"there is no {what} {word!r}")
    return table[word]


class Words:
    """Words that are taken from the front."""

    def __init__(self, words: list[str]) -> None:
        self._words = list(words)

    def __bool__(self) -> bool:
        return bool(self._words)

    def begins(self, word: str) -> bool:
        """Whether this is the next word."""
        return self._words[:1] == [word]

    def one(self, what: str) -> str:
        """The next word, which must be there."""
        wrong(self._words, f"{what} is missing")
        return self._words.pop(0)

    def rest(self) -> list[str]:
        """All words that are left."""
        words, self._words = self._words, []
        return words

    def options(self, *names: str) -> dict[str, str]:
        """The words that are left, each `name=value` with one of these names."""
        found: dict[str, str] = {}
        for word in self.rest():
            name, equals, value = word.partition("=")
            wrong(equals and name in names, f"{word!r} says nothing here")
            found[name] = value
        return found

    def parts(self) -> list[Words]:
        """The words that are left, as parts between the words `+`."""
        parts: list[list[str]] = [[]]
        words = self.rest()
        for word in words:
            if word == "+":
                parts.append([])
            else:
                parts[-1].append(word)
        wrong(not words or parts[-1], "nothing follows the last +")
        return [Words(part) for part in parts] if words else []

    def finish(self) -> None:
        """Nothing is left."""
        wrong(not self._words, f"{self._words} is too much")


def split(line: str) -> list[str]:
    """The words of a line."""
    wrong(len(line.encode()) <= _LINE_BYTES, f"the line is longer than {_LINE_BYTES} bytes")
    words: list[str] = []
    word: list[str] | None = None
    quoted = False
    letters = iter(line)
    for letter in letters:
        if letter == " " and not quoted:
            words += [] if word is None else ["".join(word)]
            word = None
            continue
        word = [] if word is None else word
        if letter == '"':
            quoted = not quoted
        elif letter == "\\" and quoted:
            word.append(next(letters, ""))
        else:
            word.append(letter)
    wrong(not quoted, "a text is not closed")
    words += [] if word is None else ["".join(word)]
    wrong(len(words) <= _LINE_WORDS, f"the line has more than {_LINE_WORDS} words")
    return words


def lines_of(file: Path) -> list[tuple[int, str]]:
    numbered = enumerate(file.read_text("utf-8").split("\n"), 1)
    return [(at, line) for at, line in numbered if line.strip(" ") and not line.lstrip(" ").startswith("#")]


def scenarios(directory: Path) -> list[Scenario]:
    """All scenarios of a directory, by file."""
    found: list[Scenario] = []
    for file in sorted(directory.glob("*.calls")):
        for at, line in lines_of(file):
            if line.startswith("scenario "):
                _, title, *rules = split(line)
                for rule in rules:
                    wrong(all(part.isdigit() for part in rule.split(".")), f"{file}:{at}: {rule!r} is no rule")
                found.append(Scenario(file, title, rules, []))
            else:
                wrong(found and found[-1].file == file, f"{file}:{at}: no scenario yet")
                found[-1].lines.append((at, line))
    return found
