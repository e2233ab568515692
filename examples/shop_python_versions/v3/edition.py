"""What differs from one version of the shop to the next.

This one is broken on purpose: the shop starts and says that it is healthy, but prices have become
text, so that no page can add them up. Its uptest finds out before a customer does.
"""

VERSION = "v3"
HEADLINE = "Now with local prices"
ACCENT = "#b3261e"
PRODUCTS = [
    {"name": "Feather comb", "price": "12,50 €"},
    {"name": "Claw polish", "price": "8,90 €"},
]
