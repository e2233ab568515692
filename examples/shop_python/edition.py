"""What differs from one version of the shop to the next."""

VERSION = "v1"
HEADLINE = "Everything a young raptor needs"
ACCENT = "#1f7a5c"
PRODUCTS = [
    {"name": "Feather comb", "price": 12.5},
    {"name": "Claw polish", "price": 8.9},
    {"name": "Nest lantern", "price": 34.0},
]
