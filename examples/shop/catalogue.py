"""What the shop sells. Prices are in cents."""

from __future__ import annotations

from typing import NamedTuple


class Product(NamedTuple):
    """One thing on the shelf."""

    sku: str
    name: str
    price: int
    #: Decides the rate of tax.
    kind: str


class UnknownProductError(LookupError):
    """Nothing is sold under that number."""


PRODUCTS = {
    product.sku: product
    for product in (
        Product("B-001", "Atlas of Small Islands", 3900, "book"),
        Product("B-002", "Bread at Home", 2450, "book"),
        Product("B-003", "The Night Train", 1290, "book"),
        Product("G-001", "Desk lamp", 5900, "goods"),
        Product("G-002", "Fountain pen", 2800, "goods"),
        Product("G-003", "Notebook", 650, "goods"),
        Product("F-001", "Green tea", 450, "food"),
        Product("F-002", "Ginger biscuits", 320, "food"),
    )
}


def find(sku: str) -> Product:
    """The product of that number."""
    try:
        return PRODUCTS[sku]
    except KeyError:
        raise UnknownProductError(f"no product {sku!r}") from None
