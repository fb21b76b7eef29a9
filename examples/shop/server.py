"""A shop that speaks JSON over HTTP: a catalogue, carts, checkout.

    GET  /catalogue            GET  /catalogue/SKU
    POST /carts                {"customer": "Ada"}
    GET  /carts/1
    POST /carts/1/items        {"sku": "B-001", "quantity": 2}
    POST /carts/1/coupons      {"coupon": "WELCOME"}
    POST /carts/1/checkout

Run `python server.py --port 8000`; without a port it takes a free one, and says which.
"""

from __future__ import annotations

import argparse
import itertools
import json
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import catalogue
import pricing

#: Longer requests are refused.
MAX_BODY_BYTES = 65536


class RequestError(Exception):
    """A request that cannot be answered with what it asks for."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Shop(ThreadingHTTPServer):
    """The server, with the carts of all customers: a thread for each connection."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.carts: dict[int, pricing.Cart] = {}
        self._numbers = itertools.count(1)

    def open_cart(self, customer: str) -> pricing.Cart:
        """A new cart."""
        cart = pricing.Cart(next(self._numbers), customer)
        self.carts[cart.number] = cart
        return cart

    def checkout(self, number: int) -> dict[str, Any]:
        """Close the cart; it costs what the receipt says."""
        cart = self.carts[number]
        receipt = pricing.receipt(cart)
        del self.carts[number]
        return {"customer": cart.customer, **receipt._asdict()}


class Handler(BaseHTTPRequestHandler):
    """One connection; it stays open for many requests."""

    server: Shop
    protocol_version = "HTTP/1.1"
    timeout = 60
    # The head and the body of an answer leave in one packet, and at once.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer a question."""
        self._answer({("catalogue",): self._catalogue, ("catalogue", "*"): self._product, ("carts", "*"): self._cart})

    def do_POST(self) -> None:
        """Change something."""
        self._answer(
            {
                ("carts",): self._open,
                ("carts", "*", "items"): self._add,
                ("carts", "*", "coupons"): self._use,
                ("carts", "*", "checkout"): self._checkout,
            }
        )

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep no access log: under load it would be all that is to be seen."""

    def _answer(self, routes: dict[tuple[str, ...], Any]) -> None:
        try:
            body = self._body()
            parts = self.path.strip("/").split("/")
            # The second part is a number or a name.
            route = routes.get((*parts[:1], *("*" for _ in parts[1:2]), *parts[2:]))
            if route is None:
                raise RequestError(404, f"nothing at {self.command} {self.path}")
            status, document = route(body, *parts[1:2])
        except RequestError as error:
            status, document = error.status, {"error": str(error)}
        except Exception:
            traceback.print_exc()
            status, document = 500, {"error": "internal error"}
        encoded = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length") or "0"
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True  # what is not read would be taken for the next request
            raise RequestError(413, f"a body of {length} bytes; at most {MAX_BODY_BYTES} are read")
        try:
            document = json.loads(self.rfile.read(int(length)) or b"{}")
        except ValueError as error:
            raise RequestError(400, f"not JSON: {error}") from None
        if not isinstance(document, dict):
            raise RequestError(400, "not a JSON object")
        return document

    def _catalogue(self, _body: dict[str, Any]) -> tuple[int, Any]:
        return 200, [product._asdict() for product in catalogue.PRODUCTS.values()]

    def _product(self, _body: dict[str, Any], sku: str) -> tuple[int, Any]:
        try:
            return 200, catalogue.find(sku)._asdict()
        except catalogue.UnknownProductError as error:
            raise RequestError(404, str(error)) from None

    def _open(self, body: dict[str, Any]) -> tuple[int, Any]:
        return 201, _shown(self.server.open_cart(str(body.get("customer", "anonymous"))))

    def _cart(self, _body: dict[str, Any], number: str) -> tuple[int, Any]:
        return 200, _shown(self._find(number))

    def _add(self, body: dict[str, Any], number: str) -> tuple[int, Any]:
        cart = self._find(number)
        try:
            cart.add(str(body["sku"]), int(body.get("quantity", 1)))
        except (KeyError, ValueError, TypeError, catalogue.UnknownProductError) as error:
            raise RequestError(400, str(error)) from None
        return 200, _shown(cart)

    def _use(self, body: dict[str, Any], number: str) -> tuple[int, Any]:
        cart = self._find(number)
        try:
            cart.use(str(body.get("coupon")))
        except pricing.UnknownCouponError as error:
            raise RequestError(400, str(error)) from None
        return 200, _shown(cart)

    def _checkout(self, _body: dict[str, Any], number: str) -> tuple[int, Any]:
        return 200, self.server.checkout(self._find(number).number)

    def _find(self, number: str) -> pricing.Cart:
        cart = self.server.carts.get(int(number)) if number.isdecimal() else None
        if cart is None:
            raise RequestError(404, f"no cart {number}")
        return cart


def _shown(cart: pricing.Cart) -> dict[str, Any]:
    return {"cart": cart.number, "customer": cart.customer, "items": cart.quantities, "coupons": cart.coupons}


def make_shop() -> Shop:
    """The server that the command line asks for, with its address on standard output."""
    parser = argparse.ArgumentParser(description="A small shop that speaks JSON over HTTP, on this machine only.")
    parser.add_argument("--port", type=int, default=0, help="the port (default: a free one)")
    shop = Shop(parser.parse_args().port)
    print(f"listening on http://127.0.0.1:{shop.server_port}", flush=True)
    return shop


if __name__ == "__main__":
    try:
        make_shop().serve_forever()
    except KeyboardInterrupt:
        print("closed", flush=True)
