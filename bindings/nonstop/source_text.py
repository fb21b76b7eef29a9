"""The text of a source file as its parser sees it: lines of UTF-8 with positions in bytes, like those of the AST.

What the AST leaves out is found here, between two of its nodes: the colon of a header, the word `case`, the brackets
around an expression, comments. Nothing but brackets, names, punctuation and comments can stand there, so a scan needs
no tokenizer.
"""

from __future__ import annotations

import re
from bisect import bisect_left

#: A place in the text: line (from 1) and column in bytes (from 0), as in the AST.
Position = tuple[int, int]

_NESTED = re.compile(rb"\b(?:lambda|for)\b")
_COLON_OR_COMMENT = re.compile(rb"[:#]")
_NOT_BLANK = re.compile(rb"[^ \t\f\\\r]")


class SourceText:
    """Lines of a source text."""

    def __init__(self, text: str) -> None:
        data = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8")
        #: Line N is at index N - 1. Only a newline ends a line: not a form feed, and no other separator of Unicode.
        self.lines = data.split(b"\n")
        if not self.lines[-1]:
            self.lines.pop()
        self._nested = [number for number, line in enumerate(self.lines, 1) if _NESTED.search(line)]

    def may_nest(self, first: int, last: int) -> bool:
        """Whether the lines may hold a lambda or a comprehension; most don't, and need no walk through their nodes."""
        at = bisect_left(self._nested, first)
        return at < len(self._nested) and self._nested[at] <= last

    def colon(self, start: Position) -> Position:
        """The first colon outside of comments from a place in a header, or in a lambda's parameters, on."""
        line, column = start
        while line <= len(self.lines):
            found = _COLON_OR_COMMENT.search(self.lines[line - 1], column)
            if found is not None and found[0] == b":":
                return line, found.start()
            line, column = line + 1, 0
        return start

    def colon_line(self, start: Position) -> int:
        """The line of the first colon outside of comments from a place in a header on."""
        return self.colon(start)[0]

    def keyword_line(self, keyword: bytes, start: int) -> int:
        """The first line, from `start` on, that begins with a keyword."""
        for line in range(start, len(self.lines) + 1):
            if self.lines[line - 1].lstrip().startswith(keyword):
                return line
        return start

    def token(self, start: Position, *, past: bytes = b"") -> Position:
        """The next place with something else than blanks, comments and the bytes in `past`."""
        line, column = start
        while line <= len(self.lines):
            text = self.lines[line - 1]
            found = _NOT_BLANK.search(text, column)
            if found is None or found[0] == b"#":
                line, column = line + 1, 0
            elif found[0] in past:
                column = found.end()
            else:
                return line, found.start()
        return start

    def starts(self, position: Position, word: bytes) -> bool:
        """Whether `word` stands at a place."""
        line, column = position
        return self.lines[line - 1].startswith(word, column)

    def is_first(self, position: Position) -> bool:
        """Whether nothing but blanks stands before a place on its line."""
        line, column = position
        return not self.lines[line - 1][:column].strip()

    def indent(self, line: int) -> int:
        """How far a line is indented, with tabs to the next multiple of eight, as the interpreter counts."""
        text = self.lines[line - 1]
        return len(text[: len(text) - len(text.lstrip())].rpartition(b"\f")[2].expandtabs())

    def comments_end(self, last: int, indent: int) -> int:
        """The last of the comment lines that follow the line `last` and are indented at least so far; else `last`."""
        end = last
        for line in range(last + 1, len(self.lines) + 1):
            text = self.lines[line - 1].lstrip()
            if text.startswith(b"#"):
                if self.indent(line) < indent:
                    break
                end = line
            elif text:
                break
        return end
