"""How values read on a page."""

from __future__ import annotations

import pytest

from vr.server.web import wording


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


@pytest.mark.parametrize(
    ("tags", "look"),
    [
        (["build"], ("hammer", "busy")),
        (["build", "success"], ("hammer", "ok")),
        (["build", "failed"], ("alert", "bad")),
        (["warning", "uptest"], ("alert", "warn")),
        (["swarm", "deploy", "done"], ("check", "ok")),
        (["user", "swarm"], ("swarm", "busy")),
        ([], ("dot", "idle")),
    ],
)
def test_events_have_an_icon_and_a_colour_by_their_tags(
    tags: list[str], look: tuple[str, str]
) -> None:
    assert wording.event_look(tags) == look
