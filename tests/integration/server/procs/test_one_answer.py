"""Every door gives the same answer to whose a proc is: here, of a host that has left its squad."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from support.supervisord import supervisord
from vr.events.procs import ProcBoard
from vr.hosts.supervisor import Supervisor
from vr.server.hosts import connect
from vr.server.models import App, Dispatch, Host, PortLease, Squad, Swarm
from vr.server.swarming.goal import goal_of
from vr.server.swarming.observe import observe
from vr.server.web.live_state import read_board

OWNED = "shop-v1-prod-0a1b2c3d-web-5001"  # by its lease alone
STRAY = "shop-v1-prod-0a1b2c3d-web-5002"
FOREIGN = "cron"
PROGRAMS = "".join(
    f"[program:{name}]\ncommand=/usr/bin/sleep 1000\nstartsecs=0\n"
    for name in (OWNED, STRAY, FOREIGN)
)


@pytest.fixture(scope="module")
def supervisor_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("host")
    (folder / "programs.conf").write_text(PROGRAMS)
    with supervisord(folder / "supervisor", str(folder / "programs.conf")) as url:
        yield url


@pytest.fixture
def swarm(
    db: None, redis: Any, woken: list[str], settings: Any, supervisor_url: str, tmp_path: Path
) -> Swarm:
    """A swarm with procs on a host that was taken out of its squad, which has another one."""
    settings.SUPERVISOR_URL, settings.LOCAL_HOST = supervisor_url, "atlas"
    settings.VR_ROOT = tmp_path
    squad = Squad.objects.create(name="local")
    Host.objects.create(name="boreas", squad=squad)
    host = Host.objects.create(name="atlas", squad=None)
    app = App.objects.create(name="shop", repo_url="https://example.org/shop.git")
    made = Swarm.objects.create(
        app=app, tag="v1", config_name="prod", proc_name="web", squad=squad, size=1
    )
    PortLease.objects.create(host=host, port=5001, swarm=made, proc=OWNED)
    ProcBoard(redis).replace("atlas", Supervisor("atlas", supervisor_url).all())
    ProcBoard(redis).replace("boreas", [])
    return made


@pytest.fixture
def pages(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


def test_the_api_lists_the_proc_with_its_swarm(swarm: Swarm, pages: Client) -> None:
    found = pages.get(f"/api/v1/swarms/{swarm.pk}/procs/").json()["objects"]
    assert [proc["name"] for proc in found] == [OWNED]


def test_the_dashboard_shows_it_below_its_swarm(swarm: Swarm) -> None:
    board, _ = read_board()
    [app] = board.apps
    [node, strays] = app.swarms
    assert node.card and node.card.id == swarm.pk
    assert [proc.name for proc in node.procs] == [OWNED]
    assert [proc.name for proc in strays.procs] == [STRAY]
    assert [proc.name for group in board.foreign for proc in group.procs] == [FOREIGN]


def test_the_page_of_the_swarm_shows_it(swarm: Swarm, pages: Client) -> None:
    text = pages.get(f"/swarm/{swarm.pk}/").content.decode()
    assert ":5001" in text and ":5002" not in text


def test_the_swarm_can_not_be_deleted_while_it_runs(swarm: Swarm, pages: Client) -> None:
    assert pages.post(f"/swarm/{swarm.pk}/delete/").status_code == 409
    assert Swarm.objects.filter(pk=swarm.pk).exists()


@pytest.mark.parametrize(
    ("proc", "is_ours", "owner"),
    [(OWNED, True, "shop-prod-web"), (STRAY, True, None), (FOREIGN, False, None)],
)
def test_the_page_of_a_proc_names_its_swarm(
    swarm: Swarm, pages: Client, proc: str, is_ours: bool, owner: str | None
) -> None:
    context = pages.get(f"/proc/atlas/{proc}/").context
    assert context["is_ours"] is is_ours
    assert (context["swarm"].name if context["swarm"] else None) == owner


def test_the_engine_sees_it_to_retire_it(swarm: Swarm) -> None:
    dispatch = Dispatch.objects.create(swarm=swarm, tag="v1", size=1)
    seen = observe(goal_of(dispatch), dispatch, frozenset(), connect, {})
    assert [(proc.host, proc.name) for proc in seen.procs] == [("atlas", OWNED)]
    assert [host.name for host in seen.hosts] == ["boreas"]
