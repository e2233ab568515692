"""Repository URLs: names, redaction, credentials, kinds."""

from pathlib import Path

import pytest

from vr.errors import InvalidInput
from vr.repo.source import (
    Source,
    guess_kind,
    hide_credentials,
    lacks_credentials,
    redact,
    reveal_credentials,
    revision_problem,
)


@pytest.mark.parametrize(
    ("text", "url", "revision"),
    [
        ("https://host/a.git", "https://host/a.git", ""),
        ("https://host/a.git#v1", "https://host/a.git", "v1"),
        ("git@host:team/a.git#feature/x", "git@host:team/a.git", "feature/x"),
        (" /srv/a#v1#x ", "/srv/a", "v1#x"),
    ],
)
def test_a_reference_is_split_at_the_first_hash(text: str, url: str, revision: str) -> None:
    assert Source.parse(text) == Source(url, revision)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://host/team/shop.git", "shop"),
        ("https://host/team/shop/", "shop"),
        ("git@host:team/shop.git", "shop"),
        ("git@host:shop.git", "shop"),
        ("/srv/repos/shop", "shop"),
        ("file:///srv/shop/.git", "shop"),
        ("https://host/my shop", "my_shop"),
        ("https://host/..", "repository"),
    ],
)
def test_the_local_name_comes_from_the_last_part(url: str, name: str) -> None:
    assert Source(url).basename == name


def test_equal_names_of_different_repositories_get_different_folders() -> None:
    one, other = Source("https://a/shop.git"), Source("https://b/shop.git")
    assert one.folder_name != other.folder_name
    assert Source.parse("https://a/shop.git#v1").folder_name == one.folder_name


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("/srv/a", Path("/srv/a")),
        ("a/b", Path("a/b")),
        ("file:///srv/a%20b", Path("/srv/a b")),
        ("git@host:a/b", None),
        ("https://host/a", None),
        ("ssh://host/a", None),
    ],
)
def test_local_paths_are_told_from_remote_ones(url: str, path: Path | None) -> None:
    assert Source(url).local_path == path


def test_passwords_are_never_shown() -> None:
    source = Source("https://ada:s3cret@host/shop.git")
    assert source.public_url == "https://***@host/shop.git"
    assert "s3cret" not in redact(f"fatal: unable to access '{source.url}/': nope")
    assert "s3cret" not in repr(source.split_credentials()[1])


@pytest.mark.parametrize("text", ["https://ada:s3@cret@host/x", "a://b+c://u:s3@cret@h x://"])
def test_passwords_with_an_at_sign_are_hidden_whole(text: str) -> None:
    assert "cret" not in redact(text)


def test_long_output_is_redacted_in_linear_time() -> None:
    text = "a." * 500_000 + "://" + "b" * 500_000
    assert redact(text) == text


def test_credentials_are_taken_out_of_what_programs_are_given() -> None:
    url, credentials = Source("https://ada:p%40ss@host:8443/shop.git").split_credentials()
    assert url == "https://host:8443/shop.git"
    assert credentials is not None
    assert (credentials.user, credentials.password) == ("ada", "p@ss")
    assert Source("git@host:shop.git").split_credentials() == ("git@host:shop.git", None)


def test_credentials_that_could_forge_a_line_are_refused() -> None:
    with pytest.raises(InvalidInput, match="control characters"):
        Source("https://ada:x%0Ahost=evil@host/shop.git").split_credentials()


@pytest.mark.parametrize("revision", ["v1", "feature/x", "1.0.2", "a" * 40, "release+1"])
def test_names_of_revisions_are_accepted(revision: str) -> None:
    assert revision_problem(revision) is None


@pytest.mark.parametrize("revision", ["-x", "--upload-pack=x", "a b", "a..b", "HEAD~1", "x;y", ""])
def test_what_programs_would_take_for_something_else_is_refused(revision: str) -> None:
    assert "can't be a revision" in (revision_problem(revision) or "")


def test_a_local_mercurial_repository_is_recognised(tmp_path: Path) -> None:
    (tmp_path / ".hg").mkdir()
    assert guess_kind(Source(str(tmp_path))) == "hg"
    assert guess_kind(Source("https://hg.example.org/x")) == "hg"
    assert guess_kind(Source("https://example.org/x")) == "git"


def test_credentials_are_kept_apart_and_stay_when_the_hidden_address_is_written_back() -> None:
    shown, kept = hide_credentials("https://ada:s3@cret@host:8443/shop.git")
    assert shown == "https://***@host:8443/shop.git"
    assert reveal_credentials(shown, kept) == "https://ada:s3@cret@host:8443/shop.git"
    assert hide_credentials(shown, kept) == (shown, kept)


@pytest.mark.parametrize(
    "url", ["https://***@evil/shop.git", "http://***@host/shop.git", "https://***@host:1/shop.git"]
)
def test_kept_credentials_are_for_their_own_host_only(url: str) -> None:
    _, kept = hide_credentials("https://ada:s3cret@host/shop.git")
    assert hide_credentials(url, kept) == (url, "")
    assert reveal_credentials(url, kept) == url
    assert lacks_credentials(url, kept)


@pytest.mark.parametrize("url", ["git@host:a.git", "/srv/a", "ssh://git@host/a", "bundled:python"])
def test_addresses_without_credentials_stay_as_they_are(url: str) -> None:
    assert hide_credentials(url) == (url, "")
    assert not lacks_credentials(url, "")
