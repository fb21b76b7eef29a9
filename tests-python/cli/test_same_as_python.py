"""A program behaves the same under `nonstop run` as under plain python: what it prints, and how it ends."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Tuple

import pytest

PYPY = sys.implementation.name == "pypy"


class Case(NamedTuple):
    """A program: its files, and the words after ``python``."""

    name: str
    files: Dict[str, str]
    words: Tuple[str, ...] = ("main.py",)
    stdin: str = ""
    #: False where this interpreter cannot run it, or shows frames of its own there.
    here: bool = True


def script(name: str, text: str, *words: str, stdin: str = "", here: bool = True) -> Case:
    """A program in one file."""
    return Case(name, {"main.py": text}, ("main.py", *words), stdin, here)


SURROUNDINGS = """\
import sys, os, atexit
names = {k: (type(v).__name__ if k in ("__builtins__", "__loader__") else v) for k, v in list(globals().items())}
for name in ("sys", "os", "atexit"):
    del names[name]
spec = names.pop("__spec__")
print(names, spec and (spec.name, spec.origin, spec.parent))
print(sys.argv, sys.path, __name__, os.getcwd())
print(sys.modules["__main__"].__dict__ is globals(), sys.excepthook is sys.__excepthook__)
import __main__
print(__main__ is sys.modules["__main__"], getattr(__main__, "__file__", None))
print(sys.getrecursionlimit(), sys.getprofile(), sys.stdin.name, sys.stdout.name, sys.stderr.name, sys.flags)
atexit.register(lambda: print("at exit", sorted(name for name in globals() if name.startswith("__"))))
"""

CHAINED = """\
def inner():
    raise KeyError("inner")

def outer():
    try:
        inner()
    except KeyError as error:
        raise ValueError("outer") from error

try:
    outer()
except ValueError:
    int(
        "no number"
    )
"""

HOOK = """\
import sys, atexit
def hook(kind, value, trace):
    names = []
    while trace:
        names.append((trace.tb_frame.f_code.co_name, trace.tb_lineno))
        trace = trace.tb_next
    print("hook", kind, value, names, sys.exc_info(), value.__context__, sys.last_value is value, flush=True)
sys.excepthook = hook
atexit.register(lambda: print(sys.last_type, sys.last_value, sys.last_traceback.tb_lineno, sys.excepthook is hook))
def f():
    raise ValueError("boom")
f()
"""

THREADS = """\
import atexit, threading, sys
ended = threading.Event()
def work():
    ended.wait()
    print("thread", flush=True)
    atexit.register(print, "registered by the thread")
def dies():
    sys.exit(5)
def fails():
    raise ValueError("in a thread")
atexit.register(print, "first")
for target in (work, dies, fails):
    thread = threading.Thread(target=target, name="T-" + target.__name__)
    thread.start()
    if target is fails:
        thread.join()
print("end of main", flush=True)
ended.set()
"""

FORK = """\
import os, sys
sys.stdout.flush()
child = os.fork()
if child == 0:
    print("child")
    sys.exit(4)
print("parent", os.waitpid(child, 0)[1] >> 8)
"""

MULTIPROCESSING = """\
import multiprocessing, sys
class Item:
    def __init__(self, value):
        self.value = value
def work(item, queue):
    queue.put(Item(item.value + 1))
if __name__ == "__main__":
    for method in sys.argv[1:]:
        context = multiprocessing.get_context(method)
        queue = context.SimpleQueue()
        process = context.Process(target=work, args=(Item(1), queue))
        process.start()
        print(method, queue.get().value, type(queue).__name__)
        process.join()
        print(process.exitcode)
"""

SOURCE = """\
import inspect, pickle, dataclasses, typing, warnings
@dataclasses.dataclass
class Point:
    x: int
    y: "Point" = None
def f(x: print("annotations are evaluated") if False else int):
    return x
print(pickle.loads(pickle.dumps(Point(1, Point(2)))), Point.__module__)
print(inspect.getsource(f), inspect.getfile(f), inspect.getmodule(f))
print(typing.get_type_hints(Point), f.__annotations__["x"])
warnings.warn("look", DeprecationWarning)
warnings.warn("listen")
"""

ASYNC = """\
import asyncio
async def numbers():
    for number in range(3):
        await asyncio.sleep(0)
        yield number
async def main():
    async for number in numbers():
        print(number)
    raise RuntimeError("from a task")
asyncio.run(main())
"""

RECURSION = """\
def f(n):
    return f(n + 1)
try:
    f(0)
except RecursionError as error:
    print(type(error))
def g(n):
    return n if n == 0 else 1 + g(n - 1)
print(g(900))
"""

CASES = (
    script("its surroundings", SURROUNDINGS, "a", "-b", "--help", "-m", "x"),
    Case("a script in a directory", {"sub/main.py": SURROUNDINGS}, ("./sub/../sub/main.py",)),
    Case("a symbolic link", {"real/main.py": SURROUNDINGS, "link.py": "-> real/main.py"}, ("link.py", "x")),
    Case("a module", {"mod.py": SURROUNDINGS}, ("-m", "mod", "-m", "x")),
    Case("a module in one word", {"mod.py": SURROUNDINGS}, ("-mmod", "x")),
    Case("a package", {"pkg/__init__.py": "print('init')", "pkg/__main__.py": SURROUNDINGS}, ("-m", "pkg", "x")),
    Case(
        "a submodule",
        {"pkg/__init__.py": "", "pkg/mod.py": SURROUNDINGS + "from . import other", "pkg/other.py": "print(1)"},
        ("-m", "pkg.mod"),
    ),
    Case("a directory", {"app/__main__.py": SURROUNDINGS + "import side", "app/side.py": "print(2)"}, ("app", "x")),
    Case("an archive", {"app.zip": "zip of " + SURROUNDINGS}, ("app.zip", "x")),
    Case("standard input", {}, ("-", "x"), SURROUNDINGS),
    Case("a module that fails", {"mod.py": "def f():\n    1 / 0\nf()\n"}, ("-m", "mod")),
    Case("a module that does not compile", {"mod.py": "a = 1\nb = = 2\n"}, ("-m", "mod")),
    Case("a package whose import fails", {"pkg/__init__.py": "1 / 0", "pkg/__main__.py": ""}, ("-m", "pkg")),
    Case("a directory that fails", {"app/__main__.py": "raise ValueError(3)\n"}, ("app",)),
    Case("no such module", {}, ("-m", "no_such_module")),
    Case("no such submodule", {"pkg/__init__.py": ""}, ("-m", "pkg.missing")),
    Case("a package without a main", {"pkg/__init__.py": ""}, ("-m", "pkg")),
    Case("a directory without a main", {"app/other.py": ""}, ("app",)),
    Case("no such script", {}, ("missing.py",)),
    script("a status", "import sys\nsys.exit(3)\n"),
    script("a status that is a text", "import sys\nprint('out')\nsys.exit('the end')\n"),
    script("a status that is None", "raise SystemExit\n"),
    script("a status that is an object", "raise SystemExit([1, 2])\n"),
    script("an exception", "def f():\n    return {}['key']\n\nprint('out')\nf()\n"),
    script("an exception with a cause and a context", CHAINED),
    script(
        "an exception without context", "try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise ValueError from None\n"
    ),
    script(
        "an exception that cannot be shown", "class E(Exception):\n    def __str__(self):\n        1 / 0\nraise E()\n"
    ),
    script("a misspelled name", "number = 1\nprint(numbr)\n"),
    script(
        "an exception group",
        "def f(kind):\n    try:\n        raise kind(1)\n    except kind as error:\n        return error\n"
        "raise ExceptionGroup('several', [f(ValueError), f(TypeError)])\n",
        here=sys.version_info >= (3, 11),
    ),
    script(
        "an exception with notes", "e = ValueError(1)\ne.add_note('note')\nraise e\n", here=sys.version_info >= (3, 11)
    ),
    script("an error of syntax", "a = 1\nif a = 2:\n    pass\n"),
    script("an error of indentation", "if 1:\n    a = 1\n  b = 2\n"),
    script("an unclosed bracket", "a = (1,\nb = 2\n"),
    script("a text that ends early", "def f():\n"),
    script("a zero byte", "x = 1\0\n"),
    script("an unknown encoding", "# coding: nonsense\nx = 1\n"),
    script("a bad string", "x = 'é\ny = 1\n"),
    Case("an error of syntax in an import", {"main.py": "import other\n", "other.py": "def f(:\n"}),
    script("warnings of the compiler", "x = 1\nprint(x is 1, '\\d')\nassert (x, 'always true')\n"),
    script("a hook for exceptions", HOOK),
    script(
        "a hook that fails",
        "import sys\ndef hook(*a): raise ValueError('hook')\nsys.excepthook = hook\n1 / 0\n",
        here=not PYPY,
    ),
    script("a hook that exits", "import sys\ndef hook(*a): sys.exit(7)\nsys.excepthook = hook\n1 / 0\n", here=not PYPY),
    script("no hook", "import sys\ndel sys.excepthook\n1 / 0\n"),
    script("an interrupt", "print('out', flush=True)\nraise KeyboardInterrupt\n"),
    script("an interrupt by a signal", "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(9)\n"),
    script("a subclass of an interrupt", "class K(KeyboardInterrupt): pass\nraise K\n"),
    script("death by a signal", "import os, signal\nprint('out', flush=True)\nos.kill(os.getpid(), signal.SIGTERM)\n"),
    script(
        "an interrupt that is handled",
        "try:\n    raise KeyboardInterrupt\nexcept KeyboardInterrupt:\n    print('caught')\n",
    ),
    script(
        "exit handlers",
        "from atexit import register\nregister(print, 'one')\nregister(print, 'two')\nregister(int, 'x')\n",
    ),
    script("threads", THREADS),
    script("an early end", "import os\nprint('out', flush=True)\nos._exit(4)\n"),
    script(
        "another program",
        "import os, sys\nsys.stdout.flush()\nos.execv(sys.executable, [sys.executable, '-c', 'print(1); exit(6)'])\n",
    ),
    script("a fork", FORK, here=hasattr(os, "fork")),
    script("processes", MULTIPROCESSING, "fork", "spawn", "forkserver"),
    script("its own source", SOURCE),
    script("questions", "print(input('name? '))\nprint(input())\n", stdin="ada\nlovelace\n"),
    script("the end of the input", "input()\n"),
    script("tasks", ASYNC),
    script("recursion", RECURSION),
    script("a main module that is gone", "import sys\ndel sys.modules['__main__']\nprint(__name__)\n1 / 0\n"),
    script("no standard error", "import sys\nsys.stderr.close()\nprint('out')\nsys.exit(3)\n"),
    script("no standard output", "import sys\nsys.stdout.close()\nsys.stderr.write('err\\n')\n"),
    script("another standard error", "import sys, io\nsys.stderr = io.StringIO()\n1 / 0\n"),
    script("another directory", "import os\nos.chdir('/')\nprint(__file__)\nraise ValueError\n"),
    script(
        "a log of its own",
        "import logging\nlogging.basicConfig(level=0)\nlogging.debug('one')\nprint(len(logging.root.handlers))\n",
    ),
    script(
        "arguments",
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('-b', required=True)\nprint(p.parse_args())\n",
        "-b",
        "1",
    ),
    script(
        "wrong arguments",
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('-b', required=True)\np.parse_args()\n",
    ),
    Case(
        "modules named like those of the library",
        {"main.py": "import queue, json, argparse, logging\nprint(queue.X, json.X, argparse.X, logging.X)\n"}
        | {f"{name}.py": f"X = '{name}'\n" for name in ("queue", "argparse", "logging")}
        | {"json/__init__.py": "from json.part import X\n", "json/part.py": "X = 'part'\n", "inspect/nothing.txt": ""},
    ),
)

#: What may depend on how nonstop itself was started.
AS_MODULE = (
    "its surroundings",
    "a package",
    "an archive",
    "a status that is a text",
    "an interrupt",
    "a hook for exceptions",
)


def laid_out(case: Case, folder: Path) -> None:
    for name, text in case.files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> "):
            file.symlink_to(text[3:])
        elif text.startswith("zip of "):
            with zipfile.ZipFile(file, "w") as archive:
                archive.writestr("__main__.py", text[7:])
        else:
            file.write_text(text, "utf-8")


def ended(words: List[str], folder: Path, text: str = "", **options: Any) -> Any:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        **options,
    )
    return done.stdout, done.stderr, done.returncode


def breakpoints(case: Case) -> List[str]:
    """On the first line of the program, unless it does not compile: then it would be refused."""
    for name, text in case.files.items():
        if text and name.endswith(("main.py", "__main__.py", "mod.py")):
            with contextlib.suppress(SyntaxError, ValueError), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(text.encode("utf-8"), name, "exec")  # as bytes: the encoding counts
                return ["-b", f"{name}:1", "--log", f"{name}:1 if False: never"]
    return []


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> List[str]:
    """The command as pip makes it: a script in a directory that is none of the program's."""
    file = tmp_path_factory.mktemp("bin") / "nonstop"
    file.write_text("import sys\nfrom nonstop.cli.main import main\nsys.exit(main())\n")
    return [str(file)]


def parameters() -> List[Any]:
    warned = sys.version_info >= (3, 12) and not PYPY
    reason = "this Python warns of forks while threads run, and one of nonstop's delivers snapshots"
    marks = {"a fork": [pytest.mark.xfail(warned, reason=reason, strict=True)]}
    return [pytest.param(case, marks=marks.get(case.name, ()), id=case.name) for case in CASES if case.here]


@pytest.mark.parametrize("case", parameters())
def test_same_output_and_end(case: Case, tmp_path: Path, command: List[str]) -> None:
    laid_out(case, tmp_path)
    plain = ended(list(case.words), tmp_path, case.stdin)
    watched = ended([*command, "run", "--quiet", *breakpoints(case), *case.words], tmp_path, case.stdin)
    assert watched == plain


@pytest.mark.parametrize("case", [case for case in CASES if case.name in AS_MODULE], ids=lambda case: case.name)
def test_same_with_python_m_nonstop(case: Case, tmp_path: Path) -> None:
    laid_out(case, tmp_path)
    plain = ended(list(case.words), tmp_path, case.stdin)
    watched = ended(["-m", "nonstop", "run", "--quiet", *case.words], tmp_path, case.stdin)
    assert watched == plain
