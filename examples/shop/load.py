"""Customers for the shop: a sustained load over a few connections, with the latency of each request.

    python load.py --port 8000 --seconds 10

Every connection sends its next request when the last one is answered, and makes place for a new one after many
customers, as those of a proxy do. The load is bounded in time and in requests, whoever forgets to end it, and goes to
this machine only.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import threading
import time
from typing import Any, NamedTuple

#: What each customer buys, with which coupons. Noor has one coupon more than the others.
CUSTOMERS: tuple[tuple[str, dict[str, int], tuple[str, ...]], ...] = (
    ("Ada", {"B-001": 1, "B-003": 2}, ("WELCOME",)),
    ("Bo", {"G-003": 12, "G-002": 1}, ()),
    ("Chidi", {"B-002": 1}, ("GIFT5",)),
    ("Dora", {"G-001": 1, "F-001": 4}, ("SUMMER",)),
    ("Eli", {"F-001": 2, "F-002": 2}, ()),
    ("Farah", {"B-001": 1, "G-002": 1}, ("GIFT20",)),
    ("Goran", {"G-003": 3}, ("WELCOME",)),
    ("Noor", {"F-001": 1}, ("WELCOME", "GIFT5")),
)


class Request(NamedTuple):
    """What is sent. A path may have a place for the number of the cart."""

    method: str
    path: str
    body: dict[str, Any] | None


class Figures(NamedTuple):
    """What one phase of the load came to."""

    requests: int
    seconds: float
    #: Milliseconds that half, 95 and 99 percent of the requests took at most.
    p50: float
    p95: float
    p99: float
    errors: int
    #: Of the errors.
    first_error: str

    @property
    def per_second(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds if self.seconds else 0.0


class Phase:
    """A stretch of the load that is looked at by itself."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.ended: float | None = None
        # Appending to a list is atomic: the connections share it without a lock.
        self.latencies: list[float] = []
        self.errors: list[str] = []

    def figures(self) -> Figures:
        """Of the phase so far, or all of it when it is over."""
        seconds = (self.ended or time.monotonic()) - self.began
        ordered = sorted(self.latencies)
        p50, p95, p99 = (_quantile(ordered, share) * 1e3 for share in (0.50, 0.95, 0.99))
        errors = list(self.errors)
        return Figures(len(ordered), seconds, p50, p95, p99, len(errors), errors[0] if errors else "")


class Load:
    """The running load. A context manager that ends it.

    :param port: of the shop, on 127.0.0.1.
    :param connections: how many; each has a thread.
    :param seconds: after so many it ends by itself.
    :param requests: after so many it ends by itself.
    """

    def __init__(self, port: int, connections: int = 4, seconds: float = 60, requests: int = 500_000) -> None:
        self._port = port
        self._deadline = time.monotonic() + seconds
        self._budget = requests // connections
        self._over = threading.Event()
        self._phase = Phase()
        self._threads = [
            threading.Thread(target=self._shop, args=(first,), name=f"connection-{first}")
            for first in range(connections)
        ]
        for thread in self._threads:
            thread.start()

    def phase(self) -> Phase:
        """End the present phase and begin another. A request belongs to the one in which its answer comes."""
        self._phase.ended = time.monotonic()
        self._phase = Phase()
        return self._phase

    def close(self) -> None:
        """Let every customer finish the request under way, and end."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        if self._phase.ended is None:
            self._phase.ended = time.monotonic()

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _shop(self, first: int) -> None:
        """One connection at a time: customer after customer."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        left = self._budget
        for visitor in itertools.islice(itertools.cycle(CUSTOMERS), first, None):
            cart = 0
            for request in _visit(*visitor):
                if self._over.is_set() or not left or time.monotonic() > self._deadline:
                    connection.close()
                    return
                left -= 1
                began = time.perf_counter()
                try:
                    answer = _ask(connection, request, cart)
                except (OSError, http.client.HTTPException, ValueError) as error:
                    self._phase.errors.append(f"{request.method} {request.path}: {error!r}")
                    connection.close()
                    self._over.wait(0.05)
                    break
                self._phase.latencies.append(time.perf_counter() - began)
                if request.path == "/carts":
                    cart = answer["cart"]


def _visit(customer: str, items: dict[str, int], coupons: tuple[str, ...]) -> list[Request]:
    """The requests of one customer, from the catalogue to checkout."""
    return [
        Request("GET", "/catalogue", None),
        Request("POST", "/carts", {"customer": customer}),
        *(Request("POST", "/carts/{}/items", {"sku": sku, "quantity": number}) for sku, number in items.items()),
        *(Request("POST", "/carts/{}/coupons", {"coupon": coupon}) for coupon in coupons),
        Request("POST", "/carts/{}/checkout", {}),
    ]


def _ask(connection: http.client.HTTPConnection, request: Request, cart: int) -> Any:
    body = None if request.body is None else json.dumps(request.body)
    connection.request(request.method, request.path.format(cart), body)
    response = connection.getresponse()
    text = response.read()
    if response.status >= 400:
        raise ValueError(f"status {response.status}: {text[:200]!r}")
    return json.loads(text)


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


def main() -> None:
    """Load the shop, and say how it went."""
    parser = argparse.ArgumentParser(description="A sustained load for the shop.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=10)
    asked = parser.parse_args()
    with Load(asked.port, asked.connections, asked.seconds) as load:
        phase = load.phase()
        time.sleep(asked.seconds)
    figures = phase.figures()
    print(
        f"{figures.requests} requests, {figures.per_second:.0f} a second; "
        f"p50 {figures.p50:.1f} ms, p95 {figures.p95:.1f} ms, p99 {figures.p99:.1f} ms; {figures.errors} errors"
    )
    if figures.errors:
        print(f"first error: {figures.first_error}")


if __name__ == "__main__":
    main()
