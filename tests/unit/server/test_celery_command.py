"""`manage celery`: Celery's own words, and a broker wherever it is named."""

from __future__ import annotations

from vr.server.management.commands.celery import celery_arguments

APPLICATION = ["-A", "vr.server.celery_app"]


def test_words_are_handed_on() -> None:
    words = ["worker", "--queues", "builds", "-l", "INFO"]
    assert celery_arguments(words) == [*APPLICATION, *words]


def test_a_broker_after_the_command_goes_before_it() -> None:
    expected = [*APPLICATION, "--broker", "redis://x", "flower", "--port=5555"]
    assert celery_arguments(["flower", "--broker=redis://x", "--port=5555"]) == expected
    assert celery_arguments(["flower", "-b", "redis://x", "--port=5555"]) == expected
