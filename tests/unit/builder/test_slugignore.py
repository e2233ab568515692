"""Which files .slugignore means, by Heroku's rules."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr.builder.globs import Glob, Globs
from vr.builder.slugignore import parse, remove_ignored
from vr.errors import InvalidInput


def means(pattern: str, path: str, *, folder: bool = False) -> bool:
    globs = parse(pattern)
    return globs.matches(globs.advance(globs.start, path), folder)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.psd", "a.psd"),
        ("*.psd", "deep/er/a.psd"),
        ("/a.txt", "a.txt"),
        ("docs/*.md", "docs/a.md"),
        ("a/**/b", "a/b"),
        ("a/**/b", "a/x/y/b"),
        ("/test/**", "test/x/y"),
        ("**/fixtures", "x/fixtures"),
        ("file?.txt", "file1.txt"),
        ("[ab].txt", "b.txt"),
        ("[!ab].txt", "c.txt"),
        ("a+b(c)", "a+b(c)"),
        ("[unclosed", "[unclosed"),
        ("  spaced.txt  ", "spaced.txt"),
        ("a**b", "a/x/b"),
        ("***/**/b", "x/b"),
        ("x[a-cz]", "deep/xz"),
        ("nothing\n*.psd\n/x", "x"),
    ],
)
def test_patterns_match(pattern: str, path: str) -> None:
    assert means(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/a.txt", "deep/a.txt"),
        ("docs/*.md", "x/docs/a.md"),
        ("*.md", "a.md5"),
        ("docs/*", "docs/x/y"),
        ("[!ab].txt", "a.txt"),
        ("[z-a]", "m"),
        ("a[!b]c", "a/c"),
        ("x?y", "x/y"),
        ("/a/**/b", "a/xb"),
        ("# comment", "# comment"),
        ("../outside", "../outside"),
        ("/", ""),
    ],
)
def test_patterns_do_not_match(pattern: str, path: str) -> None:
    assert not means(pattern, path)


def test_a_trailing_slash_means_folders_only() -> None:
    assert means("tmp/", "x/tmp", folder=True)
    assert not means("tmp/", "x/tmp")


def test_blank_lines_delete_nothing() -> None:
    assert parse("\n   \n\t\n# x\n").start == 0


@pytest.mark.parametrize("pattern", ["*a" * 500 + "b", "**/" * 500 + "b", "*[ab]" * 400 + "c"])
def test_no_pattern_takes_longer_than_its_length_times_the_paths(pattern: str) -> None:
    """Where it is tracked back, none of these ends before the sun does."""
    assert not means(pattern, "a" * 4000)


def test_a_file_that_is_too_long_is_refused() -> None:
    with pytest.raises(InvalidInput, match="has 65537 characters, but may have 65536"):
        parse("a" * 65537)


@given(st.text("ab/*?", max_size=12), st.text("ab/", max_size=10), st.booleans())
def test_globs_mean_what_the_expressions_mean(glob: str, path: str, anchored: bool) -> None:
    body = glob.replace("**/", "D").replace("**", "A").replace("*", "S").replace("?", "[^/]")
    body = body.replace("D", "(?:.*/)?").replace("A", ".*").replace("S", "[^/]*")
    expected = re.fullmatch(body if anchored else f"(?:.*/)?{body}", path)

    globs = Globs([Glob(glob, anchored, folders_only=False)])

    assert globs.matches(globs.advance(globs.start, path), False) == bool(expected)


def test_matching_entries_go_with_their_content_and_links_are_not_followed(tmp_path: Path) -> None:
    app, outside = tmp_path / "app", tmp_path / "outside"
    (app / "docs/deep").mkdir(parents=True)
    (app / "docs/deep/a.md").touch()
    (app / "keep.py").touch()
    outside.mkdir()
    (outside / "a.md").touch()
    (app / "link").symlink_to(outside)
    (app / "linked_docs").symlink_to(outside)

    removed = remove_ignored(app, parse("docs\n*.md\nlinked_docs\n"))

    assert removed == ["docs", "linked_docs"]
    assert (outside / "a.md").exists()
    assert sorted(path.name for path in app.iterdir()) == ["keep.py", "link"]


def test_folders_nested_deeper_than_any_stack_are_walked(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)

    try:
        assert remove_ignored(tmp_path, parse("*.psd")) == []
    finally:
        subprocess.run(["rm", "-rf", "--", str(tmp_path / "d")], check=True)
