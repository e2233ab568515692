"""How values read on a page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from vr.server.web import wording

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.0304, "30 ms"),
        (4.24, "4.2 s"),
        (125, "2 min 05 s"),
        (119.7, "2 min 00 s"),
        (3780, "1 h 03 min"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert wording.duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (2, "just now"),
        (45, "45 s ago"),
        (300, "5 min ago"),
        (7300, "2 h ago"),
        (90000, "1 day ago"),
        (200000, "2 days ago"),
        (-5, "just now"),
    ],
)
def test_ages(seconds: int, text: str) -> None:
    assert wording.ago(NOW - timedelta(seconds=seconds), NOW) == text


def test_what_never_happened_has_no_age() -> None:
    assert wording.ago(None, NOW) == "never"


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("\x1b[1m\x1b[32mok\x1b[0m", "ok"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("10%\r50%\r100%\ndone", "100%\ndone"),
        ("windows\r\nlines\r\n", "windows\nlines\n"),
        ("plain [1m] text", "plain [1m] text"),
    ],
)
def test_logs_lose_their_terminal_escapes(raw: str, plain: str) -> None:
    assert wording.without_ansi(raw) == plain


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:secret@git.example.org/a.git", "https://git.example.org/a.git"),
        ("https://token@git.example.org:8443/a.git", "https://git.example.org:8443/a.git"),
        ("git@git.example.org:a.git", "git@git.example.org:a.git"),
        ("/srv/repos/a", "/srv/repos/a"),
        ("", ""),
    ],
)
def test_repositories_are_shown_without_their_credentials(url: str, shown: str) -> None:
    assert wording.without_credentials(url) == shown


@pytest.mark.parametrize(
    ("resource", "page"),
    [
        ("/api/v1/swarms/3/", "/swarm/3/"),
        ("/api/v1/builds/7/", "/build/7/"),
        ("/api/v1/apps/shop/", "/app/shop/"),
        ("/api/v1/testruns/1/", ""),
        ("//elsewhere.example.org/", ""),
        ("", ""),
    ],
)
def test_resources_lead_to_their_pages(resource: str, page: str) -> None:
    assert wording.page_of(resource) == page


def test_masked_config_shows_keys_and_no_value() -> None:
    text = wording.masked({"TOKEN": "hunter2", "db": {"port": 5432}, "hosts": ["a.example.org"]})

    assert [key in text for key in ("TOKEN", "db", "port", "hosts")] == [True] * 4
    assert [value in text for value in ("hunter2", "5432", "a.example.org")] == [False] * 3


def test_empty_config_masks_to_nothing() -> None:
    assert wording.masked({}) == ""


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (list("abcdefg"), "a, b, c, d, e and 2 more"),
    ],
)
def test_lists_of_names(names: list[str], text: str) -> None:
    assert wording.listed(names) == text
