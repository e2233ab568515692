"""The note in an app's log when it used too much."""

from __future__ import annotations

from pathlib import Path

from vr.dea.over_limit import disk_exceeded, memory_exceeded, note


def test_the_lines_are_the_documented_ones() -> None:
    assert memory_exceeded(64, 72) == (
        "Memory limit of 64M exceeded.",
        "Actual usage was 72M, process terminated.",
    )
    assert disk_exceeded(64, 99)[0] == "Disk usage limit of 64M exceeded."


def test_lines_are_added_to_the_log(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    note(tmp_path, ("one",))
    note(tmp_path, ("two", "three"))
    note(tmp_path, ())
    assert (tmp_path / "logs/err.log").read_text() == "one\ntwo\nthree\n"


def test_links_that_the_app_made_are_not_followed(tmp_path: Path) -> None:
    droplet, other = tmp_path / "droplet", tmp_path / "other"
    (droplet / "logs").mkdir(parents=True)
    (droplet / "logs/err.log").symlink_to(other)
    note(droplet, ("one",))
    (droplet / "logs/err.log").unlink()
    (droplet / "logs").rmdir()
    (droplet / "logs").symlink_to(tmp_path)
    note(droplet, ("one",))
    assert [path.name for path in tmp_path.iterdir()] == ["droplet"]
