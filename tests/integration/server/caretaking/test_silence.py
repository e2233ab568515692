"""Hosts that fall silent are told of, once, and so is their return."""

from __future__ import annotations

import time
from typing import Any

import pytest

from vr.events.procs import HostState
from vr.server.caretaking import silence
from vr.server.caretaking.silence import Silences
from vr.server.models import Event, Host

NAME = "h1.example"


@pytest.fixture
def silences(db: None, redis: Any, monkeypatch: pytest.MonkeyPatch) -> Silences:
    Host.objects.create(name=NAME)
    monkeypatch.setattr(silence, "_GRACE_SECONDS", 0.0)
    return Silences()


def heard(seconds_ago: float | None) -> dict[str, HostState]:
    seen = None if seconds_ago is None else time.time() - seconds_ago
    return {NAME: HostState(NAME, seen, pace=5)}


def told() -> list[str]:
    return [event.title for event in Event.objects.order_by("pk")]


def test_silence_and_return_are_told_once_each(silences: Silences) -> None:
    silences.tell(heard(1))
    assert told() == []
    silences.tell(heard(20))
    silences.tell(heard(25))
    assert told() == [f"{NAME} is silent"]
    assert f"vr hosts check {NAME}" in Event.objects.get().message
    silences.tell(heard(1))
    silences.tell(heard(1))
    assert told() == [f"{NAME} is silent", f"{NAME} is back"]
    assert Host.objects.get().silent_since is None


def test_the_next_caretaker_tells_nothing_again(silences: Silences) -> None:
    silences.tell(heard(20))
    Silences().tell(heard(30))
    assert told() == [f"{NAME} is silent"]


def test_nothing_is_said_of_hosts_that_never_spoke_or_are_set_inactive(silences: Silences) -> None:
    silences.tell(heard(None))
    Host.objects.update(active=False)
    silences.tell(heard(20))
    assert told() == []


def test_after_the_server_was_away_hosts_have_time_to_be_heard(
    silences: Silences, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "_GRACE_SECONDS", 60.0)
    silences.tell(heard(3600))
    silences.tell(heard(1))
    assert told() == []
