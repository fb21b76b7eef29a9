"""Places in code that nobody here wrote, programs that run them, and what to capture there.

A place is named by a piece of its line, not by a number: the standard library moves from version to version. A case whose line
is not found fails, so that none is lost silently.
"""

from __future__ import annotations

from typing import NamedTuple, Tuple


class Case(NamedTuple):
    """One breakpoint in one program."""

    name: str
    #: The module's file below the copied tree.
    file: str
    #: The line is the first one after `function` that contains `text`.
    function: str
    text: str
    #: What is captured there; each is an expression whose value is a scalar.
    captures: Tuple[str, ...]
    #: The program, run as a script.
    program: str
    condition: str = ""


JSON = """
import json
data = {"items": [{"id": i, "tags": ["a", "b"], "price": i * 1.5} for i in range(20)], "total": None}
json.encoder.c_make_encoder = None
text = "".join(json.JSONEncoder(indent=2).iterencode(data))
decoder = json.JSONDecoder()
decoder.parse_string = json.decoder.py_scanstring
decoder.parse_object = json.decoder.JSONObject
scan = json.scanner.py_make_scanner(decoder)
assert scan(text, 0)[0] == data
"""

DIFFLIB = """
import difflib
left = [f"line {i % 7} {i}" for i in range(40)]
right = [f"line {i % 5} {i}" for i in range(40)]
print(len(list(difflib.unified_diff(left, right))))
print(difflib.SequenceMatcher(None, "abcdefgh" * 4, "badcfehg" * 4).ratio())
"""

ARGPARSE = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("files", nargs="+")
parser.add_argument("--level", type=int, default=1)
parser.add_argument("-v", action="store_true")
for _ in range(10):
    print(parser.parse_args(["a", "b", "--level", "3", "-v"]))
"""

THREADS = """
import difflib, threading
def work(number):
    for turn in range(5):
        difflib.SequenceMatcher(None, "abcd" * number, "bcda" * number).get_opcodes()
threads = [threading.Thread(target=work, args=(number + 1,)) for number in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""

JINJA = """
import jinja2, threading
page = jinja2.Template("{% for row in rows %}{{ loop.index }}: {{ row.name|upper }} {% if row.last %}.{% endif %}{% endfor %}")
def work(count):
    for turn in range(3):
        rows = [{"name": f"n{i}", "last": i == count - 1} for i in range(count)]
        assert page.render(rows=rows).endswith(".")
threads = [threading.Thread(target=work, args=(number + 1,)) for number in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""

CLICK = """
import click
from click.testing import CliRunner
@click.command()
@click.argument("names", nargs=-1)
@click.option("--count", default=1)
def hello(names, count):
    click.echo(" ".join(names) * count)
for number in range(5):
    print(CliRunner().invoke(hello, ["ann", "bob", "--count", str(number)]).output)
"""

PACKAGING = """
from packaging.version import Version
texts = ["1.0", "2.0.post1", "1!3.4.5.dev6", "0.9rc1", "10.0.0.0"]
print(sorted(Version(text) for text in texts * 3))
"""

CASES = (
    Case("json: a generator that recurses", "json/encoder.py", "iterencode_dict(", "encoder(key)", ("key",), JSON),
    Case(
        "json: a loop of the decoder",
        "json/decoder.py",
        "def JSONObject",
        "pairs_append((key, value))",
        ("key", "end"),
        JSON,
    ),
    Case(
        "json: the hottest loop", "json/decoder.py", "def py_scanstring", "end = chunk.end()", ("end", "len(s)"), JSON
    ),
    Case(
        "difflib: a hot inner loop with a condition",
        "difflib.py",
        "def find_longest_match",
        "k = newj2len[j] = j2lenget(j-1, 0) + 1",
        ("i", "j"),
        DIFFLIB,
        "i % 3 == 0",
    ),
    Case(
        "difflib: a generator",
        "difflib.py",
        "def get_grouped_opcodes",
        "group.append((tag, i1, i2, j1 ,j2))",
        ("tag", "i1", "j2"),
        DIFFLIB,
    ),
    Case(
        "difflib: in threads", "difflib.py", "def get_opcodes", "i, j = ai+size, bj+size", ("ai", "bj", "size"), THREADS
    ),
    Case(
        "argparse: a closure",
        "argparse.py",
        "def consume_optional",
        "start = start_index + 1",
        ("start_index",),
        ARGPARSE,
    ),
    Case(
        "argparse: a method",
        "argparse.py",
        "def _get_values",
        "arg_string, = arg_strings",
        ("len(arg_strings)", "action.dest"),
        ARGPARSE,
    ),
    Case(
        "Jinja2: the lexer's generator",
        "jinja2/lexer.py",
        "def tokeniter",
        "m = regex.match(source, pos)",
        ("pos", "lineno"),
        JINJA,
    ),
    Case(
        "Jinja2: a loop of templates in threads",
        "jinja2/runtime.py",
        "class LoopContext",
        "self.index0 += 1",
        ("self.index0",),
        JINJA,
    ),
    Case("click: the parser's loop", "click/parser.py", "def _process_args_for_options", "arglen = ", ("arg",), CLICK),
    Case(
        "packaging: sorting versions",
        "packaging/version.py",
        "def _cmpkey",
        "_release = tuple(",
        ("epoch", "len(release)"),
        PACKAGING,
    ),
)
