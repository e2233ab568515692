"""What git and hg say, as sentences with a hint."""

import pytest

from vr.repo.failures import unknown_revision, unreachable
from vr.repo.source import Source

SOURCE = Source("https://ada:s3cret@host/shop.git")


@pytest.mark.parametrize(
    ("output", "hint"),
    [
        ("fatal: unable to access 'https://host/': Could not resolve host: host", "resolver"),
        ("fatal: '/srv/x' does not appear to be a git repository\nfatal: Could not…", "Check the"),
        ("fatal: could not read Username for 'https://host': terminal prompts disabled", "token"),
        ("git@host: Permission denied (publickey).\nfatal: Could not read from…", "deploy key"),
        ("abort: error: Connection refused", "reachable"),
        ("abort: repository /srv/x not found", "Check the URL"),
        ("fatal: detected dubious ownership in repository at '/srv/x'", "safe.directory"),
        ("something else", "may read it"),
    ],
)
def test_each_kind_of_trouble_says_what_to_do(output: str, hint: str) -> None:
    error = unreachable(SOURCE, output)
    assert hint in error.hint
    assert "https://***@host/shop.git can't be fetched" in error.message


def test_the_password_is_in_no_message() -> None:
    error = unreachable(SOURCE, f"fatal: unable to access '{SOURCE.url}/': nope")
    assert "s3cret" not in str(error)


def test_an_unknown_revision_names_the_nearest_ones() -> None:
    tags = [f"v1.{number}" for number in range(12)]
    error = unknown_revision(SOURCE, "v1.77", tags=tags, branches=["main"])
    assert "no tag, branch or commit 'v1.77'" in error.message
    assert "Did you mean v1.7" in error.hint
    assert "and 4 more" in error.hint
    assert "Branches: main." in error.hint


def test_an_empty_repository_is_said_to_be_empty() -> None:
    error = unknown_revision(SOURCE, "v1", tags=[], branches=[])
    assert "neither tags nor branches" in error.hint
