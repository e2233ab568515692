"""Downloads from the file store: by signed links only, whole or from where they broke off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core import signing
from django.test import AsyncClient

from vr.server.files import links

pytestmark = pytest.mark.anyio
CONTENT = b"0123456789"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def link(settings: Any, tmp_path: Path) -> str:
    settings.FILES_ROOT = tmp_path
    (tmp_path / "builds").mkdir()
    (tmp_path / "builds" / "x.tar.gz").write_bytes(CONTENT)
    return links.signed_path("builds/x.tar.gz")


async def body(response: Any) -> bytes:
    return b"".join([part async for part in response])


async def test_a_link_gives_the_file_without_a_login(link: str) -> None:
    answer = await AsyncClient().get(link)
    assert answer.status_code == 200
    assert await body(answer) == CONTENT
    assert (answer["Content-Length"], answer["Accept-Ranges"]) == ("10", "bytes")
    again = await AsyncClient().get(link, headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


async def test_head_tells_the_length(link: str) -> None:
    answer = await AsyncClient().head(link)
    assert (answer.status_code, answer["Content-Length"], answer.content) == (200, "10", b"")


async def test_a_part_that_is_none_is_refused_with_the_size(link: str) -> None:
    answer = await AsyncClient().get(link, headers={"Range": "bytes=10-"})
    assert (answer.status_code, answer["Content-Range"]) == (416, "bytes */10")
    assert "it has 10 bytes" in answer.json()["error"]


@pytest.mark.parametrize(
    ("asked", "status", "expected", "content_range"),
    [
        ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
        ("bytes=2-3", 206, b"23", "bytes 2-3/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=0-99", 200, CONTENT, None),
        ("lines=1-2", 200, CONTENT, None),
    ],
)
async def test_a_broken_download_can_go_on(
    link: str, asked: str, status: int, expected: bytes, content_range: str | None
) -> None:
    answer = await AsyncClient().get(link, headers={"Range": asked})
    assert answer.status_code == status
    assert (await body(answer) if answer.streaming else answer.content) == expected
    assert answer.get("Content-Range") == content_range


async def test_links_that_were_changed_expired_or_lead_outside_are_refused(
    link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = AsyncClient()
    assert (await client.get(link.replace("/files/", "/files/x"))).status_code == 403
    outside = signing.dumps("../secret", salt="vr.files")
    assert (await client.get(f"/files/{outside}/secret")).status_code == 403
    gone = links.signed_path("builds/gone.tar.gz")
    assert (await client.get(gone)).status_code == 404
    assert (await client.post(link)).status_code == 405
    monkeypatch.setattr(links, "LINK_SECONDS", -1)
    expired = await client.get(link)
    assert expired.status_code == 410
    assert "expired" in expired.json()["error"]
