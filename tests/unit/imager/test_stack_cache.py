"""Images of stacks that are kept: which is the newest, what is noted, what is removed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vr.errors import InvalidInput
from vr.files.checksums import file_md5
from vr.imager.stack_cache import (
    BUNDLED_STACK,
    bundled_file,
    image_md5,
    image_name,
    key_of,
    newest,
    note_md5,
    remove_others,
    stack_image,
    tarball_of,
)

OLD, NEW = key_of(b"old"), key_of(b"new")


def made(cache: Path, name: str, key: str, age: float = 0) -> Path:
    """An image with note and log."""
    tarball = tarball_of(cache, name, key)
    tarball.write_text(key)
    note_md5(tarball, file_md5(tarball))
    (cache / f"{image_name(tarball)}.log").touch()
    os.utime(tarball, (1e9 - age, 1e9 - age))
    return tarball


def test_the_bundled_stack_has_its_file() -> None:
    assert bundled_file().is_file()
    assert bundled_file().stem == BUNDLED_STACK


def test_the_newest_image_of_a_name_is_found(tmp_path: Path) -> None:
    made(tmp_path, "small", OLD, age=10)
    latest = made(tmp_path, "small", NEW)
    made(tmp_path, "small_not", NEW, age=-10)

    assert newest(tmp_path, "small") == latest
    assert newest(tmp_path, "other") is None
    assert newest(tmp_path / "missing", "small") is None


def test_the_md5_is_that_of_the_note_or_else_of_the_file(tmp_path: Path) -> None:
    tarball = made(tmp_path, "small", OLD)
    assert image_md5(tarball) == file_md5(tarball)
    note_md5(tarball, "noted")
    assert image_md5(tarball) == "noted"
    (tmp_path / f"{tarball.name}.md5").unlink()
    assert image_md5(tarball) == file_md5(tarball)


def test_others_go_with_their_notes_and_logs(tmp_path: Path) -> None:
    for name in ("small", "base"):
        made(tmp_path, name, OLD)
    kept = [made(tmp_path, name, NEW) for name in ("small", "base")]
    foreign = made(tmp_path, "foreign", OLD)

    remove_others(tmp_path, ("small", "base"), keep=kept)

    left = {path.name.partition(".")[0] for path in tmp_path.iterdir()}
    assert left == {image_name(path) for path in (*kept, foreign)}
    assert len(list(tmp_path.iterdir())) == 9


def test_the_variable_names_the_stacks_image_or_the_newest_is_taken(tmp_path: Path) -> None:
    assert stack_image({}, tmp_path) is None
    kept = made(tmp_path, BUNDLED_STACK, NEW)
    assert stack_image({}, tmp_path) == kept
    other = tmp_path / "other.tar.gz"
    other.touch()
    assert stack_image({"VR_STACK_IMAGE": str(other)}, tmp_path) == other

    with pytest.raises(InvalidInput, match="VR_STACK_IMAGE: '/nowhere' is not a file"):
        stack_image({"VR_STACK_IMAGE": "/nowhere"}, tmp_path)
