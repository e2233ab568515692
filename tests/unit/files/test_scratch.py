"""Scratch folders go away, whatever happens to who made them."""

from pathlib import Path

import pytest

from vr.files.scratch import scratch


def folders(parent: Path) -> list[str]:
    return [path.name for path in parent.iterdir() if path.is_dir()]


def test_a_folder_is_gone_after_use_and_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), scratch(tmp_path / "work", "job") as folder:
        (folder / "file").touch()
        raise ZeroDivisionError
    assert folders(tmp_path / "work") == []


def test_what_a_killed_process_left_is_removed_and_reported(tmp_path: Path) -> None:
    (tmp_path / "dead-x1").mkdir()
    abandoned: list[str] = []
    with scratch(tmp_path, "job", abandoned=abandoned.append):
        pass
    assert abandoned == ["dead-x1"]
    assert folders(tmp_path) == []


def test_folders_in_use_are_left_alone(tmp_path: Path) -> None:
    with scratch(tmp_path, "one") as first, scratch(tmp_path, "one") as second:
        assert first != second
        assert len(folders(tmp_path)) == 2
