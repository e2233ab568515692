"""What differs from one version of the shop to the next."""

VERSION = "v2"
HEADLINE = "The autumn collection has hatched"
ACCENT = "#5b4bd6"
PRODUCTS = [
    {"name": "Feather comb", "price": 12.5},
    {"name": "Claw polish", "price": 8.9},
    {"name": "Nest lantern", "price": 29.0},
    {"name": "Rain cape", "price": 54.0},
]
