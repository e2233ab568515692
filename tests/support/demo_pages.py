"""Where each page of the table is, in the installation that `support.demo` fills."""

from __future__ import annotations

import re

from support.demo import RUNNING_TRACE
from vr.server.web.pages import Page, Part

EXAMPLES = {
    "int:pk": "1",
    "int:key": "1",
    "str:key": "shop",
    "slug:trace_id": RUNNING_TRACE,
    "str:host": "atlas.example.org",
    "str:name": "shop-v2-prod-v2c0ffee-web-5004",
}
"""What stands in the places of a route."""


def address(page: Page | Part) -> str:
    """The path of an example of the page; KeyError for a route with a place of another kind."""
    return "/" + re.sub(r"<(\w+:\w+)>", lambda place: EXAMPLES[place[1]], page.route)
