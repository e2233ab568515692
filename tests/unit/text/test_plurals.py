"""Nouns with their numbers and articles."""

from __future__ import annotations

import pytest

from vr.text.plurals import counted, plural, with_article


@pytest.mark.parametrize(
    ("noun", "many"),
    [
        ("proc", "procs"),
        ("uptest", "uptests"),
        ("dispatch", "dispatches"),
        ("process", "processes"),
        ("log entry", "log entries"),
        ("registry key", "registry keys"),
        ("old proc", "old procs"),
        ("y", "ys"),
    ],
)
def test_plurals(noun: str, many: str) -> None:
    assert plural(noun) == many


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 dispatches"), (1, "1 dispatch"), (2, "2 dispatches")]
)
def test_one_alone_is_singular(count: int, text: str) -> None:
    assert counted(count, "dispatch") == text


@pytest.mark.parametrize(
    "phrase",
    ["an app", "an ingredient", "an OS image", "a swarm", "a user", "a URL", "an uptest", "a host"],
)
def test_articles(phrase: str) -> None:
    assert with_article(phrase.partition(" ")[2]) == phrase
