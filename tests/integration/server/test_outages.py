"""Trouble of the machine is a sentence, and takes nothing else down with it."""

from __future__ import annotations

import errno
from typing import Any

import pytest
import redis
from django.core.exceptions import ValidationError
from django.db import OperationalError
from django.test import RequestFactory

from vr.errors import InvalidInput
from vr.server.models import App, Build, Squad, Swarm
from vr.server.models.fields import Undecryptable
from vr.server.outages import Outages, sentence_for
from vr.server.resources import SWARMS
from vr.server.resources.fields import Answering
from vr.server.swarming.releases import release_for

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("error", "said", "status"),
    [
        (OperationalError("database is locked"), "The database is busy", 503),
        (OperationalError("database or disk is full"), "disk is full", 503),
        (OperationalError("connection refused"), "The database does not answer", 503),
        (redis.ConnectionError("gone"), "Redis does not answer", 503),
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full", 503),
        (ValidationError("no such key"), "no such key", 400),
        (OperationalError("LIKE or GLOB pattern too complex"), "too long", 400),
    ],
)
def test_each_outage_is_a_sentence(error: Exception, said: str, status: int) -> None:
    for path in ("/api/streams/events/", "/swarms/"):
        answer = Outages(lambda _: None).process_exception(RequestFactory().get(path), error)
        assert answer is not None
        assert answer.status_code == status
        assert said in answer.content.decode().replace("&#x27;", "'")


def test_a_bug_is_left_to_be_one() -> None:
    assert sentence_for(KeyError("x")) is None
    assert sentence_for(OSError(errno.EBADF, "bad")) is None


@pytest.fixture
def key(settings: Any) -> str:
    """The key that is lost later."""
    return str(settings.SECRET_KEY)


@pytest.fixture
def lost(key: str, settings: Any) -> Swarm:
    """A swarm whose config was saved with a key that is lost, beside one of today's."""
    app = App.objects.create(name="shop", repo_url="/srv/shop")
    values = {"app": app, "squad": Squad.objects.create(name="s"), "tag": "v1", "size": 1}
    volumes = "- [/srv/data, /data]\n"
    old = Swarm.objects.create(
        proc_name="web", config_name="old", env_yaml="A: x", volumes_yaml=volumes, **values
    )
    settings.SECRET_KEY = "another-key"
    Swarm.objects.create(
        proc_name="web", config_name="new", env_yaml="A: x", volumes_yaml=volumes, **values
    )
    return old


def test_a_lost_key_takes_no_good_rows_with_it(lost: Swarm) -> None:
    request = RequestFactory().get("/")
    shown = [SWARMS.dump(one, Answering(request)) for one in Swarm.objects.order_by("pk")]
    assert [one["config_name"] for one in shown] == ["old", "new"]
    assert "can't be decrypted" in shown[0]["env_yaml"]
    assert "can't be decrypted" in shown[0]["volumes"][0][0]
    assert shown[1]["env_yaml"] == "A: x"
    assert shown[1]["volumes"] == [["/srv/data", "/data"]]


def test_it_is_neither_deployed_nor_typed_back_and_a_save_keeps_it(
    key: str, lost: Swarm, settings: Any
) -> None:
    found = Swarm.objects.get(pk=lost.pk)
    with pytest.raises(InvalidInput, match="can't be decrypted"):
        release_for(found, Build(app=found.app, tag="v1", status="success", file="x"))
    with pytest.raises(ValidationError, match="can't be decrypted"):
        Swarm._meta.get_field("env_yaml").run_validators(Undecryptable.SENTENCE)
    found.size = 3
    found.save()
    settings.SECRET_KEY = key
    again = Swarm.objects.get(pk=lost.pk)
    assert (again.size, again.env_yaml) == (3, "A: x")
