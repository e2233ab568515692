"""What a component says about itself."""

from __future__ import annotations

import json
import re

from vr.bus.component import Component
from vr.bus.pages import Place

STAGER = Component("Stager", "3-abc", 3, started=0)


def test_an_announcement_has_the_documented_fields() -> None:
    told = STAGER.announcement(Place("10.0.0.1", 99, ("user", "password")))
    assert re.fullmatch(r"\d+d:\d+h:\d+m:\d+s", told.pop("uptime"))
    assert told == {
        "type": "Stager",
        "index": 3,
        "uuid": "3-abc",
        "host": "10.0.0.1:99",
        "credentials": ["user", "password"],
        "start": "1970-01-01 00:00:00 +0000",
    }


def test_its_pages_are_health_and_facts() -> None:
    page = STAGER.pages(lambda: {"tasks": 7})
    assert page("/healthz").content == b"ok\n"
    varz = page("/varz")
    assert isinstance(varz.content, bytes)
    document = json.loads(varz.content)
    assert (document["tasks"], document["uuid"]) == (7, "3-abc")
    assert "credentials" not in document
    assert page("/etc/passwd").status == 404
