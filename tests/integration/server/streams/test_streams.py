"""Streams: what was missed, then live, nothing lost or doubled; ended when there is no more."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import redis

from support.waiting import until
from support.web_server import WebServer
from vr.events.procs import ProcBoard, proc_object

ANNOUNCE = "from vr.server.events.announcing import announce\n"


def announce(web: WebServer, first: int, last: int, **extra: str) -> None:
    web.python(
        f"{ANNOUNCE}for n in range({first}, {last}):"
        f" announce(f'event {{n}}', tags=['test'], **{extra!r})"
    )


def listeners(redis_url: str, channel: str) -> int:
    connection = redis.Redis.from_url(redis_url, decode_responses=True)
    try:
        return int(dict(connection.pubsub_numsub(channel))[channel])
    finally:
        connection.close()


def test_events_replay_the_last_hundred_and_go_on_live(web: WebServer, stream: Any) -> None:
    announce(web, 0, 120)
    reader = stream("events/")
    assert reader.response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "content-encoding" not in reader.response.headers
    replayed = [reader.next() for _ in range(100)]
    assert [json.loads(one["data"])["title"] for one in replayed] == [
        f"event {n}" for n in range(20, 120)
    ]
    announce(web, 120, 123, trace_id="feed")
    live = [reader.next() for _ in range(3)]
    assert [json.loads(one["data"])["title"] for one in live] == [
        "event 120",
        "event 121",
        "event 122",
    ]
    assert json.loads(live[0]["data"])["swarm_id"] == "feed"
    # Whoever comes back with the id of the last one seen gets only what is newer.
    again = stream("events/", **{"Last-Event-ID": live[1]["id"]})
    assert again.data()["title"] == "event 122"
    # An id from elsewhere is no ground to go by: all of the last hundred again.
    assert stream("events/", **{"Last-Event-ID": "feedbeef"}).data()["title"] == "event 23"
    assert stream("events/", **{"Last-Event-ID": "99999999"}).data()["title"] == "event 23"


def test_events_of_one_trace(web: WebServer, stream: Any) -> None:
    announce(web, 0, 1, trace_id="a" * 32)
    announce(web, 1, 2, trace_id="b" * 32)
    reader = stream(f"events/?trace={'b' * 32}")
    assert reader.data()["title"] == "event 1"
    announce(web, 2, 3, trace_id="a" * 32)
    announce(web, 3, 4, trace_id="b" * 32)
    assert reader.data()["title"] == "event 3"


def test_events_written_while_a_reader_comes_are_neither_lost_nor_doubled(
    web: WebServer, stream: Any
) -> None:
    import threading

    announce(web, 0, 1)
    last = json.loads(web.python("import json; print(Event.objects.latest('pk').pk)"))
    writer = threading.Thread(target=announce, args=(web, 1000, 1060))
    writer.start()
    # Readers come one after another while events are being written.
    readers = [stream("events/", **{"Last-Event-ID": str(last)}) for _ in range(8)]
    writer.join()
    for reader in readers:
        titles = [reader.data()["title"] for _ in range(60)]
        assert titles == [f"event {n}" for n in range(1000, 1060)]


def test_proc_changes_are_live_and_name_removals(redis_url: str, stream: Any) -> None:
    reader = stream("proc_changes/")
    until(lambda: reader.keep_alives, "the stream listens")
    connection = redis.Redis.from_url(redis_url)
    board = ProcBoard(connection)
    name = "shop-v1-prod-0a1b2c3d-web-5000"
    board.announce("PROCESS_STATE_RUNNING", proc_object("testhost", {"name": name, "state": 20}))
    changed = reader.next()
    assert changed["retry"] == "1000"
    assert "event" not in changed
    assert json.loads(changed["data"])["event"] == "PROCESS_STATE_RUNNING"
    board.announce("PROCESS_GROUP_REMOVED", {"id": "x", "name": name, "host": "testhost"})
    assert reader.next()["event"] == "PROCESS_GROUP_REMOVED"
    connection.close()


def test_a_reader_that_goes_leaves_no_subscription(web: WebServer, redis_url: str) -> None:
    before = listeners(redis_url, "proc_events")
    headers = {"Authorization": "Bearer test-token"}
    with httpx.stream("GET", f"{web.url}/api/streams/proc_changes/", headers=headers):
        until(lambda: listeners(redis_url, "proc_events") > before, "the stream listens")
    until(lambda: listeners(redis_url, "proc_events") <= before, "the subscription is gone")


def test_a_dispatch_is_followed_to_its_end(web: WebServer, stream: Any) -> None:
    trace = "d" * 32
    web.python(
        f"Dispatch.objects.create(swarm=Swarm.objects.get(), tag='v1', size=1, trace_id='{trace}')"
    )
    reader = stream(f"dispatch/{trace}/")
    assert reader.data()["status"] == "queued"
    web.python(
        "from django.utils import timezone\n"
        "d = Dispatch.objects.get()\n"
        "d.steps.create(kind='deploy', message='1 of 2 procs', started=timezone.now())\n"
    )
    step = reader.data()["steps"][0]
    assert (step["kind"], step["status"], step["message"]) == ("deploy", "running", "1 of 2 procs")
    assert step["seconds"] >= 0
    web.python("Dispatch.objects.update(status='failed', error='no room')")
    assert reader.data()["error"] == "no room"
    assert reader.rest() == [{"event": "end", "data": '{"status": "failed"}'}]


def test_a_build_log_grows_and_ends_with_its_build(web: WebServer, stream: Any) -> None:
    logs = web.home / "files" / "logs"
    logs.mkdir(parents=True)
    number = web.python(
        "b = Build.objects.create(app=App.objects.get(), tag='v1', status='started',"
        " compile_log='logs/x.log')\nprint(b.pk)"
    )
    reader = stream(f"build_log/{number}/")
    log = logs / "x.log"
    log.write_bytes("-----> Prüfe\n 10%\r 100%\nhalf a".encode())
    first, second = reader.next(), reader.next()
    assert (first["data"], second["data"]) == ("-----> Prüfe", " 100%")
    with log.open("ab") as file:
        file.write(b" line\nno end")
    assert reader.next()["data"] == "half a line"
    web.python("Build.objects.update(status='failed', error='it broke')")
    assert reader.next()["data"] == "no end"
    assert json.loads(reader.rest()[0]["data"]) == {"status": "failed", "error": "it broke"}
    # Coming back with an id goes on after that line.
    again = stream(f"build_log/{number}/", **{"Last-Event-ID": second["id"]})
    assert again.next()["data"] == "half a line"


@pytest.mark.parametrize(
    "path", ["events/", "proc_changes/", "dispatch/x/", "build_log/1/", "proc_log/testhost/x/"]
)
def test_streams_are_for_known_users_only(web: WebServer, path: str) -> None:
    refused = httpx.get(f"{web.url}/api/streams/{path}")
    assert refused.status_code == 401
    assert refused.json()["msg"]


def test_unknown_things_are_404_in_json(web: WebServer) -> None:
    headers = {"Authorization": "Bearer test-token"}
    for path in ("dispatch/x/", "build_log/999/", "proc_log/moon/x/"):
        answer = httpx.get(f"{web.url}/api/streams/{path}", headers=headers)
        assert answer.status_code == 404, path
        assert answer.json()["error"]


def test_a_silent_supervisor_is_an_error_and_no_empty_log(
    web: WebServer, stream: Callable[..., Any]
) -> None:
    answer = httpx.get(
        f"{web.url}/api/streams/proc_log/testhost/x/",
        headers={"Authorization": "Bearer test-token"},
    )
    assert answer.status_code == 503
    assert "Supervisor of testhost does not answer" in answer.json()["error"]
