"""Where large files are asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from vr.repo.large_files import attributes_ask, endpoint


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://host/ada/shop", "https://host/ada/shop.git/info/lfs"),
        ("https://host/ada/shop/", "https://host/ada/shop.git/info/lfs"),
        ("http://host:81/shop.git", "http://host:81/shop.git/info/lfs"),
        ("ssh://git@host/shop.git", "ssh://git@host/shop.git"),
        ("git@host:ada/shop.git", "git@host:ada/shop.git"),
        ("/srv/my shop", "file:///srv/my%20shop"),
        ("file:///srv/shop", "file:///srv/shop"),
    ],
)
def test_they_are_asked_of_the_repositorys_own_server(url: str, asked: str) -> None:
    assert endpoint(url) == asked


def test_the_attributes_of_any_folder_may_name_them(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / ".gitattributes").write_text("*.txt text\n")
    assert not attributes_ask(tmp_path)
    (tmp_path / "static/.gitattributes").write_text("*.mp4 filter=lfs -text\n")
    assert attributes_ask(tmp_path)
