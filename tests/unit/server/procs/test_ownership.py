"""Whose a proc is, case by case."""

from __future__ import annotations

import pytest

from vr.server.models import App, Swarm
from vr.server.procs.ownership import Claims, Owner, Unowned

WEB = "shop-v2-prod-abc-web-5001"
CLAIMS = Claims(
    leased={("atlas", WEB): 7, ("gone", WEB): 7},
    named={(1, "shop", "prod", "web"): 8, (2, "shop", "prod", "web"): 9},
    squads={"atlas": 1, "boreas": 1, "castor": 2, "free": None},
)


@pytest.mark.parametrize(
    ("host", "proc", "owner"),
    [
        # A lease decides, whatever the swarm is called and wherever the host is.
        ("atlas", WEB, 7),
        ("gone", WEB, 7),
        # Then the name, by the host's squad.
        ("boreas", WEB, 8),
        ("castor", WEB, 9),
        ("atlas", "shop-v1-prod-def-web-5002", 8),
        # Ours, but of no swarm.
        ("free", WEB, Unowned.STRAY),
        ("unknown", WEB, Unowned.STRAY),
        ("boreas", "shop-v2-prod-abc-worker-0", Unowned.STRAY),
        ("boreas", "shop-v2-qa-abc-web-5001", Unowned.STRAY),
        # Other programs.
        ("atlas", "redis", Unowned.FOREIGN),
        ("free", "shop-v2-prod-abc-web-port", Unowned.FOREIGN),
    ],
)
def test_a_lease_decides_then_the_name(host: str, proc: str, owner: Owner) -> None:
    assert CLAIMS.owner(host, proc) == owner


@pytest.mark.parametrize(
    ("host", "proc", "may"),
    [
        ("atlas", WEB, False),  # another swarm's by its lease
        ("boreas", WEB, True),
        ("castor", WEB, False),  # the namesake's in another squad
        ("free", WEB, True),  # a stray that is called like its own
        ("free", "shop-v2-qa-abc-web-5001", False),
        ("free", "redis", False),
    ],
)
def test_strays_of_its_name_may_be_a_swarms(host: str, proc: str, may: bool) -> None:
    swarm = Swarm(pk=8, app=App(name="shop"), config_name="prod", proc_name="web")
    assert CLAIMS.may_be_of(swarm, host, proc) is may
