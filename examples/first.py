"""The program of the README: carts, prices, and a coupon too many."""

PRICES = {"apple": 30, "pear": 45, "plum": 20}


class Cart:
    """What one customer buys."""

    def __init__(self, customer: str, items: dict) -> None:
        self.customer = customer
        self.items = items


def total(cart: Cart, coupon: int) -> int:
    """What a cart costs, in cents."""
    goods = sum(PRICES[name] * count for name, count in cart.items.items())
    due = goods - coupon
    return due


for number in range(3):
    cart = Cart(f"customer-{number}", {"apple": number, "pear": 1})
    print(cart.customer, "pays", total(cart, coupon=50 * number))
