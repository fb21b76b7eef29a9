"""From what users write to files and their text: what is found, and each way in which it is not."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
import types
import zipfile
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

import pytest
from nonstop import core, sources
from nonstop.debugger import Debugger
from nonstop.errors import LocationError
from nonstop.locate import find_place, locate

TEXT = "a = 1\n\nb = 2\n"


def write(path: Path, text: str = TEXT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def refused(code: str, *texts: str, call: Any = sources.find_source, place: str) -> None:
    with pytest.raises(LocationError) as caught:
        call(place)
    assert caught.value.code == code, caught.value
    for text in texts:
        assert text in str(caught.value)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory on `sys.path`, with the module names of before restored."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("nonstop_example"):
            del sys.modules[name]


def load(name: str, file: Path) -> types.ModuleType:
    """A module that was imported from a file, wherever that is."""
    module = types.ModuleType(name)
    module.__file__ = str(file)
    sys.modules[name] = module
    return module


# Files


def test_file_is_found_by_its_absolute_path(tmp_path: Path) -> None:
    file = write(tmp_path / "shop.py")
    assert sources.find_source(str(file)) == [str(file)]


def test_file_is_found_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "src" / "shop.py")
    write(tmp_path / "src" / "tool")
    monkeypatch.chdir(tmp_path)
    for place in ("src/shop.py", "./src/shop.py", "src/../src/shop.py", "src/tool"):
        assert sources.find_source(place) == [place]
    monkeypatch.chdir(tmp_path / "src")
    assert sources.find_source("../src/shop.py") == ["../src/shop.py"]


def test_text_without_a_file_can_come_later() -> None:
    for place in ("<string>", "<made/up.py>", "<frozen os>"):
        assert sources.find_source(place) == []


def test_missing_file_is_refused_with_what_to_try(tmp_path: Path) -> None:
    refused("no_such_file", "missing.py", "check the path", place=f"{tmp_path}/missing.py")
    refused("no_such_file", "no_such_shop.py", "package.module:42", place="no_such_shop.py")
    refused("no_such_file", "no/such/shop", "package.module:42", place="no/such/shop")
    link = tmp_path / "link.py"
    link.symlink_to(tmp_path / "gone.py")
    refused("no_such_file", "link.py", place=str(link))


@pytest.mark.parametrize("name", ["a\0b.py", "/a\0b.py", "\ud800.py", "/\ud800.py", "x" * 5000 + ".py"])
def test_text_that_is_no_file_name_is_refused(name: str) -> None:
    refused("no_such_file", repr(name)[:20], place=name)


def test_directory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shop.py").mkdir()
    refused("is_a_directory", "shop.py", "__main__.py", place=str(tmp_path / "shop.py"))
    monkeypatch.chdir(tmp_path)
    refused("is_a_directory", "shop.py", place="shop.py")
    refused("is_a_directory", "shop.py", call=sources.read_source, place="shop.py")


@pytest.mark.skipif(os.name != "posix", reason="needs a pipe with a name")
@pytest.mark.parametrize("call", [sources.find_source, sources.read_source])
def test_pipe_or_device_is_refused_and_not_waited_for(tmp_path: Path, call: Any) -> None:
    pipe = tmp_path / "pipe.py"
    os.mkfifo(pipe)
    refused("unreadable_file", "pipe.py", "no regular file", call=call, place=str(pipe))
    refused("unreadable_file", "/dev/zero", call=call, place="/dev/zero")


@pytest.mark.skipif(os.name != "posix", reason="needs modes of files")
@pytest.mark.parametrize("call", ["find_source", "read_source"])
@pytest.mark.parametrize(
    ("closed", "texts"), [("shop.py", ["cannot be read by this user", "mode"]), ("", ["may not look into a directory"])]
)
def test_unreadable_file_is_refused(call: str, closed: str, texts: list[str]) -> None:
    """In another process: root can read everything, until it becomes somebody else."""
    top = Path(tempfile.mkdtemp())
    try:
        top.chmod(0o755)
        shop = write(top / "folder" / "shop.py")
        (top / "folder" / closed).chmod(0)
        program = f"""
import os, sys
from nonstop import sources
from nonstop.errors import LocationError
if os.geteuid() == 0:
    os.setuid(65534)
try:
    print("found", sources.{call}({str(shop)!r}))
except LocationError as error:
    print(error.code, error)
"""
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert done.stderr == ""
        assert done.stdout.startswith("unreadable_file"), done.stdout
        for text in ["shop.py", *texts]:
            assert text in done.stdout
    finally:
        (top / "folder").chmod(0o755)
        shutil.rmtree(top)


def test_path_that_is_not_utf8_is_found_and_read(tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.py")
    try:
        with open(name, "w") as file:
            file.write(TEXT)
    except OSError:
        pytest.skip("the file system takes UTF-8 only")
    assert sources.find_source(name) == [name]
    assert sources.read_source(name) == TEXT
    assert locate(f"{name}:3").encoded == os.fsencode(os.path.realpath(name)) + b":3"


# The ends of paths


def test_end_of_a_loaded_file_is_found_on_whole_components(folder: Path) -> None:
    shop = write(folder / "elsewhere" / "src" / "shop.py")
    load("nonstop_example_shop", shop)
    assert sources.find_source("src/shop.py") == [str(shop)]
    assert sources.find_source("./src//shop.py") == [str(shop)]
    refused("no_such_file", place="rc/shop.py")
    refused("no_such_file", place="../src/shop.py")


def test_file_below_the_module_path_is_found_before_it_is_loaded(folder: Path) -> None:
    shop = write(folder / "package" / "nonstop_shop.py")
    assert sources.find_source("package/nonstop_shop.py") == [str(shop)]
    refused("no_such_file", place="nonstop_shop.py")


def test_all_files_that_end_so_are_found_each_once(folder: Path) -> None:
    one, other = write(folder / "a" / "nonstop_shop.py"), write(folder / "b" / "nonstop_shop.py")
    load("nonstop_example_a", one)
    load("nonstop_example_b", other)
    load("nonstop_example_main", one)
    sys.path.insert(0, str(folder / "b"))
    assert sources.find_source("nonstop_shop.py") == [str(one), str(other)]


def test_file_is_found_by_either_end_of_a_link(folder: Path) -> None:
    real = write(folder / "releases" / "7" / "nonstop_shop.py")
    (folder / "current").symlink_to(real.parent)
    load("nonstop_example_shop", folder / "current" / "nonstop_shop.py")
    for place in ("current/nonstop_shop.py", "7/nonstop_shop.py"):
        (found,) = sources.find_source(place)
        assert os.path.realpath(found) == os.path.realpath(real)


def test_directory_on_the_module_path_is_told(folder: Path) -> None:
    (folder / "nonstop_shop.py").mkdir()
    refused("is_a_directory", "nonstop_shop.py", place="nonstop_shop.py")


def test_file_that_a_loader_of_its_own_brought_can_come_later(folder: Path) -> None:
    load("nonstop_example_shop", Path("/no/such/archive/nonstop_shop.py"))
    assert sources.find_source("archive/nonstop_shop.py") == []
    assert sources.find_source("/no/such/archive/nonstop_shop.py") == []
    assert sources.find_source("nonstop_example_shop") == []


# Archives


@pytest.fixture
def archive(folder: Path) -> str:
    path = folder / "app.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("nonstop_example_zip.py", TEXT)
        made.writestr("nonstop_example_package/__init__.py", "")
        made.writestr("nonstop_example_package/shop.py", TEXT + "def f():\n    return 3\n")
        made.writestr("nonstop_example_package/broken.py", "a = 1\nb = =\n")
    sys.path.insert(0, str(path))  # taken back with the folder
    return str(path)


def test_file_in_an_archive_is_found_and_read(archive: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"{archive}/nonstop_example_package/shop.py"
    assert sources.find_source(name) == [name]
    assert sources.find_source("nonstop_example_package/shop.py") == [name]
    assert sources.find_source("nonstop_example_package.shop") == [name]
    assert sources.find_source("nonstop_example_package") == [f"{archive}/nonstop_example_package/__init__.py"]
    assert sources.read_source(name).startswith(TEXT)
    monkeypatch.chdir(os.path.dirname(archive))
    assert sources.find_source("app.zip/nonstop_example_zip.py") == ["app.zip/nonstop_example_zip.py"]
    assert not [module for module in sys.modules if module.startswith("nonstop_example")]


def test_missing_file_in_an_archive_is_refused(archive: str) -> None:
    refused("no_such_file", "gone.py", place=f"{archive}/gone.py")
    refused("no_such_file", "gone.py", call=sources.read_source, place=f"{archive}/gone.py")
    refused("invalid_source", "broken.py", "line 2", call=locate, place="nonstop_example_package/broken.py:1")


def test_breakpoint_in_an_archive_is_placed_at_once_and_fires(archive: str) -> None:
    with Debugger() as debugger:
        watched = debugger.counter("nonstop_example_package.shop:2")
        assert (watched.state, watched.resolved_line) == ("pending", 3)
        with pytest.raises(LocationError, match="5 lines"):
            debugger.counter(f"{archive}/nonstop_example_package/shop.py:99")
        module = importlib.import_module("nonstop_example_package.shop")
        assert watched.hits == 1
        body = debugger.counter(module.f)
        module.f()
        assert (body.resolved_line, body.hits) == (5, 1)


# Modules


def test_module_is_its_file_and_a_package_its_first(folder: Path) -> None:
    first = write(folder / "nonstop_example" / "__init__.py", "raise SystemExit\n")
    shop = write(folder / "nonstop_example" / "part" / "shop.py")
    write(folder / "nonstop_example" / "part" / "__init__.py", "raise SystemExit\n")
    importlib.invalidate_caches()
    assert sources.find_source("nonstop_example") == [str(first)]
    assert sources.find_source("nonstop_example.part.shop") == [str(shop)]
    assert "nonstop_example" not in sys.modules, "nothing is imported"
    assert sources.find_source("json.decoder") == [sys.modules["json"].__path__[0] + "/decoder.py"]


def test_module_is_looked_for_where_its_loaded_package_looks(folder: Path) -> None:
    shop = write(folder / "plugins" / "shop.py")
    package = load("nonstop_example", write(folder / "nonstop_example" / "__init__.py"))
    package.__path__ = [str(folder / "plugins")]
    assert sources.find_source("nonstop_example.shop") == [str(shop)]


def test_module_in_a_namespace_package_is_found(folder: Path) -> None:
    shop = write(folder / "nonstop_example" / "deep" / "shop.py")
    importlib.invalidate_caches()
    assert sources.find_source("nonstop_example.deep.shop") == [str(shop)]


@pytest.mark.parametrize("name", ["nonstop_example_gone", "json.gone", "gone.json", "json.decoder.gone"])
def test_module_that_cannot_be_found_can_come_later(name: str) -> None:
    assert sources.find_source(name) == []


@pytest.mark.parametrize("name", ["", ".", "a..b", ".json", "no name", "a\0b", "7"])
def test_text_that_is_no_module_is_left_to_the_engine(name: str) -> None:
    assert sources.find_source(name) == []
    with pytest.raises(LocationError):
        core.Engine().add([core.Spec(core.COUNT, f"{name}:3".encode())])


def test_module_without_python_source_is_refused(folder: Path) -> None:
    for name in ("sys", "builtins"):
        refused("no_code", name, "built into the interpreter", place=name)
    file = write(folder / f"nonstop_example_c{EXTENSION_SUFFIXES[0]}", "")
    importlib.invalidate_caches()
    refused("no_code", "nonstop_example_c", str(file), "compiled", place="nonstop_example_c")
    load("nonstop_example_c", file)
    refused("no_code", "nonstop_example_c", "compiled", place="nonstop_example_c")


def test_loaded_namespace_package_is_refused(folder: Path) -> None:
    (folder / "nonstop_example").mkdir()
    importlib.invalidate_caches()
    assert sources.find_source("nonstop_example") == [], "a module of that name may come yet"
    importlib.import_module("nonstop_example")
    refused("no_code", "namespace package", "nonstop_example.module:42", place="nonstop_example")


def test_module_without_its_source_can_only_be_seen_when_it_runs(folder: Path) -> None:
    source = write(folder / "source" / "nonstop_example.py")
    py_compile.compile(str(source), cfile=str(folder / "nonstop_example.pyc"))
    importlib.invalidate_caches()
    assert sources.find_source("nonstop_example") == []


def test_made_module_has_no_file() -> None:
    sys.modules["nonstop_example"] = types.ModuleType("nonstop_example")
    try:
        assert sources.find_source("nonstop_example") == []
    finally:
        del sys.modules["nonstop_example"]


def test_main_is_the_program_or_has_no_file(tmp_path: Path) -> None:
    program = "from nonstop import sources; print(sources.find_source('__main__'))"
    script = write(tmp_path / "script.py", program)
    for arguments, expected in [([str(script)], [str(script)]), (["-c", program], [])]:
        done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
        assert (done.stdout, done.stderr) == (f"{expected}\n", "")


def test_asking_runs_no_code_of_modules(folder: Path) -> None:
    class Trap(types.ModuleType):
        def __getattr__(self, name: str) -> Any:
            raise SystemExit

    class Proxy:
        def __getattribute__(self, name: str) -> Any:
            raise SystemExit

    sys.modules["nonstop_example_trap"] = Trap("nonstop_example_trap")
    sys.modules["nonstop_example_proxy"] = Proxy()  # type: ignore[assignment]
    write(folder / "nonstop_example_lazy.py", "raise SystemExit\n")
    importlib.invalidate_caches()
    spec = importlib.util.find_spec("nonstop_example_lazy")
    assert spec is not None and spec.loader is not None
    spec.loader = importlib.util.LazyLoader(spec.loader)  # type: ignore[arg-type]
    lazy = importlib.util.module_from_spec(spec)
    sys.modules["nonstop_example_lazy"] = lazy
    spec.loader.exec_module(lazy)
    assert sources.find_source("nonstop_example_trap") == []
    assert sources.find_source("nonstop_example_proxy") == []
    assert sources.find_source("nonstop_example_lazy") == [str(folder / "nonstop_example_lazy.py")]
    refused("no_such_file", place="no_such_shop.py")


# Text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a = '\xc3\xa4'\r\nb\rc", "a = 'ä'\nb\nc"),
        (b"\xef\xbb\xbfa = 1\n", "a = 1\n"),
        (b"# coding: latin-1\na = '\xe4'\n", "# coding: latin-1\na = 'ä'\n"),
        (b"#!/bin/sh\n# vim: set fileencoding=cp1252 :\n'\x80'", "#!/bin/sh\n# vim: set fileencoding=cp1252 :\n'€'"),
        (b"", ""),
    ],
)
def test_text_is_decoded_as_the_interpreter_does(tmp_path: Path, data: bytes, text: str) -> None:
    file = tmp_path / "shop.py"
    file.write_bytes(data)
    assert sources.read_source(str(file)) == text


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        (b"a = '\xe4'\n", ["encoding declaration"]),
        (b"\n\n\n\na = '\xe4'\n", ["utf-8", "0xe4"]),
        (b"# coding: no-such\n", ["unknown encoding", "no-such"]),
        (b"# coding: ascii\na = '\xe4'\n", ["ascii", "0xe4"]),
        (b"\xef\xbb\xbf# coding: latin-1\n", ["encoding problem"]),
        (b"# coding: hex\n", ["hex", "not a text encoding"]),
        (b"# coding: undefined\n", ["undefined encoding"]),
    ],
)
def test_text_that_cannot_be_decoded_is_refused(tmp_path: Path, data: bytes, texts: list[str]) -> None:
    file = tmp_path / "shop.py"
    file.write_bytes(data)
    refused("invalid_source", "shop.py", *texts, call=sources.read_source, place=str(file))
    refused("invalid_source", "shop.py", call=locate, place=f"{file}:1")


# Locations


def test_source_that_does_not_compile_is_refused_with_its_line(tmp_path: Path) -> None:
    for text, part in [("a = 1\nb = = 2\n", "line 2"), ("a\0b\n", "null byte")]:
        file = write(tmp_path / "shop.py", text)
        os.utime(file, ns=(len(text), len(text)))  # what is written within one tick of the clock looks unchanged
        refused("invalid_source", "shop.py", part, call=locate, place=f"{file}:1")
        with Debugger() as debugger:
            refused("invalid_source", "shop.py", part, call=debugger.counter, place=f"{file}:1")
            assert debugger.breakpoints == []


def test_file_that_compiles_is_taken_among_those_that_end_so(folder: Path) -> None:
    broken = write(folder / "a" / "nonstop_shop.py", "print 'old'\n")
    sound = write(folder / "b" / "nonstop_shop.py")
    load("nonstop_example_a", broken)
    load("nonstop_example_b", sound)
    assert locate("nonstop_shop.py:1").files == [(str(sound), "")]
    sound.unlink()
    refused("invalid_source", str(broken), call=locate, place="nonstop_shop.py:1")


def test_location_is_given_to_the_engine_under_the_name_that_links_lead_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = write(Path(os.path.realpath(tmp_path)) / "releases" / "shop.py")
    (tmp_path / "current").symlink_to(real.parent)
    monkeypatch.chdir(tmp_path)
    for text in ("current/shop.py:3", f"{tmp_path}/current/shop.py:3"):
        located = locate(text)
        assert located.text == text
        assert located.encoded == os.fsencode(f"{real}:3")


@pytest.mark.parametrize("loaded", [False, True])
@pytest.mark.parametrize(("asked", "run"), [("current", "releases"), ("releases", "current")])
def test_breakpoint_fires_under_either_name_of_a_link(tmp_path: Path, asked: str, run: str, loaded: bool) -> None:
    real = write(Path(os.path.realpath(tmp_path)) / "releases" / "shop.py")
    (real.parents[1] / "current").symlink_to(real.parent)
    name = real.parents[1] / run / "shop.py"
    if loaded:
        load("nonstop_example_shop", name)
    try:
        with Debugger() as debugger:
            watched = debugger.counter(f"{tmp_path}/{asked}/shop.py:3")
            exec(compile(TEXT, str(name), "exec"), {"__name__": "shop"})
            assert watched.hits == 1
    finally:
        sys.modules.pop("nonstop_example_shop", None)


def test_breakpoint_from_the_working_directory_stands_in_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "shop.py")
    monkeypatch.chdir(tmp_path)
    with Debugger() as debugger:
        watched = debugger.counter("shop.py:2")
        exec(compile(TEXT, str(file), "exec"), {"__name__": "shop"})
        assert (watched.hits, watched.reason) == (1, "")


def test_user_is_told_of_all_files_that_a_location_stands_in(folder: Path) -> None:
    files = [write(folder / part / "nonstop_shop.py") for part in "ab"]
    for part, file in zip("ab", files):
        load(f"nonstop_example_{part}", file)
    with Debugger() as debugger:
        watched = debugger.counter("nonstop_shop.py:3")
        assert "stands in 2 files" in watched.reason
        assert "write more of the path" in watched.reason
        for file in files:
            assert str(file) in watched.reason
        only = debugger.counter("b/nonstop_shop.py:3")
        assert "2 files" not in only.reason


def test_file_that_is_elsewhere_need_not_exist_here() -> None:
    assert find_place("/no/such/shop.py", may_be_elsewhere=True).files == []
    refused("no_such_file", call=locate, place="/no/such/shop.py:3")


def decorate(function: Any) -> Any:
    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        return function(*arguments)

    return call


class Shop:
    def total(self) -> int:
        "What it costs."
        # comment
        return 1

    def short(self) -> int:
        return 2  # fmt: skip

    @decorate
    def decorated(
        self,
    ) -> int:
        return 3

    @functools.cached_property
    def cached(self) -> int:
        return 4

    @property
    def plain(self) -> int:
        return 5

    @staticmethod
    def static() -> int:
        return 6

    partial = functools.partialmethod(total)

    handlers = [
        lambda: (
            7
        ),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (Shop.total, "return 1"),
        (Shop().total, "return 1"),
        (functools.partial(Shop.total), "return 1"),
        (Shop.__dict__["partial"], "return 1"),
        (Shop.short, "return 2"),
        (Shop.decorated, "return 3"),
        (Shop.__dict__["cached"], "return 4"),
        (Shop.plain, "return 5"),
        (Shop.__dict__["static"], "return 6"),
        (Shop.static, "return 6"),
        (Shop.handlers[0], "lambda: ("),
    ],
)
def test_function_leads_to_the_first_line_of_its_body(function: Any, text: str) -> None:
    located = locate(function)
    file, _, line = located.text.rpartition(":")
    assert os.path.samefile(file, __file__)
    assert text in Path(file).read_text().split("\n")[int(line) - 1]
    assert located.encoded == os.fsencode(located.text)


def test_function_of_made_up_text_is_found_under_any_name() -> None:
    for name in ("cell 1", "notebook", "<cell>", "made.up"):
        namespace: dict[str, Any] = {"__name__": "shop"}
        exec(compile("def f():\n    'doc'\n    return 1\n", name, "exec"), namespace)
        with Debugger() as debugger:
            watched = debugger.counter(namespace["f"])
            namespace["f"]()
            assert watched.hits == 1, name


@pytest.mark.parametrize("thing", [len, Shop, Shop(), 3, None, b"shop.py:3", functools.partial(len)])
def test_object_without_python_code_is_no_location(thing: object) -> None:
    with pytest.raises(LocationError) as caught:
        locate(thing)
    assert caught.value.code == "invalid_location"
    assert repr(thing) in str(caught.value)
