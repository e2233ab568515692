"""What changes and the event that tells of it are one transaction: none without the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError

from vr.server.builds import running
from vr.server.builds.asking import cancel_build
from vr.server.events.announcing import user_did
from vr.server.events.kinds import Kind
from vr.server.jobs import leases
from vr.server.models import (
    App,
    Build,
    BuildStatus,
    Dispatch,
    Event,
    Host,
    LogEntry,
    PortLease,
    Squad,
    StepKind,
    StepStatus,
    Swarm,
)
from vr.server.procs import ports
from vr.server.swarming import routed
from vr.server.swarming.journal import Journal

pytestmark = pytest.mark.usefixtures("redis", "woken")


@pytest.fixture
def dispatch(transactional_db: None) -> Dispatch:
    app = App.objects.create(name="shop", repo_url="/srv/shop")
    squad = Squad.objects.create(name="local")
    Host.objects.create(name="h1", squad=squad)
    swarm = Swarm.objects.create(
        app=app, tag="v1", proc_name="web", config_name="prod", squad=squad
    )
    return Dispatch.objects.create(swarm=swarm, tag="v1", size=1)


@pytest.fixture
def untold(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Do something whose event can't be stored."""

    def refuse(**_: Any) -> None:
        raise DatabaseError("the disk is full")

    def do(change: Callable[[], object]) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Event.objects, "create", refuse)
            with pytest.raises(DatabaseError):
                change()
        assert not Event.objects.exists()

    return do


def build(dispatch: Dispatch, status: str) -> Build:
    return Build.objects.create(app=dispatch.swarm.app, tag="v1", status=status, attempts=2)


def test_a_build_has_ended_when_that_is_told(dispatch: Dispatch, untold: Any) -> None:
    row = build(dispatch, "started")
    untold(lambda: running.run(row.pk))  # given up, as its worker died twice
    row.refresh_from_db()
    assert (row.status, row.error, row.end_time) == ("started", "", None)
    assert running.run(row.pk)
    row.refresh_from_db()
    assert row.status == BuildStatus.FAILED
    assert Event.objects.filter(tags=list(Kind.BUILD_FAILED.tags)).count() == 1


def test_a_build_that_was_taken_over_is_told_of_by_nobody_else(dispatch: Dispatch) -> None:
    row = build(dispatch, "started")
    with leases.hold(Build, row.pk, ["started"]) as lease:
        assert lease is not None
        Build.objects.update(lease_owner="another-machine:1:1:x")
        with pytest.raises(leases.LeaseLost):
            running.close(row, lease, BuildStatus.FAILED, "It broke.")
    assert not Event.objects.exists()


def test_a_build_is_cancelled_when_that_is_told(
    dispatch: Dispatch, untold: Any, user: User
) -> None:
    row = build(dispatch, "started")
    untold(lambda: cancel_build(row, user=user))
    row.refresh_from_db()
    assert row.cancel_asked is None and not LogEntry.objects.exists()


def test_a_step_is_what_its_followers_were_told(dispatch: Dispatch, untold: Any) -> None:
    journal = Journal(dispatch, check=lambda: None)
    untold(lambda: journal.step(StepKind.START, "0 of 1 ready").__enter__())
    assert not dispatch.steps.exists()
    opened = journal.step(StepKind.START, "0 of 1 ready")
    opened.__enter__()
    Event.objects.all().delete()
    untold(lambda: opened.__exit__(None, None, None))
    assert dispatch.steps.get().status == StepStatus.RUNNING


def test_the_port_of_a_proc_that_is_gone_is_free_when_that_is_told(
    dispatch: Dispatch, untold: Any
) -> None:
    ports.lease_to(dispatch, [(Host.objects.get(), 5001, "shop-v1-prod-0a1b2c3d-web-5001")])
    names = ["shop-v1-prod-0a1b2c3d-web-5001"]
    journal = Journal(dispatch, check=lambda: None)

    def tell(gone: Any) -> None:
        journal.event("gone", ", ".join(gone), kind=Kind.PROCS_REMOVED)

    untold(lambda: routed.give_back("h1", names, tell=tell))
    assert PortLease.objects.count() == 1
    routed.give_back("h1", names, tell=tell)
    assert (PortLease.objects.count(), Event.objects.get().message) == (0, names[0])


def test_what_a_user_did_is_logged_when_it_is_told(
    user: User, transactional_db: None, untold: Any
) -> None:
    untold(lambda: user_did(user, Kind.USER_BUILT, "shop v1"))
    assert not LogEntry.objects.exists()
