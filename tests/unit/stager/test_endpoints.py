"""Droplets as forms: only the documented shape is taken."""

from __future__ import annotations

import io

import httpx
import pytest

from vr.stager.endpoints import copy_part


def form(field: str, content: bytes, **more: bytes) -> tuple[bytes, bytes]:
    parts = {field: ("droplet.tgz", content), **{k: ("x", v) for k, v in more.items()}}
    request = httpx.Request("POST", "http://x", files=parts)
    return request.read(), request.headers["Content-Type"].partition("boundary=")[2].encode()


@pytest.mark.parametrize("content", [b"", b"x", b"\r\n--\r\n" * 9, bytes(range(256)) * 9000])
def test_the_content_comes_through_as_it_is(content: bytes) -> None:
    body, boundary = form("upload[droplet]", content)
    target = io.BytesIO()
    copy_part(io.BytesIO(body), len(body), boundary, target)
    assert target.getvalue() == content


@pytest.mark.parametrize(
    ("body", "boundary"),
    [
        form("other", b"x"),
        form("upload[droplet]", b"x", second=b"y"),
        (form("upload[droplet]", b"xyz")[0], b"another"),
        (b"", b"x"),
        (b"no form at all", b"x"),
    ],
    ids=["another field", "two fields", "another boundary", "empty", "text"],
)
def test_other_forms_are_refused(body: bytes, boundary: bytes) -> None:
    with pytest.raises(ValueError, match="the form"):
        copy_part(io.BytesIO(body), len(body), boundary, io.BytesIO())


def test_a_form_that_ends_early_is_refused() -> None:
    body, boundary = form("upload[droplet]", b"x" * 1000)
    with pytest.raises(ValueError, match="the form"):
        copy_part(io.BytesIO(body[:500]), len(body), boundary, io.BytesIO())
