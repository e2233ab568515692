"""Events reach webhooks, signed, once more if need be; nobody waits for an endpoint, and none
gets at the server's own networks."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from support.api_client import Api
from support.http_server import serving
from support.waiting import until
from vr.errors import InvalidInput
from vr.server.events.announcing import announce, user_did
from vr.server.events.kinds import Kind
from vr.server.jobs import leases, wake
from vr.server.models import App, Event, Host, Notice, NoticeStatus, Notifier, Squad, Swarm
from vr.server.notices import queueing, sending, waiting
from vr.server.notices.checking import check_notifier
from vr.server.notices.sender import signature
from vr.server.records import changes

SECRET = "very-secret"


@dataclass
class Endpoint:
    """A webhook that keeps what it is sent, and answers with `status`."""

    url: str = ""
    status: int = 200
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    let_go: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    made.let_go.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.got.append((dict(self.headers), body))
            made.let_go.wait(60)
            self.send_response(made.status)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with serving(Handler) as address:
        made.url = f"http://{address}/hook/TOKEN-IN-PATH"
        yield made


@pytest.fixture(autouse=True)
def local(settings: Any, redis: Any, woken: list[str], transactional_db: None) -> None:
    """Loopback is permitted. Not in a transaction: leases are renewed by other threads."""
    settings.NOTICE_NETWORKS = ["127.0.0.0/8"]


def notifier(endpoint: Endpoint, **values: Any) -> Notifier:
    made = Notifier(**{"name": "ops", "url": endpoint.url, "secret": SECRET, **values})
    changes.save(made, user=None, write=made.save)
    Notice.objects.all().delete()
    return made


def fail(title: str = "shop failed", **more: Any) -> Event:
    return announce(title, "it broke", kind=Kind.SWARM_FAILED, **more)


def test_a_webhook_gets_the_event_signed(endpoint: Endpoint) -> None:
    told = notifier(endpoint)
    event = fail()
    announce("fine", kind=Kind.SWARM_DONE)
    sending.send_waiting(told.pk)
    [(headers, body)] = endpoint.got
    data = json.loads(body)
    assert (data["id"], data["title"], data["tags"]) == (event.pk, event.title, ["failed", "swarm"])
    timestamp = headers["X-Velociraptor-Timestamp"]
    assert headers["X-Velociraptor-Signature"] == signature(SECRET, timestamp, body)
    assert abs(int(timestamp) - time.time()) < 120
    [sent] = Notice.objects.all()
    assert headers["X-Velociraptor-Delivery"] == str(sent.pk)
    assert (sent.status, sent.tries, sent.error) == (NoticeStatus.SENT, 1, "")
    sending.send_waiting(told.pk)
    assert len(endpoint.got) == 1


def test_an_event_is_sent_with_the_id_by_which_others_know_it(endpoint: Endpoint) -> None:
    told = notifier(endpoint)
    event = fail()
    # As PostgreSQL does at the commit.
    Event.objects.filter(pk=event.pk).update(id=event.pk + 7, first_id=event.pk)
    sending.send_waiting(told.pk)
    assert json.loads(endpoint.got[0][1])["id"] == event.pk + 7


def test_what_fails_is_tried_again_with_pauses_and_given_up_in_the_end(endpoint: Endpoint) -> None:
    told = notifier(endpoint)
    endpoint.status = 503
    fail()
    for tries in range(1, sending.MOST_TRIES + 1):
        assert waiting.notifiers() == [told.pk]
        sending.send_waiting(told.pk)
        [notice] = Notice.objects.all()
        assert (notice.tries, notice.error) == (tries, "It answered with status 503.")
        assert waiting.notifiers() == []
        Notice.objects.filter(status=NoticeStatus.WAITING).update(due=timezone.now())
    assert notice.status == NoticeStatus.DEAD
    assert len(endpoint.got) == sending.MOST_TRIES
    [dead] = [one for one in Event.objects.all() if one.tags == ["notice", "failed"]]
    assert "ops was not told: shop failed" in dead.message
    assert "TOKEN" not in dead.message
    # It begets no other notice.
    assert Notice.objects.count() == 1


def test_redirects_are_not_followed(endpoint: Endpoint) -> None:
    told = notifier(endpoint)
    endpoint.status = 302
    fail()
    sending.send_waiting(told.pk)
    assert Notice.objects.get().error == (
        "It answered with status 302; redirects are not followed."
    )


def test_only_permitted_networks_are_reached(endpoint: Endpoint, settings: Any) -> None:
    told = notifier(endpoint)
    settings.NOTICE_NETWORKS = []
    fail()
    sending.send_waiting(told.pk)
    assert "VR_NOTICE_NETWORKS" in Notice.objects.get().error
    assert endpoint.got == []
    for url in (
        "http://127.0.0.1/x",
        "http://169.254.169.254/latest",
        "https://[::1]/",
        "http://localhost/",
    ):
        with pytest.raises(InvalidInput, match="VR_NOTICE_NETWORKS"):
            check_notifier(Notifier(name="x", stored_url=url, service="webhook", kinds="bad"))


def test_apprise_sends_what_it_knows(endpoint: Endpoint) -> None:
    told = notifier(endpoint, url=endpoint.url.replace("http://", "json://"))
    assert (told.service, told.url) == ("JSON", "json://***")
    fail()

    def is_sent() -> bool:
        # On a busy machine Apprise may take longer to load than one try may last.
        Notice.objects.update(due=timezone.now())
        sending.send_waiting(told.pk)
        return Notice.objects.get().status == NoticeStatus.SENT

    until(is_sent, "it is sent", seconds=240)
    _, body = endpoint.got[-1]
    assert (json.loads(body)["title"], json.loads(body)["message"]) == ("shop failed", "it broke")


def test_an_endpoint_that_hangs_keeps_only_its_own_notices_waiting(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = notifier(endpoint)
    fail()
    endpoint.let_go.clear()
    monkeypatch.setattr(sending, "_MOST_IN_A_ROW", 1)
    with leases.hold(Notifier, slow.pk, ["open"]) as lease:
        assert lease is not None
        # Somebody sends to it: nobody else does, and others don't mind.
        sending.send_waiting(slow.pk)
        assert waiting.notifiers() == []
    assert endpoint.got == []
    endpoint.let_go.set()


def test_events_are_told_to_who_wants_them(endpoint: Endpoint) -> None:
    shop, blog = (App.objects.create(name=name, repo_url="/x") for name in ("shop", "blog"))
    squads = [Squad.objects.create(name=name) for name in ("one", "two")]
    swarm = Swarm.objects.create(
        app=shop, squad=squads[0], tag="v1", config_name="prod", proc_name="web"
    )
    Host.objects.create(name="host1", squad=squads[1])
    for name, values in {
        "all": {},
        "shop": {"app": shop},
        "blog": {"app": blog},
        "one": {"squad": squads[0]},
        "two": {"squad": squads[1]},
        "off": {"active": False},
    }.items():
        notifier(endpoint, name=name, **values)
    dispatch = swarm.dispatches.create(tag="v1", size=1)

    def told(event: Event) -> set[str]:
        rows = Notice.objects.filter(data__id=event.pk)
        return set(rows.values_list("notifier__name", flat=True))

    assert told(fail(trace_id=dispatch.trace_id)) == {"all", "shop", "one"}
    assert told(fail(resource_uri=f"/api/v1/swarms/{swarm.pk}/")) == {"all", "shop", "one"}
    silent = announce("silent", kind=Kind.HOST_SILENT, resource_uri="/api/v1/hosts/host1/")
    assert told(silent) == {"all", "two"}
    assert told(fail()) == {"all"}
    assert told(fail(resource_uri="/api/v1/moons/1/")) == {"all"}


def test_notices_come_and_go_with_the_events_transaction(endpoint: Endpoint) -> None:
    notifier(endpoint)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        fail()
        assert Notice.objects.count() == 1
        raise ZeroDivisionError
    assert not Notice.objects.exists()
    assert not Event.objects.filter(title="shop failed").exists()


def test_no_mistake_in_here_keeps_an_event_from_being_stored(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    notifier(endpoint)

    def broken(event: Event) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM nowhere")

    monkeypatch.setattr(queueing, "scope_of", broken)
    with transaction.atomic():
        event = fail()
    assert Event.objects.filter(pk=event.pk).exists()


def test_what_waits_is_bounded_and_old_notices_are_forgotten(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = notifier(endpoint)
    monkeypatch.setattr(queueing, "MOST_WAITING", 2)
    for _ in range(5):
        fail()
    told.refresh_from_db()
    assert (Notice.objects.count(), told.dropped) == (2, 3)
    Notice.objects.update(status=NoticeStatus.SENT, ended=timezone.now() - timedelta(days=8))
    assert waiting.prune() == 2


def test_address_and_secret_are_secrets(endpoint: Endpoint, api: Api, user: User) -> None:
    made = api.add("notifiers", name="ops", url=endpoint.url, secret=SECRET, kinds="bad ok")
    host = endpoint.url.split("/")[2]
    assert (made["url"], made["secret"]) == (f"http://{host}/***", "***")
    for text in (api.get("notifiers/").content, api.get("events/").content):
        assert b"TOKEN-IN-PATH" not in text and SECRET.encode() not in text
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM server_notifier")
        row = str(cursor.fetchall())
    assert "TOKEN-IN-PATH" not in row and SECRET not in row
    # Written back as they are shown, they stay.
    assert api.put("notifiers/ops/", {**made, "kinds": "bad"}).status_code == 204
    stored = Notifier.objects.get()
    assert (stored.stored_url, stored.stored_secret) == (endpoint.url, SECRET)
    assert api.patch("notifiers/ops/", {"url": "https://elsewhere.org/***"}).status_code == 400
    client = Client()
    client.force_login(user)
    page = client.get(f"/notifier/{stored.pk}/").content
    assert b"TOKEN-IN-PATH" not in page and SECRET.encode() not in page
    fields = {"name": "ops", "url": stored.url, "secret": "***", "kinds": "all", "active": "on"}
    assert client.post(f"/notifier/{stored.pk}/", fields).status_code == 302
    stored.refresh_from_db()
    assert (stored.kinds, stored.stored_url) == ("all", endpoint.url)
    assert b"Send a test" in page
    assert client.post(f"/notifier/{stored.pk}/test/").status_code == 302
    assert Notice.objects.filter(is_test=True).count() == 1
    wrong = client.post(f"/notifier/{stored.pk}/", {**fields, "kinds": "moon"})
    assert wrong.status_code == 422
    assert b"moon is none of" in wrong.content


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"url": "nonsense"}, "must be an address"),
        ({"url": "moon://x"}, "nor one that Apprise knows"),
        ({"kinds": "moon"}, "moon is none of"),
        ({"url": "http://10.0.0.1/"}, "VR_NOTICE_NETWORKS"),
    ],
)
def test_what_can_not_be_notified_is_refused(api: Api, wrong: dict[str, str], said: str) -> None:
    refused = api.post("notifiers/", {"name": "x", "url": "https://example.org/x", **wrong})
    assert refused.status_code == 400
    assert said in refused.json()["error"]
    assert not Notifier.objects.exists()


def test_a_test_is_tried_once_and_says_what_happened(endpoint: Endpoint, api: Api) -> None:
    told = notifier(endpoint)
    for status, outcome in ((200, "sent"), (404, "dead")):
        endpoint.status = status
        path = api.post("notifiers/ops/test/").json()["notice"]
        assert api.get(path).json()["status"] == "waiting"
        sending.send_waiting(told.pk)
        assert api.get(path).json()["status"] == outcome
    assert api.get("notifiers/ops/").json()["last_error"] == "It answered with status 404."
    assert not any(one.tags == ["notice", "failed"] for one in Event.objects.all())


def test_workers_are_woken_when_the_event_is_there(endpoint: Endpoint, woken: list[str]) -> None:
    notifier(endpoint)
    with transaction.atomic():
        user_did(None, Kind.USER_FAILED, "to stop shop")
        assert woken == []
    assert woken == ["send_notices"]
    assert wake.SEND_NOTICES.endswith("send_notices")
