"""What is zipped comes out of `unzip` as it went in."""

from __future__ import annotations

from pathlib import Path

import pytest

from vr.errors import VelociraptorError
from vr.files.unzip import unzip
from vr.files.zip_folder import zip_folder


def test_modes_links_and_empty_folders_come_back(tmp_path: Path) -> None:
    folder = tmp_path / "app"
    (folder / ".git/refs/empty").mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "bin/run").write_text("#!/bin/sh\n")
    (folder / "bin/run").chmod(0o755)
    (folder / "notes").write_text("x")
    (folder / "notes").chmod(0o600)
    (folder / "link").symlink_to("bin/run")
    (folder / "folder-link").symlink_to("bin")
    (folder / "dangling").symlink_to("/nowhere")
    zip_folder(folder, tmp_path / "app.zip")
    unzip(tmp_path / "app.zip", tmp_path / "out")

    def listed(root: Path) -> list[tuple[str, str, int]]:
        return sorted(
            (
                str(path.relative_to(root)),
                str(path.readlink()) if path.is_symlink() else "",
                path.lstat().st_mode & 0o777,
            )
            for path in root.rglob("*")
        )

    assert listed(tmp_path / "out") == listed(folder)


def test_folders_can_be_left_out(tmp_path: Path) -> None:
    for name in ("keep", ".git"):
        (tmp_path / "app" / name).mkdir(parents=True)
    zip_folder(tmp_path / "app", tmp_path / "app.zip", skipped={".git"})
    unzip(tmp_path / "app.zip", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["keep"]


def test_what_is_no_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(VelociraptorError, match="is no folder"):
        zip_folder(tmp_path / "none", tmp_path / "app.zip")
