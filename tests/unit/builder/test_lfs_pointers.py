"""Pointers of Git LFS are found, and nothing else is taken for one."""

from __future__ import annotations

from pathlib import Path

from vr.builder.lfs_pointers import pointers, sentence

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


def test_pointers_are_found_wherever_they_lie(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "film.mp4").write_text(POINTER)
    (tmp_path / "a.bin").write_text(POINTER)
    (tmp_path / "link").symlink_to("a.bin")
    (tmp_path / "about.md").write_text(f"A pointer is\n{POINTER}")
    (tmp_path / "large").write_text(POINTER + " " * 2000)
    (tmp_path / "empty").touch()
    assert pointers(tmp_path) == ["a.bin", "static/film.mp4"]


def test_the_sentence_is_bounded() -> None:
    assert sentence(["a.bin"]).endswith("so these are pointers: a.bin")
    assert sentence([str(number) for number in range(12)]).endswith("8, 9 and 2 more")
