"""The Python interface in one page. Run it as it is: `python examples/api.py`."""

from __future__ import annotations

import nonstop


def ship(order: int, weight: float) -> float:
    """The cost of sending a parcel; heavier ones cost more for each kilogram."""
    rate = 2.0 if weight < 10 else 3.5
    return 4.0 + rate * weight


def work() -> None:
    """What the program does anyway. It never waits for anything below."""
    for order in range(1, 9):
        ship(order, weight=order * 2.5)


# A snapshot each time that the function begins with a heavy parcel, with an expression of our own.
heavy = nonstop.breakpoint(ship, condition="weight > 10", capture="weight * 2.2046", max_hits=3)
# A message for every fourth time.
log = nonstop.logpoint("api.py:ship", "order {order} weighs {weight:.1f} kg", hit_condition="% 4")
calls = nonstop.counter("api.py:ship")

work()

for snapshot in heavy.snapshots(timeout=5):  # ends after three: no more can come
    order, pounds = snapshot.locals["order"], snapshot.captures["weight * 2.2046"]
    print(f"hit {snapshot.hit} in {snapshot.location.function}(): order {order}, {pounds.value:.1f} lb")
log.remove()
for message in log.snapshots():  # ends with what came before it was removed
    print("log:", message.message)
print(f"{calls.hits} calls; {heavy.arrivals} arrivals, {heavy.hits} heavy, {heavy.captured} captured: {heavy.state}")
calls.remove()
heavy.remove()
