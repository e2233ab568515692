"""Dispatches that are held, try canaries, go by batches, or are tried again, on real parts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from support.load import Load
from support.swarm_machine import ALIVE, BROKEN, Machine
from support.waiting import until
from vr.server.caretaking import squads
from vr.server.jobs import unfinished
from vr.server.models import Dispatch, DispatchStatus, Event, Host, PortLease, Swarm
from vr.server.swarming import asking
from vr.server.swarming.manner import Manner
from vr.server.swarming.problems import CannotRetry, CannotRoute, SwarmBusy

# Fails where another v2 serves already.
ALONE = """\
#!/usr/bin/env python3
import urllib.request
shop = urllib.request.Request("http://127.0.0.1:{port}/", headers={{"Host": "shop.localhost"}})
assert all(urllib.request.urlopen(shop).read() == b"v1" for _ in range(10))
"""


def is_waiting(dispatch: Dispatch) -> bool:
    """Would a worker carry it on?"""
    return dispatch.pk in {one.pk for one in unfinished.dispatches()}


def sizes_routed(dispatch: Dispatch) -> list[int]:
    """How many nodes the pool had each time it was routed."""
    routed = Event.objects.filter(tags=["route"], trace_id=dispatch.trace_id).order_by("id")
    return [one.message.splitlines()[1].count(":", 9) for one in routed]


@pytest.fixture
def held(machine: Machine, served: Swarm, user: Any) -> Dispatch:
    machine.build("v2")
    dispatch = asking.dispatch(served, user=user, tag="v2", manner=Manner(hold=True))
    return machine.drive(dispatch)


def test_a_held_version_is_tested_and_shown_apart_until_it_is_routed(
    machine: Machine, served: Swarm, held: Dispatch, user: Any
) -> None:
    before = machine.nodes()
    assert held.status == DispatchStatus.HELD
    assert not is_waiting(held) and held.lease_owner == ""
    assert machine.nginx.get("shop").text == "v1"
    assert machine.nginx.get("held-shop").text == "v2"
    assert len(machine.procs()) == 4
    told = Event.objects.get(tags=["held", "swarm"]).message
    assert "http://held-shop.localhost" in told and "vr route shop-prod-web" in told

    # Whoever looks at it again for no reason changes nothing.
    until = held.rests_until
    machine.drive(held)
    assert (held.status, held.rests_until) == (DispatchStatus.HELD, until)
    assert Event.objects.filter(tags=["held", "swarm"]).count() == 1

    asking.route(held, user=user)
    held.refresh_from_db()
    assert held.status == DispatchStatus.RUNNING and is_waiting(held)
    machine.drive(held)
    assert held.status == DispatchStatus.SUCCEEDED, held.error
    assert machine.nginx.get("shop").text == "v2"
    assert machine.nodes("held-shop") == [] and not set(machine.nodes()) & set(before)
    assert len(machine.procs()) == 2
    assert held.steps.get(kind="hold").message == "routed, as rex asked"
    assert held.testruns.count() == 2  # it stood for who knows how long
    with pytest.raises(CannotRoute, match="it is not held, it is succeeded"):
        asking.route(held, user=user)


def test_a_held_version_goes_when_it_is_cancelled(
    machine: Machine, served: Swarm, untouched: Callable[[], None], user: Any
) -> None:
    machine.build("v2")
    dispatch = machine.dispatch(served, tag="v2", manner=Manner(hold=True))
    asking.cancel(dispatch, user=user)
    assert is_waiting(dispatch)
    with pytest.raises(CannotRoute, match="is being cancelled"):
        asking.route(dispatch, user=user)
    machine.drive(dispatch)
    assert (dispatch.status, dispatch.error) == (DispatchStatus.CANCELLED, "Cancelled by rex.")
    assert machine.nodes("held-shop") == []
    untouched()

    # Somebody else is quicker than the worker that is to route it.
    dispatch = machine.dispatch(served, tag="v2", manner=Manner(hold=True))
    asking.route(dispatch, user=user)
    asking.cancel(dispatch, user=user)
    machine.drive(dispatch)
    assert dispatch.status == DispatchStatus.CANCELLED
    untouched()


def test_a_version_that_nobody_routes_is_removed(
    machine: Machine, served: Swarm, untouched: Callable[[], None]
) -> None:
    machine.build("v2")
    dispatch = machine.dispatch(served, tag="v2", manner=Manner(hold=True))
    Dispatch.objects.filter(pk=dispatch.pk).update(rests_until=timezone.now())
    assert is_waiting(dispatch)
    machine.drive(dispatch)
    assert dispatch.status == DispatchStatus.FAILED
    assert dispatch.error.startswith("Nobody has routed it")
    assert machine.nodes("held-shop") == []
    untouched()


def test_a_held_version_gives_way_to_a_newer_one(
    machine: Machine, served: Swarm, held: Dispatch, user: Any
) -> None:
    machine.build("v3")
    newer = asking.dispatch(served, user=user, tag="v3")
    held.refresh_from_db()
    assert held.status == DispatchStatus.CANCELLED and held.lease_owner == ""
    assert held.error == "Superseded: shop-prod-web was swarmed to v3 while it was held."
    machine.drive(newer)
    assert newer.status == DispatchStatus.SUCCEEDED, newer.error
    assert machine.nginx.get("shop").text == "v3"
    assert machine.nodes("held-shop") == []
    assert len(machine.procs()) == PortLease.objects.count() == 2


def test_what_a_superseded_version_left_goes_with_the_newer_ones_failure(
    machine: Machine, served: Swarm, untouched: Callable[[], None]
) -> None:
    machine.build("v2")
    machine.dispatch(served, tag="v2", manner=Manner(hold=True))
    machine.build("v3", uptest=BROKEN)
    newer = machine.dispatch(served, tag="v3")
    assert newer.status == DispatchStatus.FAILED
    assert machine.nodes("held-shop") == []
    untouched()


def test_one_that_is_to_be_routed_gives_way_to_nobody(
    served: Swarm, held: Dispatch, user: Any
) -> None:
    asking.route(held, user=user)
    with pytest.raises(SwarmBusy):
        asking.dispatch(served, user=user, tag="v3")
    assert served.dispatches.count() == 2


def test_canaries_serve_beside_the_old_procs_and_the_rest_follows(
    machine: Machine, served: Swarm
) -> None:
    machine.build("v2")
    manner = Manner(canary="50%", canary_seconds=2)
    with Load(machine.nginx.port, "shop.localhost", rate=50) as load:
        dispatch = machine.dispatch(served, tag="v2", manner=manner)
    assert load.failures == []
    assert dispatch.status == DispatchStatus.SUCCEEDED, dispatch.error
    assert "1 new proc did well beside the old ones" in dispatch.steps.get(kind="canary").message
    assert sizes_routed(dispatch) == [3, 2]
    assert machine.nginx.get("shop").text == "v2" and len(machine.procs()) == 2
    # Before it was routed, when it had served for two seconds, and the one that followed.
    assert dispatch.testruns.count() == 3


def test_a_canary_that_fails_its_second_test_is_taken_back(
    machine: Machine, served: Swarm, untouched: Callable[[], None]
) -> None:
    # Uptests run in the proc's twin: what tells the rounds apart is how old the proc is.
    machine.build(
        "v2",
        uptest=ALIVE.replace("import sys", "import sys, json")
        + 'age = urllib.request.urlopen(f"http://{sys.argv[1]}:{sys.argv[2]}/age").read()\n'
        + "assert float(age) < 3, age\n",
        app=AGEING,
    )
    dispatch = machine.dispatch(served, tag="v2", manner=Manner(canary="1", canary_seconds=4))
    assert dispatch.status == DispatchStatus.FAILED
    assert "The uptests of" in dispatch.error
    assert not dispatch.steps.filter(kind="retire").exists()
    untouched()


AGEING = """\
import http.server, os, time
born = time.monotonic()

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = f"{time.monotonic() - born}" if self.path == "/age" else os.environ["VERSION"]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *args): pass

http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
"""


def test_batches_replace_a_few_at_a_time(machine: Machine, served: Swarm) -> None:
    machine.build("v2")
    with Load(machine.nginx.port, "shop.localhost", rate=50) as load:
        dispatch = machine.dispatch(served, tag="v2", size=3, manner=Manner(batch=1))
    assert load.failures == []
    assert dispatch.status == DispatchStatus.SUCCEEDED, dispatch.error
    # One new and both old ones, two and one, three.
    assert sizes_routed(dispatch) == [3, 3, 3]
    done = Event.objects.filter(tags=["batch", "swarm"]).order_by("id")
    assert [one.title for one in done] == [
        "shop-prod-web → v2: 1 of 3 in service",
        "shop-prod-web → v2: 2 of 3 in service",
    ]
    assert machine.nginx.get("shop").text == "v2"
    assert len(machine.procs()) == PortLease.objects.count() == 3


def test_a_version_that_fails_between_batches_is_taken_back(
    machine: Machine, served: Swarm
) -> None:
    machine.build("v2", uptest=ALONE.format(port=machine.nginx.port))
    failed = machine.dispatch(served, tag="v2", manner=Manner(batch=1))
    assert (failed.status, failed.batched) == (DispatchStatus.FAILED, 1)
    assert "v1 is brought back, by batches of 1." in failed.output
    assert {machine.nginx.get("shop").text for _ in range(20)} == {"v1", "v2"}
    back = Dispatch.objects.get(reverts=failed)
    assert back.status == DispatchStatus.QUEUED and is_waiting(back)
    machine.drive(back)
    assert back.status == DispatchStatus.SUCCEEDED, back.error
    assert {machine.nginx.get("shop").text for _ in range(4)} == {"v1"}
    assert len(machine.procs()) == PortLease.objects.count() == 2
    served.refresh_from_db()
    assert (served.tag, served.release) == ("v1", back.release)


def test_a_worker_may_die_at_any_step_of_it_all(
    machine: Machine, served: Swarm, elsewhere: Callable[[Dispatch], Any]
) -> None:
    machine.build("v2")
    served.settle_seconds = 1
    served.save()
    manner = Manner(hold=True, canary="1", canary_seconds=1, batch=1)
    dispatch = asking.dispatch(served, user=None, tag="v2", manner=manner)

    def comes_to(kind: str) -> bool:
        dispatch.refresh_from_db()
        return dispatch.steps.filter(kind=kind).exists() or not dispatch.is_open

    with Load(machine.nginx.port, "shop.localhost", rate=50) as load:
        with elsewhere(dispatch) as process:
            until(partial(comes_to, "uptest"), "it tests", seconds=120)
            process.kill()
        machine.drive(dispatch)
        assert dispatch.status == DispatchStatus.HELD
        asking.route(dispatch, user=None)
        for kind in ("canary", "retire"):
            with elsewhere(dispatch) as process:
                until(partial(comes_to, kind), f"it comes to {kind}", seconds=120)
                process.kill()
        machine.drive(dispatch)
    assert load.failures == []
    assert dispatch.status == DispatchStatus.SUCCEEDED, dispatch.error
    assert machine.nginx.get("shop").text == "v2"
    assert machine.nodes("held-shop") == []
    assert len(machine.procs()) == len(machine.nodes()) == PortLease.objects.count() == 2


def test_what_is_held_is_no_left_over_and_gives_way_to_a_drain(
    machine: Machine, served: Swarm, held: Dispatch
) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    served.dispatches.update(created=long_ago, ended=long_ago)
    squads.heal({})
    assert served.dispatches.count() == 2
    Host.objects.update(draining=True)
    squads.heal({})
    held.refresh_from_db()
    assert held.error == "Superseded: shop-prod-web was swarmed to v1 while it was held."


def test_what_failed_is_tried_again_as_it_was(machine: Machine, served: Swarm, user: Any) -> None:
    with pytest.raises(CannotRetry, match="it has not failed, it is succeeded"):
        asking.retry(served.dispatches.get(), user=user)
    build = machine.build("v2", uptest=BROKEN)
    failed = machine.dispatch(served, tag="v2", size=1, manner=Manner(batch=1))
    served.config_yaml = "edited: since"
    served.save()

    again = asking.retry(failed, user=user)
    assert (again.tag, again.size, again.batch) == ("v2", 1, 1)
    assert (again.build, again.release) == (build, failed.release)
    assert machine.drive(again).status == DispatchStatus.FAILED
    with pytest.raises(CannotRetry, match="v2 was swarmed since"):
        asking.retry(failed, user=user)
