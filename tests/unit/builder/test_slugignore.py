"""Which files .slugignore means, by Heroku's rules."""

from pathlib import Path

import pytest

from vr.builder.slugignore import parse, remove_ignored


def means(pattern: str, path: str, *, folder: bool = False) -> bool:
    return any(parsed.matches(path, folder) for parsed in parse(pattern))


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
    assert parse("\n   \n\t\n# x\n") == []


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
