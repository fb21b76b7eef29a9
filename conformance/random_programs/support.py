"""What the random programs import: everything they call is here, in one file without imports of the project, so that a
scenario can carry its text along.

All of it is deterministic, and every loop of a program goes through it: when the fuel is spent, loops end and `use` raises.
"""

from __future__ import annotations

_BITS = [False]
_FUEL = 150

trace = []
box = {}
_kept = []
_state = {"bits": _BITS, "bit": 0, "fuel": _FUEL, "deeper": 0}


class OutOfFuel(BaseException):
    """The program has run long enough."""


class Done(Exception):  # noqa: N818 (it is no error)
    """A `while True` has made its passes."""


def begin(bits=(), fuel=_FUEL):
    """Start anew: the outcomes of `flag()`, which are repeated, and how many calls a program may make."""
    trace.clear()
    box.clear()
    box.update({0: 0, 1: 1})
    _kept.clear()
    _state.update(bits=list(bits) or _BITS, bit=0, fuel=fuel, deeper=0)


def shown(value):
    """A value as the trace shows it: no addresses, and nothing that runs the program's code."""
    kind = type(value)
    if kind in (int, bool, str) or value is None:
        return repr(value)
    if kind in (list, tuple):
        return f"{kind.__name__}({', '.join(map(shown, value))})"
    if kind is set:
        return f"set({', '.join(sorted(map(shown, value)))})"
    if kind is dict:
        return f"dict({', '.join(f'{shown(key)}: {shown(item)}' for key, item in value.items())})"
    if isinstance(value, BaseException):
        return kind.__name__
    return f"<{kind.__name__}>"


def _spend():
    _state["fuel"] -= 1
    return _state["fuel"] >= 0


def use(*args):
    """Put the arguments on the trace and give the first one where it is a number, else 1."""
    if not _spend():
        raise OutOfFuel
    trace.append(" ".join(map(shown, args)))
    return args[0] if args and isinstance(args[0], int) else 1


def flag():
    """The next of the truth values that were drawn with the program."""
    if not _spend():
        return False
    bits = _state["bits"]
    _state["bit"] += 1
    return bits[(_state["bit"] - 1) % len(bits)]


def nothing():
    """None, but the compiler does not know."""


def deeper():
    """Whether there may be one more recursive call."""
    _state["deeper"] += 1
    return _state["deeper"] <= 3


class Countdown:
    """Bounds a loop: true so many times."""

    def __init__(self, count):
        self._left = count

    def more(self):
        self._left -= 1
        return self._left >= 0 and _spend()

    def step(self):
        if not self.more():
            raise Done


class items:  # noqa: N801 (it reads as a function)
    """An iterator over so many numbers; for `async for` too, where it waits before each."""

    def __init__(self, count):
        self._numbers = iter(range(count))

    def __iter__(self):
        return self

    def __next__(self):
        if not _spend():
            raise StopIteration
        return next(self._numbers)

    def __aiter__(self):
        return self

    async def __anext__(self):
        await wait(1)
        try:
            return self.__next__()
        except StopIteration:
            raise StopAsyncIteration from None


class Manager:
    """A context manager that may swallow what the body raises, or raise itself; for `async with` it waits too."""

    def __init__(self, value=0, swallows=False, fails=""):
        self._value = value
        self._swallows = swallows
        self._fails = fails

    def __enter__(self):
        use("enter", self._value)
        if self._fails == "enter":
            raise ValueError(self._value)
        return self._value

    def __exit__(self, kind, error, trace):
        use("exit", "" if kind is None else kind.__name__)
        if self._fails == "exit":
            raise KeyError(self._value)
        return self._swallows and kind is not None and issubclass(kind, Exception)

    async def __aenter__(self):
        await wait(1)
        return self.__enter__()

    async def __aexit__(self, *error):
        await wait(1)
        return self.__exit__(*error)


class wait:  # noqa: N801 (it reads as a function)
    """Something to await: suspended so many times, then gives the count."""

    def __init__(self, count):
        self._count = count if isinstance(count, int) and 0 <= count <= 2 else 1

    def __await__(self):
        yield from range(self._count)
        return self._count


async def waits(*args):
    """Stands for a coroutine function of the program."""
    return await wait(1)


def some(*args):
    """Stands for a generator function of the program, asynchronous or not."""
    return items(2)


def counting(*args):
    """Stands for a generator function that is resumed by hand."""
    yield from range(3)


def call(function, argument):
    """Call a function, such as a lambda."""
    return function(argument)


def run(coroutine):
    """Run a coroutine to its end."""
    while True:
        try:
            coroutine.send(None)
        except StopIteration as end:
            return end.value


def keep(generator):
    """Hold a generator until the end of the program, when it is closed: none is left to the collector."""
    _kept.append(generator)
    return generator


def drain(generator, count=2):
    """Take a few items of a generator, and give their number."""
    return len([use(item) for _, item in zip(range(count), generator)])


async def _collect(generator, count):
    found = []
    async for item in generator:
        found.append(item)
        if len(found) == count:
            break
    return found


def attempt(function, *args):
    """Call a function of any kind; what it raises goes on the trace."""
    try:
        result = function(*args)
        if hasattr(result, "__anext__"):
            result = run(_collect(keep(result), 3))
        elif hasattr(result, "__next__"):
            result = drain(keep(result), 3)
        elif hasattr(result, "__await__"):
            result = run(result)
        trace.append(shown(result))
    except Exception as error:
        trace.append(type(error).__name__)


def same(function):
    """A decorator that changes nothing."""
    return function


def mark(value):
    """The same, called."""
    use("mark", value)
    return same


class Chain:
    """For chains of method calls."""

    def add(self, value=0):
        use("add", value)
        return self

    def end(self):
        return 1


class Codes:
    """For value patterns."""

    ONE = 1


class Point:
    """For class patterns."""

    __match_args__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y


def finish():
    """Close what was kept, each until it gives in."""
    while _kept:
        generator = _kept.pop()
        for _ in range(1000):
            try:
                if hasattr(generator, "athrow"):
                    if generator.ag_frame is None:
                        break
                    # After a failed `aclose()` it would count as closed, and be left to the collector.
                    run(generator.athrow(GeneratorExit))
                    trace.append("close: another item")
                    continue
                if hasattr(generator, "close"):
                    generator.close()
            except RuntimeError:  # it gave another item instead
                trace.append("close: RuntimeError")
                continue
            except BaseException as error:
                trace.append(f"close: {type(error).__name__}")
            break
