"""What a cart costs: goods, discounts, tax. Amounts are in cents."""

from __future__ import annotations

from typing import NamedTuple

import catalogue

TAX_PERCENT = {"book": 7, "food": 7, "goods": 19}

#: Percent off, or cents off.
COUPONS = {"WELCOME": ("percent", 10), "SUMMER": ("percent", 15), "GIFT5": ("cents", 500), "GIFT20": ("cents", 2000)}

#: From so many of one product on, each is so many percent cheaper.
MANY, MANY_PERCENT = 10, 5


class UnknownCouponError(LookupError):
    """There is no such coupon."""


class Cart:
    """What a customer has picked so far."""

    def __init__(self, number: int, customer: str) -> None:
        self.number = number
        self.customer = customer
        self.quantities: dict[str, int] = {}
        self.coupons: list[str] = []

    def add(self, sku: str, quantity: int) -> None:
        """Put some of a product into the cart."""
        product = catalogue.find(sku)
        if quantity < 1:
            raise ValueError(f"quantity is {quantity}; it must be 1 or more")
        self.quantities[product.sku] = self.quantities.get(product.sku, 0) + quantity

    def use(self, coupon: str) -> None:
        """Hand in a coupon; each can be used once."""
        if coupon not in COUPONS:
            raise UnknownCouponError(f"no coupon {coupon!r}")
        if coupon not in self.coupons:
            self.coupons.append(coupon)


class Receipt(NamedTuple):
    """What is to be paid, and why."""

    goods: int
    discount: int
    tax: int
    due: int


def receipt(cart: Cart) -> Receipt:
    """Add it all up."""
    prices = {sku: price(sku, quantity) for sku, quantity in cart.quantities.items()}
    goods = sum(prices.values())
    off = discount(cart.coupons, goods)
    taxes = tax(prices, goods, off)
    due = goods - off + taxes
    return Receipt(goods, off, taxes, due)


def price(sku: str, quantity: int) -> int:
    """The price of so many of one product."""
    full = catalogue.find(sku).price * quantity
    if quantity >= MANY:
        return full - full * MANY_PERCENT // 100
    return full


def discount(coupons: list[str], goods: int) -> int:
    """What the coupons take off. No coupon is worth more than the goods."""
    off = 0
    for coupon in coupons:
        kind, amount = COUPONS[coupon]
        worth = goods * amount // 100 if kind == "percent" else amount
        off += min(worth, goods)
    return off


def tax(prices: dict[str, int], goods: int, off: int) -> int:
    """The tax on what is left after the discount, which lowers every price by the same share."""
    full = sum(amount * TAX_PERCENT[catalogue.find(sku).kind] for sku, amount in prices.items())
    return full * (goods - off) // (goods * 100) if goods else 0
