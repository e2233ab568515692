"""`vr uptests` against a real server; the test plays the worker."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from support.waiting import until
from support.web_server import WebServer

PORT = 5093


@pytest.fixture
def proc(web: WebServer, swarm: str) -> Iterator[str]:
    """A proc of the swarm that serves, as far as the database knows."""
    name = f"shop-v1-{swarm}-0a1b2c3d-web-{PORT}"
    web.python(
        f"s = Swarm.objects.get(config_name={swarm!r})\n"
        "build = Build.objects.create(app=s.app, tag='v1', status='success')\n"
        "s.release = Release.objects.create(build=build, hash='0a1b2c3d')\ns.save()\n"
        f"PortLease.objects.create(host=Host.objects.get(name='testhost'), port={PORT},"
        f" proc={name!r}, swarm=s)\n"
    )
    yield name
    web.python(f"PortLease.objects.filter(port={PORT}).delete()\nRelease.objects.all().delete()")


def play_worker(web: WebServer, passed: bool) -> None:
    until(lambda: web.python("print(UptestJob.objects.count() or '')"), "it is queued")
    results = [{"Name": "01_alive", "Passed": passed, "Output": "CHECKOUT", "Duration": 0.1}]
    web.python(
        "from vr.server.uptests import recording\n"
        "from vr.server.uptesting import rounds\n"
        "from vr.server.jobs import wake\n"
        "wake.now = lambda *args, **more: None\n"
        "job = UptestJob.objects.select_related('port_lease__host').get()\n"
        "lease = job.port_lease\n"
        f"recording.add(job.testrun, lease.host.name, lease.proc, {results!r})\n"
        "job.delete()\nrounds.go_round()\n"
    )


def test_uptests_are_run_awaited_and_shown(web: WebServer, vr: Any, swarm: str, proc: str) -> None:
    for passed, code in ((True, 0), (False, 1)):
        worker = threading.Thread(target=play_worker, args=(web, passed))
        worker.start()
        said = vr("uptests", "run", f"shop-{swarm}")
        worker.join()
        assert said.code == code, said
        assert proc in said.out
        assert ("CHECKOUT" in said.err) is not passed
    listed = vr("uptests", "--json").data
    assert [one["passed"] for one in listed][:2] == [False, True]
    assert len(vr("uptests", "--failed", "--json").data) == 1


def test_what_to_test_must_be_said_and_be_there(vr: Any, swarm: str) -> None:
    assert vr("uptests", "run").code == 2
    assert vr("uptests", "run", "x", "--all").code == 2
    assert vr("uptests", "run", "moon").code == 2
    refused = vr("uptests", "run", f"shop-{swarm}")
    assert refused.code == 1
    assert "nothing to test" in refused.err


def test_who_does_not_wait_is_told_where_the_results_will_be(
    web: WebServer, vr: Any, swarm: str, proc: str
) -> None:
    said = vr("uptests", "run", f"shop-{swarm}", "--no-wait")
    assert "/api/v1/testruns/" in said.err
    assert vr("uptests", "run", "--all", "--no-wait").err == said.err
    play_worker(web, passed=True)
