"""/metrics: who may read it, and that it tells what database and Redis say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from support.api_client import Api
from vr.events.procs import ProcBoard
from vr.server.metrics import page
from vr.server.models import App, Dispatch, Host, Squad, Swarm
from vr.server.shared_check import SharedCheck


@pytest.fixture(autouse=True)
def fresh(transactional_db: None, redis: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was measured before."""
    monkeypatch.setattr(page, "_READING", SharedCheck(page._read, fresh_seconds=5.0))


def test_it_tells_of_procs_hosts_and_dispatches(redis: Any, api: Api) -> None:
    squad = Squad.objects.create(name="local")
    Host.objects.create(name="one", squad=squad)
    app = App.objects.create(name="shop", repo_url="/srv/shop")
    swarm = Swarm.objects.create(
        app=app, squad=squad, tag="v1", config_name="prod", proc_name="web", size=2
    )
    now = timezone.now()
    began, ended = now - timedelta(seconds=70), now - timedelta(seconds=67)
    Dispatch.objects.create(
        swarm=swarm, tag="v1", size=2, status="succeeded", started=began, ended=ended
    )
    Dispatch.objects.create(swarm=swarm, tag="v2", size=2)
    info = {"name": "shop-v1-prod-1a2b3c4d-web-5000", "state": 20, "statename": "RUNNING"}
    ProcBoard(redis).replace("one", [info])
    answer = api.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    lines = set(answer.content.decode().splitlines())
    for line in (
        'velociraptor_procs{state="running",swarm="local/shop-prod-web"} 1.0',
        'velociraptor_swarm_size{swarm="local/shop-prod-web"} 2.0',
        'velociraptor_hosts{state="heard"} 1.0',
        'velociraptor_dispatch_duration_seconds_bucket{le="5.0",outcome="succeeded"} 1.0',
        'velociraptor_dispatch_duration_seconds_bucket{le="2.0",outcome="succeeded"} 0.0',
        'velociraptor_queue_waiting{kind="dispatch"} 1.0',
    ):
        assert line in lines, answer.content.decode()


def test_who_may_read_it_is_a_setting(api: Api, settings: Any) -> None:
    assert Client().get("/metrics").status_code == 401
    settings.METRICS_ACCESS = "loopback"
    assert Client().get("/metrics").status_code == 200
    assert Client().get("/metrics/", REMOTE_ADDR="10.1.2.3").status_code == 401
    through_proxy = Client(headers={"X-Forwarded-For": "127.0.0.1"})
    assert through_proxy.get("/metrics").status_code == 401
    assert api.get("/metrics", REMOTE_ADDR="10.1.2.3").status_code == 200
    settings.METRICS_ACCESS = "off"
    assert api.get("/metrics").status_code == 404


def test_it_is_read_once_for_all_who_ask(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[int] = []

    def read() -> bytes:
        reads.append(1)
        return b"up 1\n"

    monkeypatch.setattr(page, "_READING", SharedCheck(read, fresh_seconds=60.0))
    assert {api.get("/metrics").content for _ in range(5)} == {b"up 1\n"}
    assert len(reads) == 1
