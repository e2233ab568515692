"""Events on PostgreSQL, where transactions commit in another order than they began."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from support.web_server import WebServer, web_server

ANNOUNCE = (
    "import threading\n"
    "from django.db import connections, transaction\n"
    "from vr.server.events.announcing import announce\n"
    "from vr.server.events.kinds import Kind\n"
)
# Another connection, as another process has it, writes and commits within this one's transaction.
OVERTAKEN = (
    "def meanwhile():\n"
    "    announce('overtaking', kind=Kind.POOL_ROUTED)\n"
    "    connections.close_all()\n"
    "with transaction.atomic():\n"
    "    announce('slow', kind=Kind.POOL_ROUTED)\n"
    "    thread = threading.Thread(target=meanwhile)\n"
    "    thread.start()\n"
    "    thread.join()\n"
)


@pytest.fixture(scope="module")
def web(
    redis_url: str, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WebServer]:
    environment = {"VR_DATABASE_URL": postgres_url}
    with web_server(tmp_path_factory.mktemp("web"), redis_url, environment) as server:
        server.python(
            "from django.contrib.auth.models import User\n"
            "ApiToken.issue(User.objects.create_user('rex'), 'test', 'test-token')\n"
        )
        yield server


def test_an_event_that_was_overtaken_comes_after_the_other_live_and_to_who_comes_back(
    web: WebServer, stream: Any
) -> None:
    web.python(f"{ANNOUNCE}announce('first', kind=Kind.POOL_ROUTED)")
    live = stream("events/")
    assert live.data()["title"] == "first"

    web.python(f"{ANNOUNCE}{OVERTAKEN}")

    overtaking, slow = live.next(), live.next()
    titles = [json.loads(event["data"])["title"] for event in (overtaking, slow)]
    assert titles == ["overtaking", "slow"]
    back = stream("events/", **{"Last-Event-ID": overtaking["id"]})
    assert back.next() == slow
    assert int(slow["id"]) > int(overtaking["id"])


def test_an_event_that_is_published_too_late_or_never_comes_in_its_place(
    web: WebServer, stream: Any
) -> None:
    web.python(f"{ANNOUNCE}announce('known', kind=Kind.POOL_ROUTED)")
    live = stream("events/")
    while live.data()["title"] != "known":
        pass

    web.python(
        f"{ANNOUNCE}Event.objects.create(title='silent', tags=['route'])\n"
        "announce('told', kind=Kind.POOL_ROUTED)"
    )

    assert [live.data()["title"] for _ in range(2)] == ["silent", "told"]


def test_a_reader_of_the_table_never_misses_one_of_many_writers(
    web: WebServer, postgres_url: str
) -> None:
    writers, each = 8, 40
    insert = (
        "INSERT INTO server_event (time, title, message, tags, trace_id, resource_uri)"
        " VALUES (now(), %s, '', '[]', 'many', '')"
    )
    left = threading.Semaphore(0)

    def write(writer: int) -> None:
        with psycopg.connect(postgres_url) as connection:
            for number in range(each):
                connection.execute(insert, [f"{writer}-{number}"])
                if (writer + number) % 5 == 0:
                    # Long enough for others to overtake it.
                    connection.execute("SELECT pg_sleep(0.002)")
                connection.commit()
        left.release()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
    with psycopg.connect(postgres_url, autocommit=True) as reader:
        seen: list[str] = []
        last = 0

        def read() -> None:
            nonlocal last
            rows = reader.execute(
                "SELECT id, title FROM server_event WHERE id > %s AND trace_id = 'many'"
                " ORDER BY id",
                [last],
            ).fetchall()
            for last, title in rows:  # noqa: B007
                seen.append(title)

        for thread in threads:
            thread.start()
        for _ in threads:
            while not left.acquire(blocking=False):
                read()
        for thread in threads:
            thread.join()
        read()
    expected = {f"{writer}-{number}" for writer in range(writers) for number in range(each)}
    assert len(seen) == len(expected)
    assert set(seen) == expected
