"""A collector gets each dispatch's trace, made of its rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from django.utils import timezone

from support.http_server import serving
from vr.server.models import App, Dispatch, Squad, Swarm
from vr.server.tracing import exporting


@dataclass
class Collector:
    status: int = 200
    got: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)


@pytest.fixture
def collector(settings: Any) -> Iterator[Collector]:
    made = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.got.append((self.path, dict(self.headers), json.loads(body)))
            self.send_response(made.status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with serving(Handler) as address:
        settings.OTLP_ENDPOINT = f"http://{address}/"
        settings.OTLP_HEADERS = {"Authorization": "Bearer x"}
        yield made


@pytest.fixture
def dispatch(db: None) -> Dispatch:
    """One that failed in its second step."""
    swarm = Swarm.objects.create(
        app=App.objects.create(name="shop", repo_url="/x"),
        squad=Squad.objects.create(name="local"),
        tag="v1",
        config_name="prod",
        proc_name="web",
    )
    now = timezone.now()
    made = Dispatch.objects.create(
        swarm=swarm, tag="v2", size=2, status="failed", error="It broke.", ended=now
    )
    began = now - timedelta(seconds=3)
    made.steps.create(kind="build", status="done", started=began, ended=now, message="built")
    made.steps.create(kind="deploy", status="failed", started=began, message="It broke.")
    return made


def test_spans_of_a_dispatch_and_its_steps(collector: Collector, dispatch: Dispatch) -> None:
    assert exporting.export() == 1
    [(path, headers, body)] = collector.got
    assert (path, headers["Authorization"]) == ("/v1/traces", "Bearer x")
    [resource] = body["resourceSpans"]
    [scope] = resource["scopeSpans"]
    whole, build, deploy = scope["spans"]
    assert {one["traceId"] for one in scope["spans"]} == {dispatch.trace_id}
    assert whole["name"] == "dispatch shop-prod-web"
    assert "parentSpanId" not in whole
    assert build["parentSpanId"] == deploy["parentSpanId"] == whole["spanId"]
    assert [one["status"]["code"] for one in scope["spans"]] == [2, 1, 2]
    assert deploy["status"]["message"] == "It broke."
    assert int(build["endTimeUnixNano"]) - int(build["startTimeUnixNano"]) == 3_000_000_000
    assert len({one["spanId"] for one in scope["spans"]}) == 3
    assert exporting.export() == 0
    assert len(collector.got) == 1


def test_what_is_not_taken_is_sent_again_the_same(collector: Collector, dispatch: Dispatch) -> None:
    collector.status = 503
    assert exporting.export() == 0
    collector.status = 200
    assert exporting.export() == 1
    (_, _, first), (_, _, second) = collector.got
    assert first == second


def test_nothing_is_sent_of_old_or_open_ones_or_to_nobody(
    collector: Collector, dispatch: Dispatch, settings: Any
) -> None:
    Dispatch.objects.update(ended=timezone.now() - timedelta(hours=2))
    Dispatch.objects.create(swarm=dispatch.swarm, tag="v3", size=1)
    assert exporting.export() == 0
    Dispatch.objects.filter(pk=dispatch.pk).update(ended=timezone.now())
    settings.OTLP_ENDPOINT = "http://127.0.0.1:1"
    assert exporting.export() == 0
    settings.OTLP_ENDPOINT = ""
    assert exporting.export() == 0
    assert collector.got == []
