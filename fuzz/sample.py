"""What the seeds of the fuzz targets are made of: code of every kind, in the grammar of Python 3.9."""


def loop(prices):
    amount = 0
    for price in prices:
        try:
            amount += price
        except TypeError:
            amount = -1
    return amount


def nested(path, limit):
    with open(path) as file, open(path) as other:
        while limit:
            try:
                if not file.readline():
                    break
                limit -= 1
            except (OSError, ValueError) as error:
                print(error)
                continue
            finally:
                print(limit)
        else:
            return other
    return None


def generator(rows):
    for row in rows:
        got = yield row
        if got:
            yield from got


async def coroutine(sources):
    async with sources as opened:
        async for one in opened:
            await one
    return [await one async for one in sources if one]


def one_line(a, b): return [x + y for x in a for y in b if x != y]


def spread(
    first,
    second=(1, 2),
):
    return call(
        first,
        *second,
        key=lambda value: value
        or None,
    )


def endless(queue):
    while True:
        item = queue.get()
        if item is None:
            del item
            return


class Shop:
    name = "shop"

    @property
    def total(self):
        return super().total


def call(*args, **names):
    return args, names


# So long that jumps need prefixes.
LONG = "def long(a):\n    while a:\n" + "        a = (a + 1) * 2 if a else call(a, a)\n" * 40 + "    return a\n"
# Lines so far apart that a table needs several entries for one step.
FAR = "def far(a):\n    a = 1" + "\n" * 300 + "    return a\n"
