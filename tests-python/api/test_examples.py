"""The examples do what their pages say."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
README = (EXAMPLES / "README.md").read_text("utf-8")
RECEIPT = "return Receipt(goods, off, taxes, due)"
NOOR = [("items", {"sku": "F-001"}), ("coupons", {"coupon": "WELCOME"}), ("coupons", {"coupon": "GIFT5"})]
ELI = [("items", {"sku": "F-001", "quantity": 2})]


class Shop:
    """The shop in a process of its own."""

    def __init__(self, script: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(EXAMPLES / "shop"), os.environ.get("PYTHONPATH", "")]),
                "PYTHONIOENCODING": "utf-8",
                "PYTHONUNBUFFERED": "1",
            },
        )
        first = self.line()
        assert first.startswith("listening on "), self.end()
        self.port = int(first.rpartition(":")[2])

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def type(self, line: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.line()

    def end(self) -> str:
        """What it wrote to standard error."""
        _, written = self.process.communicate(timeout=30)
        return written

    def visit(self, customer: str, requests: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
        """What a customer gets at checkout."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            cart = self._post(connection, "/carts", {"customer": customer})["cart"]
            for path, body in requests:
                self._post(connection, f"/carts/{cart}/{path}", body)
            return self._post(connection, f"/carts/{cart}/checkout", {})
        finally:
            connection.close()

    @staticmethod
    def _post(connection: http.client.HTTPConnection, path: str, body: dict[str, Any]) -> dict[str, Any]:
        connection.request("POST", path, json.dumps(body))
        response = connection.getresponse()
        text = response.read()
        assert response.status < 300, text
        answer: dict[str, Any] = json.loads(text)
        return answer


@pytest.fixture
def shop() -> Iterator[Shop]:
    started = Shop(EXAMPLES / "shop/with_nonstop.py")
    yield started
    started.process.kill()
    started.process.communicate()


def receipt_line() -> int:
    lines = (EXAMPLES / "shop/pricing.py").read_text("utf-8").splitlines()
    return [line.strip() for line in lines].index(RECEIPT) + 1


def test_api_page_prints_the_same_each_time() -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLES / "api.py"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "hit 1 in ship(): order 5, 27.6 lb",
        "hit 2 in ship(): order 6, 33.1 lb",
        "hit 3 in ship(): order 7, 38.6 lb",
        "log: order 4 weighs 10.0 kg",
        "log: order 8 weighs 20.0 kg",
        "8 calls; 7 arrivals, 3 heavy, 3 captured: exhausted",
    ]


def test_readme_names_the_line_of_the_receipt() -> None:
    assert set(re.findall(r"pricing\.py:(\d+)", README)) == {str(receipt_line())}


def test_breakpoint_set_in_the_running_shop_shows_the_odd_customer(shop: Shop) -> None:
    assert shop.visit("Noor", NOOR)["due"] < 0
    assert shop.type(f"break pricing.py:{receipt_line()} if due < 0") == f"set at pricing.py:{receipt_line()}"
    shop.type(f"log pricing.py:{receipt_line()}: {{cart.customer}} pays {{due}} cents")
    assert shop.visit("Eli", ELI) == {"customer": "Eli", "goods": 900, "discount": 0, "tax": 63, "due": 963}
    assert shop.visit("Noor", NOOR) == {"customer": "Noor", "goods": 450, "discount": 495, "tax": -4, "due": -49}
    odd, log = json.loads(shop.type("report"))["breakpoints"]
    assert (odd["arrivals"], odd["hits"], odd["captured"], odd["dropped"]) == (2, 1, 1, 0)
    assert (log["arrivals"], log["hits"], log["captured"], log["dropped"]) == (2, 2, 2, 0)
    assert shop.type("remove") == "removed"
    assert shop.visit("Noor", NOOR)["due"] == -49
    assert json.loads(shop.type("report"))["breakpoints"][0]["hits"] == 1
    written = shop.end()
    assert "Eli pays 963 cents" in written
    assert "Noor pays -49 cents" in written
    assert "495" in written


def test_what_the_shop_cannot_do_is_answered_with_the_reason(shop: Shop) -> None:
    assert shop.type("break pricing.py:9999").startswith("error: no code at ")
    assert shop.type("break pricing.py:2 if").startswith("error: cannot read")
    assert shop.type("pause").startswith("error: 'pause' is not one of")
    assert shop.visit("Eli", ELI)["due"] == 963


def test_line_without_code_is_answered_with_the_one_that_stands_for_it(shop: Shop) -> None:
    assert shop.type("break pricing.py:2") == "set at pricing.py:2, on line 3"


def test_program_of_the_readme_calls_its_function_for_the_odd_customer(tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", README, re.S)
    script = tmp_path / "mine.py"
    script.write_text(program, "utf-8")
    shop = Shop(script)
    try:
        shop.visit("Eli", ELI)
        shop.visit("Noor", NOOR)
        assert shop.line() == "450 495 ['WELCOME', 'GIFT5']"
    finally:
        shop.process.kill()
        shop.process.communicate()
