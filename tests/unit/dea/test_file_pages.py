"""Instances' files: what may be seen of them, whatever the app makes of its folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vr.bus.pages import Pages
from vr.dea.file_pages import file_pages


@pytest.fixture
def droplet(tmp_path: Path) -> Path:
    root = tmp_path / "instance" / "droplet"
    for name in ("app/sub", "logs", "tmp"):
        (root / name).mkdir(parents=True)
    for name in ("startup", "stop", "app/hello.rb", "logs/stdout.log", "run.pid"):
        (root / name).write_text(name)
    (tmp_path / "secret").write_text("secret")
    return root


@pytest.fixture
def page(droplet: Path) -> Pages:
    return file_pages(lambda instance: droplet if instance == "i" else None)


def read(pages: Pages, path: str) -> tuple[int, str]:
    found = pages(path)
    if isinstance(found.content, bytes):
        return found.status, found.content.decode()
    with found.content as file:
        return found.status, file.read().decode()


def test_at_the_top_only_the_apps_own_folders_are_listed(page: Pages) -> None:
    status, text = read(page, "/droplets/i/")
    assert status == 200
    assert [line.split() for line in text.splitlines()] == [["app/", "-"], ["logs/", "-"]]


def test_folders_are_listed_with_sizes(page: Pages, droplet: Path) -> None:
    (droplet / "app/large").write_bytes(b"x" * 2500)
    rows = [line.split() for line in read(page, "/droplets/i/app")[1].splitlines()]
    assert rows == [["hello.rb", "12B"], ["large", "2.4K"], ["sub/", "-"]]


def test_files_are_given(page: Pages) -> None:
    assert read(page, "/droplets/i/app/hello.rb") == (200, "app/hello.rb")
    assert read(page, "/droplets/i//logs/./stdout.log") == (200, "logs/stdout.log")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/droplets/i/startup", 403),
        ("/droplets/i/stop", 403),
        ("/droplets/i/app/../startup", 403),
        ("/droplets/i/../../secret", 403),
        ("/droplets/i/app/\0", 403),
        ("/droplets/i/app/none", 404),
        ("/droplets/other/app", 404),
        ("/droplets/", 404),
        ("/etc/passwd", 404),
    ],
)
def test_what_is_not_the_apps_is_refused(page: Pages, path: str, status: int) -> None:
    assert page(path).status == status


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/etc/passwd", 403),
        ("../../../secret", 403),
        ("../startup", 403),
        ("/dev/null", 403),
        ("/proc/self/environ", 403),
        ("hello.rb", 200),
        ("itself", 404),
    ],
)
def test_links_are_followed_within_the_droplet_only(
    page: Pages, droplet: Path, target: str, status: int
) -> None:
    (droplet / "app" / "itself").symlink_to(target)
    assert page("/droplets/i/app/itself").status == status


def test_what_is_no_file_is_not_opened(page: Pages, droplet: Path) -> None:
    os.mkfifo(droplet / "app" / "fifo")
    assert page("/droplets/i/app/fifo").status == 403
