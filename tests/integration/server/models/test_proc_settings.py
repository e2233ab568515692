"""What a proc runs with, from the API by way of a release into proc.yaml, as hosts read it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from vr.hosts.deployment import ProcFile
from vr.hosts.proc_conf import Rotation
from vr.server.models import App, Build, BuildStatus, Release, Squad, Swarm
from vr.server.models.content_hash import hash_of
from vr.server.models.proc_settings import ProcSettings
from vr.server.procs.proc_yaml import proc_file
from vr.server.swarming.releases import release_for
from vr.specs.limits import LIMITS
from vr.specs.names import ProcName
from vr.specs.proc import parse


@pytest.fixture
def build(db: None) -> Build:
    app = App.objects.create(name="shop", repo_url="/srv/shop")
    return Build.objects.create(
        app=app, tag="v1", status=BuildStatus.SUCCESS, file="builds/x.tar.gz", hash="abc"
    )


@pytest.fixture
def swarm(build: Build) -> Swarm:
    squad = Squad.objects.create(name="local")
    return Swarm.objects.create(
        app=build.app, squad=squad, tag="v1", config_name="prod", proc_name="web"
    )


def file_of(release: Release) -> ProcFile:
    name = ProcName("shop", "v1", "prod", release.hash, "web", 5000)
    return proc_file(release, name, "testhost")


def deployed(release: Release) -> Any:
    return parse(yaml.safe_load(file_of(release).proc_yaml), "proc.yaml")


def rotation(release: Release) -> Rotation:
    return file_of(release).rotation


def test_every_limit_is_a_field_of_swarms_and_releases() -> None:
    fields = [one.name for one in ProcSettings._meta.local_fields]
    assert [name for name in fields if name in LIMITS] == list(LIMITS)


@pytest.mark.parametrize("limit", LIMITS.values(), ids=LIMITS)
def test_a_limit_goes_from_the_api_by_a_release_to_the_host(
    swarm: Swarm, build: Build, api: Any, limit: Any, settings: Any
) -> None:
    settings.DEFAULT_LIMITS = {}
    plain = release_for(swarm, build)
    value = {"size": str, "number": float, "whole": int}[limit.kind](limit.example)

    assert api.patch("swarms/1/", {limit.name: value}).status_code == 202
    release = release_for(Swarm.objects.get(), build)

    assert api.get("swarms/1/").json()[limit.name] == value
    assert api.get(f"releases/{release.pk}/").json()[limit.name] == value
    assert getattr(deployed(release), limit.name) == value
    assert getattr(deployed(plain), limit.name) is None
    assert release.hash != plain.hash


@pytest.mark.parametrize("limit", LIMITS.values(), ids=LIMITS)
def test_a_limit_given_to_a_release_makes_the_same_release_as_of_a_swarm(
    swarm: Swarm, build: Build, api: Any, limit: Any
) -> None:
    # Text, as `vr` sends it.
    made = api.add("releases", build=f"/api/v1/builds/{build.pk}/", **{limit.name: limit.example})
    api.patch("swarms/1/", {limit.name: limit.example})
    assert release_for(Swarm.objects.get(), build).pk == made["id"]


def test_what_a_proc_may_write_is_watched_unless_a_limit_is_set(
    swarm: Swarm, build: Build, settings: Any
) -> None:
    settings.DEFAULT_LIMITS, settings.PROC_DISK = {}, "4G"
    release = release_for(swarm, build)
    assert (deployed(release).disk_watch, deployed(release).disk_limit) == ("4G", None)
    settings.PROC_DISK = None
    assert deployed(release).disk_watch is None
    settings.PROC_DISK, release.disk_limit = "4G", "1G"
    assert (deployed(release).disk_watch, deployed(release).disk_limit) == (None, "1G")


def test_a_proc_keeps_as_much_of_its_log_as_its_swarm_says(
    swarm: Swarm, build: Build, settings: Any
) -> None:
    settings.DEFAULT_LIMITS, settings.LOG_MB, settings.LOG_BACKUPS = {}, 10, 3
    release = release_for(swarm, build)
    assert rotation(release) == Rotation(10_000_000, 3)
    release.log_limit = "8M"
    assert rotation(release) == Rotation(2 << 20, 3)


def test_what_was_the_same_release_before_is_still(swarm: Swarm, build: Build) -> None:
    Swarm.objects.update(mem_limit="64M", volumes_yaml="- [/srv, /data] # why")
    release = release_for(Swarm.objects.get(), build)
    before = hash_of("abc", {}, {}, [["/srv", "/data"]], "nobody", "64M", None)[:8]
    assert release.hash == before


def test_no_limit_is_shown_as_null_and_can_be_taken_away(swarm: Swarm, api: Any) -> None:
    for nothing in ("", None):
        api.patch("swarms/1/", {limit.name: limit.example for limit in LIMITS.values()})
        assert None not in [api.get("swarms/1/").json()[name] for name in LIMITS]
        assert api.patch("swarms/1/", dict.fromkeys(LIMITS, nothing)).status_code == 202
        assert {api.get("swarms/1/").json()[name] for name in LIMITS} == {None}


REFUSED: list[tuple[dict[str, Any], list[str]]] = [
    ({"volumes": [["/srv/data", "/proc"]]}, ["volumes: pair 1: the mount point '/proc'"]),
    ({"volumes": [["/srv/../etc", "/data"]]}, ["volumes: pair 1: the host folder"]),
    ({"volumes": [["/etc", "/data"]]}, ["volumes: pair 1: the host folder '/etc' lies in /etc"]),
    ({"env_yaml": {"MY-VAR": "x"}}, ["env_yaml: 'MY-VAR' can't be the name"]),
    ({"env_yaml": {"A": [1], "B": {}}}, ["env_yaml: A is a list", "env_yaml: B is a dict"]),
    ({"config_yaml": {"pilot": 5}}, ["config_yaml: pilot: is a number"]),
    ({"mem_limit": "1K"}, ["mem_limit: 1K is too little"]),
    ({"mem_limit": "9" * 400}, ["mem_limit: "]),
    (
        {"mem_limit": "1G", "memsw_limit": "1M"},
        ["memsw_limit: 1M is too", "memsw_limit: 1M is RAM"],
    ),
    ({"cpu_limit": 0, "pids_limit": 1}, ["cpu_limit: 0 is out", "pids_limit: 1 is out"]),
    ({"pids_limit": 4.5}, ["pids_limit: is 4.5, but a whole number"]),
    ({"cpu_limit": "many"}, ["cpu_limit: is text ('many')"]),
    ({"run_as": "no body"}, ["run_as: 'no body' can't be the name"]),
]


@pytest.mark.parametrize(("sent", "expected"), REFUSED, ids=[str(list(one[0])) for one in REFUSED])
@pytest.mark.parametrize("resource", ["swarms", "releases"])
def test_what_a_host_would_refuse_is_not_stored(
    swarm: Swarm, build: Build, api: Any, resource: str, sent: dict[str, Any], expected: list[str]
) -> None:
    Release.objects.create(build=build)
    answer = api.patch(f"{resource}/1/", sent)
    assert answer.status_code == 400
    problems = answer.json()["problems"]
    for sentence in expected:
        assert any(one.startswith(sentence) for one in problems), problems


@pytest.mark.parametrize("size", ["1.5G", "1T", "64mb"])
def test_sizes_that_a_host_reads_are_stored(swarm: Swarm, api: Any, size: str) -> None:
    assert api.patch("swarms/1/", {"mem_limit": size}).status_code == 202


def test_no_swarm_is_larger_than_what_is_dispatched(swarm: Swarm, api: Any, settings: Any) -> None:
    settings.LARGEST_SWARM = 7
    assert api.patch("swarms/1/", {"size": 8}).json()["problems"] == ["size: must be 7 or less"]
    assert api.post("swarms/1/scale/", {"size": 8}).status_code == 400
    assert api.patch("swarms/1/", {"size": 7}).status_code == 202


@pytest.mark.parametrize("field", ["config_yaml", "env_yaml"])
def test_what_a_host_would_refuse_is_no_ingredient(api: Any, field: str) -> None:
    bad = {"config_yaml": "pilot: 5", "env_yaml": "MY-VAR: 1"}[field]
    (problem,) = api.post("ingredients/", {"name": "x", field: bad}).json()["problems"]
    assert problem.startswith(f"{field}: ")
