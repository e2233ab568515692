"""A service's own web pages."""

from __future__ import annotations

import io

import httpx
import pytest

from support.ports import free_port
from vr.bus.pages import Page, Place, WebSettings, pages_served
from vr.errors import VelociraptorError


def pages(path: str) -> Page:
    if path == "/a file":
        return Page(io.BytesIO(b"its content"))
    return Page(path.encode(), status=404)


def get(place: Place, path: str, auth: tuple[str, str] | None) -> httpx.Response:
    return httpx.get(f"http://{place.host}:{place.port}{path}", auth=auth, trust_env=False)


def test_pages_are_for_those_who_know_user_and_password() -> None:
    with pages_served(pages, "127.0.0.1", WebSettings(user="u", password="p")) as place:
        assert place.credentials == ("u", "p")
        for wrong in (None, ("u", ""), ("u", "P"), ("", "p")):
            assert get(place, "/x", wrong).status_code == 401
        assert get(place, "/a%20file?x", ("u", "p")).text == "its content"
        missing = get(place, "/../x", ("u", "p"))
        assert missing.status_code == 404


def test_credentials_are_made_up_and_ports_are_found() -> None:
    with (
        pages_served(pages, "127.0.0.1", WebSettings()) as one,
        pages_served(pages, "127.0.0.1", WebSettings()) as two,
    ):
        assert one.port != two.port
        assert one.credentials != two.credentials
        assert len(one.credentials[1]) >= 32


def test_a_port_that_is_taken_is_an_error_that_says_so() -> None:
    with (
        pages_served(pages, "127.0.0.1", WebSettings(port=free_port())) as place,
        pytest.raises(VelociraptorError, match=r"can't be served at 127\.0\.0\.1:"),
        pages_served(pages, "127.0.0.1", WebSettings(port=place.port)),
    ):
        pass
