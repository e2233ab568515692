"""Downloads: verified, resumed, atomic, and quiet about credentials."""

from __future__ import annotations

import fcntl
import hashlib
import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vr.errors import VelociraptorError
from vr.files.checksums import ChecksumMismatch
from vr.files.download import fetch, file_name, local_path, without_credentials

CONTENT = b"0123456789" * 10_000
MD5 = hashlib.md5(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    requests: list[str | None]
    drop_after: int | None = None


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.requests.append(wanted)
        if self.path.startswith("/missing"):
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start : self.server.drop_after])

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as running:
        running.requests = []
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}/x.tar.gz?sig=secret"


def test_a_download_lands_with_its_content(url: str, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    target = tmp_path / "sub/x"
    assert fetch(url, target, md5=MD5, progress=lambda *args: seen.append(args)) == target
    assert target.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert list(target.parent.iterdir()) == [target]


def test_what_is_there_and_right_is_not_fetched_again(
    server: Server, url: str, tmp_path: Path
) -> None:
    fetch(url, tmp_path / "x", md5=MD5)
    fetch(url, tmp_path / "x", md5=MD5)
    assert len(server.requests) == 1
    (tmp_path / "x").write_text("spoiled")
    fetch(url, tmp_path / "x", md5=MD5)
    assert (tmp_path / "x").read_bytes() == CONTENT


def test_a_wrong_checksum_shows_both_sums_and_leaves_nothing(url: str, tmp_path: Path) -> None:
    with pytest.raises(ChecksumMismatch) as caught:
        fetch(url, tmp_path / "x", sha256="0" * 64)
    assert "0" * 64 in str(caught.value)
    assert hashlib.sha256(CONTENT).hexdigest() in str(caught.value)
    assert "secret" not in str(caught.value)
    assert not any(tmp_path.iterdir())


def test_a_broken_transfer_goes_on_where_it_stopped(
    server: Server, url: str, tmp_path: Path
) -> None:
    server.drop_after = 40_000
    with pytest.raises(VelociraptorError, match=r"40000 of 100000|could not be downloaded"):
        fetch(url, tmp_path / "x", md5=MD5)
    assert not (tmp_path / "x").exists()
    server.drop_after = None
    fetch(url, tmp_path / "x", md5=MD5)
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert server.requests[-1] is not None
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_complete_but_wrong_part_is_fetched_from_the_start(
    server: Server, url: str, tmp_path: Path
) -> None:
    server.drop_after = 40_000
    with pytest.raises(VelociraptorError):
        fetch(url, tmp_path / "x", md5=MD5)
    (part,) = tmp_path.iterdir()
    part.write_bytes(b"?" * len(CONTENT))
    server.drop_after = None
    fetch(url, tmp_path / "x", md5=MD5)
    assert (tmp_path / "x").read_bytes() == CONTENT


def test_without_checksum_a_broken_transfer_leaves_nothing(
    server: Server, url: str, tmp_path: Path
) -> None:
    server.drop_after = 40_000
    with pytest.raises(VelociraptorError):
        fetch(url, tmp_path / "x")
    assert not any(tmp_path.iterdir())


def test_parallel_fetches_transfer_once(server: Server, url: str, tmp_path: Path) -> None:
    threads = [
        threading.Thread(target=fetch, args=(url, tmp_path / "x"), kwargs={"md5": MD5})
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.requests) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


class GivenUp(Exception):
    pass


def given_up_after(number: int) -> Callable[[], None]:
    left = iter(range(number))

    def check() -> None:
        if next(left, None) is None:
            raise GivenUp

    return check


def test_what_another_process_fetches_is_not_waited_for_by_who_gives_up(
    server: Server, url: str, tmp_path: Path
) -> None:
    server.drop_after = 40_000
    with pytest.raises(VelociraptorError):
        fetch(url, tmp_path / "x", md5=MD5)
    (part,) = tmp_path.iterdir()
    server.drop_after = None
    with part.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(GivenUp):
            fetch(url, tmp_path / "x", md5=MD5, check=given_up_after(2))
        assert part.stat().st_size == 40_000
    assert fetch(url, tmp_path / "x", md5=MD5, check=given_up_after(99)).read_bytes() == CONTENT


@pytest.mark.parametrize("is_local", [False, True])
def test_a_transfer_ends_when_it_is_given_up_and_goes_on_later(
    url: str, tmp_path: Path, is_local: bool
) -> None:
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    address = str(source) if is_local else url
    with pytest.raises(GivenUp):
        fetch(address, tmp_path / "x", md5=MD5, check=given_up_after(0))
    assert not (tmp_path / "x").exists()
    assert fetch(address, tmp_path / "x", md5=MD5).read_bytes() == CONTENT


def test_an_error_of_the_server_is_told_without_the_query(server: Server, tmp_path: Path) -> None:
    address = f"http://user:pw@127.0.0.1:{server.server_port}/missing?sig=secret"
    with pytest.raises(VelociraptorError, match="404") as caught:
        fetch(address, tmp_path / "x")
    assert "pw" not in str(caught.value) and "secret" not in str(caught.value)


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_local_files(form: str, tmp_path: Path) -> None:
    source = tmp_path / "source.txt"
    source.write_text("x")
    assert fetch(form.format(source), tmp_path / "x").read_text() == "x"


def test_unreachable_and_unreadable_sources_are_explained(tmp_path: Path) -> None:
    with pytest.raises(VelociraptorError, match="can't be read: No such file"):
        fetch(str(tmp_path / "nowhere"), tmp_path / "x")
    with pytest.raises(VelociraptorError, match="could not be downloaded"):
        fetch("http://127.0.0.1:1/x", tmp_path / "x")
    with pytest.raises(VelociraptorError, match="'ftp' can't be downloaded"):
        fetch("ftp://host/x", tmp_path / "x")
    assert not any(tmp_path.iterdir())


def test_names_and_paths_of_urls() -> None:
    assert file_name("https://h/a/b.tar.gz?x=/y#z") == "b.tar.gz"
    assert file_name("https://h/") == "download"
    assert file_name("https://h/a%2F..%2Fb") == "b"
    assert file_name("/x/..") == "download"
    assert local_path("file:///a%20b") == Path("/a b")
    assert local_path("https://h/x") is None
    assert without_credentials("https://u:p@h:1/x?sig=1") == "https://h:1/x"
