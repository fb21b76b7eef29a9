"""What is done with modules of the standard library, so that most of what is in them runs."""

from __future__ import annotations

import asyncio
import io
import json.scanner
from collections.abc import Callable
from typing import Any


def text_wrapper(m: Any) -> Any:
    text = "The quick brown fox, that-is-hyphenated, jumped over\n\n\tthe lazy dog. " * 3
    filled = m.fill(text, 30, initial_indent="* ", break_on_hyphens=False, max_lines=4)
    return filled, m.dedent(m.indent(text, "    ", lambda line: line.strip() != "")), m.shorten(text, 20)


def differences(m: Any) -> Any:
    before, after = ["one\n", "two\n", "three\n", "four\n"], ["ore\n", "tree\n", "emu\n", "four\n"]
    return (
        list(m.ndiff(before, after)),
        list(m.unified_diff(before, after, "a", "b")),
        list(m.context_diff(before, after)),
        len(m.HtmlDiff().make_table(before, after)),
        m.get_close_matches("appel", ["ape", "apple", "peach"]),
        m.SequenceMatcher(None, "abxcd", "abcd").get_opcodes(),
    )


def statistics(m: Any) -> Any:
    data = [1, 2.5, 2, 4, 4, 7]
    try:
        m.mean([])
    except m.StatisticsError as error:
        return [
            str(error),
            m.mean(data),
            m.median(data),
            m.median_grouped([1, 2, 2, 3]),
            m.multimode("aabb"),
            m.stdev(data),
            m.quantiles(data, n=4),
            m.harmonic_mean([2, 3]),
            m.NormalDist(1, 2).cdf(0.5),
            (m.NormalDist(1, 2) + m.NormalDist(3, 1)).overlap(m.NormalDist(2, 2)),
        ]


def heaps(m: Any) -> Any:
    merged = list(m.merge([1, 4, 6], [2, 3, 9], [0]))
    keyed = list(m.merge(["dog", "horse"], ["cat", "fish", "kangaroo"], key=len, reverse=False))
    return merged, keyed, m.nlargest(2, [3, 1, 2], key=lambda x: -x), m.nsmallest(3, range(9)), m.nsmallest(1, [2, 1])


def data_classes(m: Any) -> Any:
    made = m.make_dataclass("Shop", [("name", str), ("size", int, m.field(default=3))], order=True)
    frozen = m.make_dataclass("Frozen", [("shop", made)], frozen=True)
    one = frozen(made("a"))
    try:
        one.shop = None
    except m.FrozenInstanceError as error:
        # What is shown later is shown by the module's code as well.
        changed = repr(m.replace(one, shop=made("b", 1)))
        return repr(one), str(error), m.asdict(one), m.astuple(one), changed, made("a") < made("b")


def arguments(m: Any) -> Any:
    parser = m.ArgumentParser(prog="shop", description="Sells.")
    parser.add_argument("--count", type=int, choices=[1, 2, 3], default=1, metavar="N", help="how many")
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--red", action="store_true")
    group.add_argument("--blue", action="append")
    sub = parser.add_subparsers(dest="command")
    sub.add_parser("buy").add_argument("things", nargs="*")
    return vars(parser.parse_args(["--count=2", "--blue", "a", "buy", "x", "y"])), parser.format_help()


def syntax_trees(m: Any) -> Any:
    source = "def f(a, *b, c=1, **d):\n    '''x'''\n    with a as e, b:\n        return [i async for i in c if not d]\n"
    tree = m.parse(source)
    names = [node.id for node in m.walk(tree) if isinstance(node, m.Name)]
    return names, m.dump(tree), m.unparse(tree), m.literal_eval("{'a': (1, -2.5, [None])}")


def tokens(m: Any) -> Any:
    source = b"# -*- coding: utf-8 -*-\nif a:\n    b = '''c\nd''' + 0x1F\\\n    .real\nelse: pass\n"
    found = list(m.tokenize(io.BytesIO(source).readline))
    return [tuple(token) for token in found], m.untokenize(found)


def decimals(m: Any) -> Any:
    with m.localcontext() as context:
        context.prec = 9
        one = m.Decimal("3.14159").sqrt() / m.Decimal(7) - m.Decimal("1e-3")
        two = m.Decimal(2).ln(), m.Decimal("123.456").quantize(m.Decimal("0.1")), m.Decimal("10").log10()
        three = [format(m.Decimal("1234567.891"), spec) for spec in (",.2f", "e", "010.1f", "%")]
        try:
            m.Decimal(1) / m.Decimal(0)
        except m.DivisionByZero:
            return str(one), [str(x) for x in two], three, str(m.Decimal("NaN")), str(m.Decimal(5) ** 3)


def queues(m: Any) -> Any:
    async def main() -> list[Any]:
        queue: Any = m.PriorityQueue(maxsize=2)
        found: list[Any] = []

        async def produce() -> None:
            for number in (3, 1, 2):
                await queue.put(number)

        async def consume() -> None:
            while len(found) < 3:
                found.append(await asyncio.wait_for(queue.get(), 5))
                queue.task_done()

        await asyncio.gather(produce(), consume())
        await queue.join()
        try:
            queue.get_nowait()
        except m.QueueEmpty:
            found.append("empty")
        return found

    return asyncio.run(main())


def locks(m: Any) -> Any:
    async def main() -> list[Any]:
        lock, condition, semaphore, event = m.Lock(), m.Condition(), m.BoundedSemaphore(1), m.Event()
        found = []

        async def wait() -> None:
            async with condition:
                await condition.wait_for(lambda: bool(found))
                found.append("notified")
            await event.wait()

        waiting = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        async with lock, semaphore:
            found.append(repr(lock.locked()))
            async with condition:
                condition.notify_all()
        event.set()
        await waiting
        return found

    return asyncio.run(main())


def context_managers(m: Any) -> Any:
    found: list[Any] = []

    @m.contextmanager
    def managed(name: str) -> Any:
        found.append(name)
        try:
            yield name
        except ValueError:
            found.append("caught")
        finally:
            found.append(f"left {name}")

    with m.ExitStack() as stack:
        stack.enter_context(m.suppress(ZeroDivisionError))
        stack.enter_context(managed("a"))
        stack.callback(found.append, "end")
        stack.push(m.closing(io.StringIO()))
        with managed("b"):
            raise ValueError
        1 // 0

    async def main() -> None:
        async with m.AsyncExitStack() as stack:
            stack.push_async_callback(asyncio.sleep, 0)
            stack.enter_context(m.nullcontext())

    asyncio.run(main())
    return found


def unit_tests(m: Any) -> Any:
    class Test(m.TestCase):
        def test_fine(self) -> None:
            with self.subTest(1), self.assertRaisesRegex(ValueError, "x"):
                raise ValueError("x")
            self.assertAlmostEqual(1, 1.00000001)
            self.assertCountEqual([1, 2], [2, 1])

        def test_not_fine(self) -> None:
            self.addCleanup(len, "")
            self.assertEqual({"a": 1}, {"a": 2})

        @m.skip("later")
        def test_later(self) -> None: ...

    from unittest.result import TestResult

    result = TestResult()
    for name in ("test_fine", "test_not_fine", "test_later"):
        Test(name).run(result)
    return result.testsRun, len(result.failures), len(result.errors), [reason for _, reason in result.skipped]


def mocks(m: Any) -> Any:
    mock = m.MagicMock(return_value=3)
    mock.method.side_effect = [1, KeyError("x")]
    with m.patch("os.getcwd", mock):
        import os

        found = [os.getcwd(), mock.method(a=1)]
    try:
        mock.method()
    except KeyError:
        found.append(mock.method.call_count)
    mock.assert_called_once_with()
    return found, mock.method.mock_calls == [m.call(a=1), m.call()], len(mock)


def json_reader(m: Any) -> Any:
    decoder = m.JSONDecoder(object_pairs_hook=list)
    decoder.parse_string = m.py_scanstring
    decoder.scan_once = json.scanner.py_make_scanner(decoder)
    text = '{"a": [1, 2.5, null, true, {"b": "\\u00fc\\n"}], "c": ""}'
    found = [m.JSONObject((text, 1), True, decoder.scan_once, None, None, {}), m.py_scanstring(text, 2)]
    try:
        decoder.decode("[1, 2")
    except ValueError as error:
        return found, str(error)


def json_writer(m: Any) -> Any:
    m.c_make_encoder = None
    data = {"a": [1, 2.5, None, True, {"b": "\xfc", 3: float("inf")}], "c": (), "d": {}}
    found = [m.JSONEncoder(indent=indent, ensure_ascii=bool(indent)).encode(data) for indent in (None, 2)]
    try:
        m.JSONEncoder().encode([object])
    except TypeError as error:
        return found, str(error)


#: By the file, in the folder of the library: the package that it is in, and what is done with it.
EXERCISES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "_pydecimal.py": ("", decimals),
    "argparse.py": ("", arguments),
    "ast.py": ("", syntax_trees),
    "asyncio/locks.py": ("asyncio", locks),
    "asyncio/queues.py": ("asyncio", queues),
    "contextlib.py": ("", context_managers),
    "dataclasses.py": ("", data_classes),
    "difflib.py": ("", differences),
    "heapq.py": ("", heaps),
    "json/decoder.py": ("json", json_reader),
    "json/encoder.py": ("json", json_writer),
    "statistics.py": ("", statistics),
    "textwrap.py": ("", text_wrapper),
    "tokenize.py": ("", tokens),
    "unittest/case.py": ("unittest", unit_tests),
    "unittest/mock.py": ("unittest", mocks),
}
