"""What a host would refuse is not stored through any door, and all that is wrong is told."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
import yaml
from django.contrib.auth.models import User
from django.test import Client

from vr.server.models import App, Ingredient, Squad, Swarm
from vr.server.models.proc_settings import ProcSettings

Door = Callable[[str, dict[str, str]], str]

GOOD = {"tag": "v1", "config_name": "prod", "proc_name": "web", "size": "1", "run_as": "nobody"}
BAD: list[tuple[str, dict[str, str], list[str]]] = [
    (
        "swarm",
        {"volumes_yaml": "- [/srv/data, /proc]"},
        ["the mount point '/proc' lies in"],
    ),
    (
        "swarm",
        {"volumes_yaml": "- [/srv/../etc, /data]"},
        ["the host folder '/srv/../etc'"],
    ),
    ("swarm", {"env_yaml": "MY-VAR: 1"}, ["'MY-VAR' can't be the name of a variable"]),
    ("swarm", {"env_yaml": "A: [1]\nB: {c: 1}"}, ["A is a list", "B is a dict"]),
    ("swarm", {"config_yaml": "pilot: 5"}, ["pilot: is a number"]),
    ("swarm", {"mem_limit": "1K"}, ["1K is too little for any process"]),
    ("swarm", {"mem_limit": "1G", "memsw_limit": "64M"}, ["it can't be less than mem_limit, 1G"]),
    ("swarm", {"run_as": "root"}, ["an app can't run as root"]),
    ("swarm", {"run_as": "games"}, ["'games' is a service's account", "VR_RUN_AS"]),
    ("swarm", {"size": "5000"}, ["1000"]),
    (
        "swarm",
        {"env_yaml": "1A: x", "disk_limit": "1M", "pids_limit": "1", "run_as": "no body"},
        ["'1A' can't be", "1M is too little", "1 is out of range", "'no body' can't be"],
    ),
    ("ingredient", {"env_yaml": "MY-VAR: 1"}, ["'MY-VAR' can't be the name of a variable"]),
    ("ingredient", {"config_yaml": "pilot: 5"}, ["pilot: is a number"]),
]


@pytest.fixture
def doors(api: Any, user: User, client: Client) -> dict[str, Door]:
    """By name: a function that sends a new record of a kind, and returns what is refused."""
    User.objects.update(is_superuser=True, is_staff=True)
    client.force_login(user)
    App.objects.create(name="shop", repo_url="/srv/shop")
    Squad.objects.create(name="local")

    def filled(kind: str, fields: dict[str, str]) -> dict[str, Any]:
        if kind == "ingredient":
            return {"name": "salt"} | fields
        related = {"app": App.objects.get().pk, "squad": Squad.objects.get().pk}
        return {**related, **GOOD, **fields}

    def through_api(kind: str, fields: dict[str, str]) -> str:
        data = filled(kind, fields)
        if kind == "swarm":
            data |= {"app": "shop", "squad": "local", "version": "v1", "size": int(data["size"])}
        if text := data.pop("volumes_yaml", ""):
            data["volumes"] = yaml.safe_load(text)
        answer = api.post(f"{kind}s/", data)
        return "" if answer.status_code == 201 else "\n".join(answer.json()["problems"])

    def through_page(kind: str, fields: dict[str, str]) -> str:
        address = "/swarm/" if kind == "swarm" else f"/{kind}/add/"
        answer = client.post(address, filled(kind, fields) | {"save": "1"})
        return "" if answer.status_code == 302 else unescape(answer.content.decode())

    def through_admin(kind: str, fields: dict[str, str]) -> str:
        answer = client.post(f"/admin/server/{kind}/add/", filled(kind, fields))
        return "" if answer.status_code == 302 else unescape(answer.content.decode())

    return {"api": through_api, "page": through_page, "admin": through_admin}


@pytest.mark.parametrize("door", ["api", "page", "admin"])
@pytest.mark.parametrize(("kind", "fields", "sentences"), BAD, ids=[str(b[1]) for b in BAD])
def test_what_a_host_would_refuse_is_not_stored(
    doors: dict[str, Door], door: str, kind: str, fields: dict[str, str], sentences: list[str]
) -> None:
    said = doors[door](kind, fields)

    for sentence in sentences:
        assert sentence in said, said
    assert not Swarm.objects.exists()
    assert not Ingredient.objects.exists()


@pytest.mark.parametrize("door", ["api", "page", "admin"])
def test_what_a_host_takes_is_stored_the_same(doors: dict[str, Door], door: str) -> None:
    fields = {
        "config_yaml": "greeting: hello",
        "env_yaml": "LEVEL: info",
        "volumes_yaml": "- - /srv/data\n  - /data\n",
        "run_as": "shopkeeper",
        "mem_limit": "1.5G",
        "memsw_limit": "1T",
        "cpu_limit": "0.5",
        "pids_limit": "200",
        "disk_limit": "512M",
        "tmp_size": "64mb",
        "nofile": "4096",
        "log_limit": "20M",
    }
    assert set(fields) == {one.name for one in ProcSettings._meta.local_fields}

    assert doors[door]("swarm", fields) == ""

    stored = Swarm.objects.get().settings()
    stored["volumes_yaml"] = yaml.safe_load(stored["volumes_yaml"])
    assert stored == fields | {
        "volumes_yaml": [["/srv/data", "/data"]],
        "cpu_limit": 0.5,
        "pids_limit": 200,
        "nofile": 4096,
    }
