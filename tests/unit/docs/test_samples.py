"""README and docs/: every code block is run or read by a test, or it is said why it is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.documents import Sample, pages, sample, samples
from vr.balancer import loader
from vr.balancer.nginx.balancer import NginxBalancer
from vr.dea import config as dea_config
from vr.hosts.connect import ThisMachine, connect_from_settings
from vr.hosts.connection import HostConnection
from vr.paths import Root
from vr.pilot import load
from vr.stager import config as stager_config
from vr.stager.request import parse_request

TYPED = "tests/e2e/test_documents.py"
NGINX = "tests/integration/docs/test_nginx_samples.py"
READ = "below"
SET_UP = "needs a machine of its own: tests/integration/up, and CI begins with it"
SHOWN = "a picture, or what is printed"

# By page: how a block begins, and who tries it.
BLOCKS = {
    "README.md": {
        "# vr swarm shop v2": TYPED,
        "# git clone <this repository>": SET_UP,
        "# git init --quiet hello": TYPED,
        "# vr apps add hello": TYPED,
        "# make test ": SET_UP,
    },
    "docs/api.md": {
        "# export VR_URL=": TYPED,
        "server {": NGINX,
        "from vr.client import Client": TYPED,
    },
    "docs/architecture.md": {"repository ──vbuild──▶": SHOWN, "supervisord ─┬─": SHOWN},
    "docs/balancers.md": {
        "BALANCERS:": READ,
        "upstream my_app {": NGINX,
        "server {": NGINX,
        "class TightRope:": READ,
    },
    "docs/builder.md": {
        "vbuild build build.yaml [--output": SHOWN,
        "app_name: shop": TYPED,
        "image_url:": TYPED,
        "/builder.sh": TYPED,
    },
    "docs/fleet.md": {"# sh -c": "tests/integration/server/fleet/test_fleet_mode.py"},
    "docs/hosts.md": {
        "# VR_HOSTS_ADDRESS=": "tests/e2e/test_hosts.py",
        "# vr squads change": "tests/e2e/test_hosts.py",
        "# vr hosts drain": "tests/e2e/test_hosts.py",
    },
    "docs/operations.md": {
        "vr up --systemd": "tests/integration/up",
        "vr up": "tests/e2e/test_upgrade.py",
        "vr down": "tests/e2e/test_upgrade.py",
    },
    "docs/pilot.md": {"make pilot": "tests/integration/pilot", "{": READ},
    "docs/runners.md": {
        "# hello.yaml": TYPED,
        "# vrun_precise setup": TYPED,
        '[{"Name"': SHOWN,
        "# vrun gc": TYPED,
        "# vrun doctor": TYPED,
        "vrun: out of memory": SHOWN,
    },
    "docs/settings.md": {"export VR_HOME=": TYPED},
    "docs/stacks.md": {
        "vimage stack": TYPED,
        "vimage base": "takes minutes: tests/integration/imager",
        "base_image_url:": TYPED,
        "#!/bin/sh": TYPED,
    },
    "docs/stager.md": {
        "make demo-stager": SET_UP,
        "vstager -c stager.yml &": "tests/integration/stager",
        "logging:": READ,
        '{"app_id"': READ,
        "from vr.stager.plugins.contract": READ,
        "export NATS_URI=": TYPED,
        "VR_BUILDER=nats vr up": TYPED,
        "VR_BUILDER=nats VR_NATS_URI=": "needs a second machine: tests/e2e/test_farm.py",
        "nats_uri:": READ,
    },
    "docs/swarms.md": {
        "# vr swarms add shop web": TYPED,
        "# vr swarm shop-prod-web v1 --hold": TYPED,
        "# vr rollback shop-prod-web": TYPED,
        "[eventlistener:proc_publisher]": "tests/integration/agent",
        "celery -A": "tests/integration/server/jobs",
    },
}


@pytest.mark.parametrize("page", pages())
def test_no_block_is_forgotten(page: str) -> None:
    known = BLOCKS.get(page, {})
    found = samples(page)
    new = [one.first for one in found if not one.first.startswith(tuple(known))]
    gone = [begins for begins in known if not any(one.first.startswith(begins) for one in found)]
    assert (new, gone) == ([], []), "say in BLOCKS who tries a new block; take out what is gone"


def executed(one: Sample) -> dict[str, Any]:
    """The names that a block of Python defines."""
    names: dict[str, Any] = {}
    exec(compile(one.text, one.page, "exec"), names)
    return names


def test_the_file_of_balancers_is_taken() -> None:
    (entries,) = yaml.safe_load(sample("docs/balancers.md", "BALANCERS:").text).values()
    here = ThisMachine("", Root(Path("/nonexistent")), "unix:///nonexistent", Path("/nonexistent"))
    made = loader.load("edge", entries, lambda name: connect_from_settings(name, here))
    assert isinstance(made, NginxBalancer)


def test_a_balancer_of_ones_own_needs_its_three_methods_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backend = executed(sample("docs/balancers.md", "class TightRope:"))["TightRope"]
    monkeypatch.setattr(loader, "_import", lambda path, where: backend)

    def connect(name: str) -> HostConnection:
        raise AssertionError("no hosts are named")

    made = loader.load("rope", {"rope": {"BACKEND": "circus.TightRope"}}, connect)
    made.add_nodes("pool", ["10.0.0.3:5010"])


def test_a_framework_of_ones_own_gives_a_startup() -> None:
    class Staging:
        def install(self, *argv: str) -> None:
            assert argv == ("make", "release")

    stage = executed(sample("docs/stager.md", "from vr.stager.plugins.contract"))["stage"]
    assert stage(Staging()).exports == {"MODE": "production"}


def test_configurations_of_the_pilot_are_taken() -> None:
    blocks = [one for one in samples("docs/pilot.md") if one.first == "{"]
    assert len(blocks) == 2
    environ = {"CONSUL": "consul:8500", "HOST": "10.0.0.3", "PORT": "5010"}
    for one in blocks:
        assert load.load(one.text, environ).config.services


def test_stager_yml_is_taken() -> None:
    shown = sample("docs/stager.md", "logging:").text
    assert stager_config.parse_config(yaml.safe_load(shown), "stager.yml").image


def test_dea_yml_is_taken() -> None:
    shown = sample("docs/stager.md", "nats_uri:").text
    assert dea_config.parse_config(yaml.safe_load(shown), "dea.yml").runtimes


def test_a_request_to_stage_is_taken() -> None:
    shown = json.loads(sample("docs/stager.md", '{"app_id"').text)
    assert parse_request(shown, "0" * 32).properties.framework_info
