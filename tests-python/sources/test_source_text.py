"""What is found in the text between the nodes of its syntax tree."""

from __future__ import annotations

import ast

import pytest
from nonstop.source_text import SourceText


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("\n", [b""]),
        ("a", [b"a"]),
        ("a\n", [b"a"]),
        ("a\n\n", [b"a", b""]),
        ("a\r\nb\rc\n", [b"a", b"b", b"c"]),
        ("a\n\r\nb", [b"a", b"", b"b"]),
        ("ä\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e\n", ["ä\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e".encode()]),
    ],
)
def test_only_newlines_end_lines(text: str, lines: list[bytes]) -> None:
    assert SourceText(text).lines == lines


def test_positions_are_those_of_the_syntax_tree() -> None:
    text = "größe = 'ä\u2028ö'; b = [\n  'ü', c]\n"
    source = SourceText(text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name):
            assert source.starts((node.lineno, node.col_offset), node.id.encode())


def test_lines_that_may_hold_lambdas_and_comprehensions_are_known() -> None:
    source = SourceText("a\nlambda: 1\nb\n(c for d in e)\nformat\n# for\n")
    assert [line for line in range(1, 7) if source.may_nest(line, line)] == [2, 4, 6]
    assert source.may_nest(1, 2)
    assert source.may_nest(3, 6)
    assert not source.may_nest(5, 5)


@pytest.mark.parametrize(
    ("text", "start", "colon"),
    [
        ("if a: b: c", (1, 4), (1, 4)),
        ("if a:", (1, 3), (1, 4)),
        ("if (a  # b: c\n  # d:\n  ) :", (1, 5), (3, 4)),
        ("if a \\\n:", (1, 4), (2, 0)),
        ("ä = lambda ö: 1", (1, 14), (1, 14)),
        ("no such", (1, 3), (1, 3)),
    ],
)
def test_colon_of_a_header(text: str, start: tuple[int, int], colon: tuple[int, int]) -> None:
    assert SourceText(text).colon(start) == colon
    assert SourceText(text).colon_line(start) == colon[0]


def test_keyword_is_the_first_word_of_its_line() -> None:
    source = SourceText("if a:\n    b\n# else\n\n\x0c  else  :\n    c\n")
    assert source.keyword_line(b"else", 2) == 5
    assert source.keyword_line(b"finally", 2) == 2, "where there is none, the place to look from"


@pytest.mark.parametrize(
    ("text", "start", "past", "found"),
    [
        ("a  b", (1, 1), b"", (1, 3)),
        ("a\t\x0c \\\n  b", (1, 1), b"", (2, 2)),
        ("a  # b\n\n# c\n d", (1, 1), b"", (4, 1)),
        ("a ) \n ) b", (1, 1), b")", (2, 3)),
        ("a ) b", (1, 1), b"", (1, 2)),
        ("a", (1, 1), b"", (1, 1)),
    ],
)
def test_next_token(text: str, start: tuple[int, int], past: bytes, found: tuple[int, int]) -> None:
    assert SourceText(text).token(start, past=past) == found


def test_place_is_first_where_only_blanks_stand_before() -> None:
    source = SourceText("  a\n\x0c\tb\nc d")
    assert source.is_first((1, 2))
    assert source.is_first((2, 2))
    assert not source.is_first((3, 2))


@pytest.mark.parametrize(
    ("line", "indent"),
    [("a", 0), ("  a", 2), ("\ta", 8), ("  \ta", 8), ("\t  a", 10), ("  \x0ca", 0), ("\x0c  a", 2), ("", 0)],
)
def test_indent_counts_as_the_interpreter_does(line: str, indent: int) -> None:
    assert SourceText(line + "\n").indent(1) == indent


@pytest.mark.parametrize(
    ("rest", "end"),
    [
        ("", 1),
        ("    # one\n    # two\n", 3),
        ("\n    # one\n\n      # two\n\n", 5),
        ("    # one\n# two\n    # three\n", 2),
        ("    # one\nb\n    # two\n", 2),
        ("\t# one\n", 2),
        ("  # one\n", 1),
    ],
)
def test_comments_after_a_statement_that_are_indented_like_it(rest: str, end: int) -> None:
    assert SourceText("    a\n" + rest).comments_end(1, 4) == end
