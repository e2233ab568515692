"""The file store in a bucket: what the folder does, and links that its service signs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from support.ports import free_port
from support.s3_server import s3_server
from support.waiting import until
from vr.server.answers import Unavailable
from vr.server.files import links, store
from vr.server.files.bucket import bucket
from vr.settings.s3 import S3Address


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Address]:
    with s3_server(tmp_path_factory.mktemp("s3"), "5ecret") as told:
        yield S3Address(
            bucket=told["VR_S3_BUCKET"],
            endpoint=told["VR_S3_ENDPOINT"],
            region="us-east-1",
            access_key=told["VR_S3_ACCESS_KEY"],
            secret_key=told["VR_S3_SECRET_KEY"],
        )


def use(settings: Any, tmp_path: Path, address: S3Address) -> None:
    settings.S3 = address
    settings.FILES_ROOT = tmp_path
    bucket.cache_clear()


@pytest.fixture(autouse=True)
def in_bucket(service: S3Address, settings: Any, tmp_path: Path) -> Iterator[None]:
    use(settings, tmp_path, service)
    yield
    bucket.cache_clear()


def test_a_file_is_put_found_read_in_parts_and_fetched_by_its_link_alone(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"0123456789")
    assert not store.has("builds/x.tar.gz")

    store.put("builds/x.tar.gz", source)

    assert store.has("builds/x.tar.gz")
    assert store.read("builds/x.tar.gz", 3, 4) == b"3456"
    assert store.read("builds/x.tar.gz", 10, 4) == b""
    assert store.end("builds/x.tar.gz", 2) == (b"89", 10)
    for link in (links.link("builds/x.tar.gz"), links.url_for_host("builds/x.tar.gz")):
        assert httpx.get(link).content == b"0123456789"
        query = parse_qs(urlsplit(link).query)
        assert query["X-Amz-Expires"] == [str(links.LINK_SECONDS)]
        assert "5ecret" not in link


def test_what_is_not_there_is_told_as_by_the_folder() -> None:
    with pytest.raises(FileNotFoundError):
        store.read("logs/none", 0, 10)
    with pytest.raises(FileNotFoundError):
        store.end("logs/none", 10)


def test_a_log_is_read_elsewhere_while_it_grows_and_leaves_nothing_here(tmp_path: Path) -> None:
    log = store.new_log("logs/growing.log")
    log.write(b"first\n")

    def said() -> bytes:
        try:
            return store.read("logs/growing.log", 0, 100)
        except FileNotFoundError:
            return b""

    until(lambda: said() == b"first\n", "the first line is there", seconds=60)
    log.write(b"second\n")
    until(lambda: said() == b"first\nsecond\n", "so is the second", seconds=60)
    log.write(b"third\n")
    log.close()
    store.add_text("logs/growing.log", "last\n")

    assert said() == b"first\nsecond\nthird\nlast\n"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_service_that_is_away_or_refuses_us_is_a_sentence(
    service: S3Address, settings: Any, tmp_path: Path
) -> None:
    away = S3Address("velociraptor", f"http://127.0.0.1:{free_port()}", "us-east-1", "a", "5ecret")
    use(settings, tmp_path, away)
    with pytest.raises(Unavailable, match="does not answer") as told:
        store.has("builds/x.tar.gz")
    assert "VR_S3_ENDPOINT" in told.value.hint
    use(settings, tmp_path, S3Address("other", service.endpoint, "us-east-1", "a", "5ecret"))
    with pytest.raises(Unavailable, match="refuses what was asked of its bucket 'other'") as told:
        bucket().check()
    assert "5ecret" not in f"{told.value} {told.value.__cause__}"
