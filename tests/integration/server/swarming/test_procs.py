"""Single procs on a real host: deploy, actions, logs, retire, and what is cut off in between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.ports import free_port
from support.swarm_machine import HOST, Machine
from support.waiting import until
from vr.errors import InvalidInput
from vr.hosts import deployment
from vr.hosts.connect import NotThisMachine
from vr.hosts.deployment import ProcFile
from vr.hosts.stopping import stop
from vr.server.hosts import connect
from vr.server.models import Event, Host, PortLease, Release
from vr.server.procs.proc_yaml import content, proc_file
from vr.server.swarming import tasks
from vr.server.swarming.manual import deploy_release
from vr.server.swarming.proc_actions import UnknownProc, log_tail, proc_action
from vr.specs.names import ProcName

PORT = free_port()


@pytest.fixture
def release(machine: Machine) -> Release:
    build = machine.build("v1")
    made = Release(build=build, env_yaml="VERSION: v1\nSECRET: hunter2")
    made.hash = made.compute_hash()
    made.save()
    return made


@pytest.fixture
def name(release: Release) -> ProcName:
    return ProcName("shop", "v1", "prod", release.hash, "web", PORT)


@pytest.fixture
def proc(release: Release, name: ProcName) -> ProcFile:
    return proc_file(release, name, HOST)


@pytest.fixture
def host(machine: Machine) -> Host:
    return Host.objects.get()


def test_only_an_app_that_runs_as_nobody_gets_a_user_id_of_its_own(
    release: Release, name: ProcName
) -> None:
    own = content(release, name, HOST)
    assert own["user"] == "nobody"
    assert own["host_uid"] == content(release, name, HOST)["host_uid"] in range(200_000, 265_536)
    release.run_as = "games"
    assert "host_uid" not in content(release, name, HOST)


def test_a_proc_without_limits_has_those_of_the_server(
    release: Release, name: ProcName, settings: Any
) -> None:
    settings.DEFAULT_LIMITS = {"mem_limit": "1G", "pids_limit": 512}
    release.pids_limit = 20
    told = content(release, name, HOST)
    assert (told["mem_limit"], told["pids_limit"]) == ("1G", 20)


def test_a_manual_deploy_runs_one_proc_without_tests_and_routing(
    machine: Machine, release: Release, name: ProcName, host: Host, woken: list[str]
) -> None:
    deployed = deploy_release(
        release, host=host, port=PORT, proc="web", config_name="prod", user=None
    )
    assert deployed == str(name) and woken == ["deploy_proc"]
    tasks.deploy_proc(release.pk, host.pk, deployed)
    until(lambda: connect(HOST).accepts(PORT), "it serves")
    assert machine.procs() == [deployed] and machine.nodes() == []
    assert "serving" in until(lambda: log_tail(host, deployed).decode(), "its log is there")


def test_a_manual_deploy_that_fails_is_told_and_leaves_nothing(
    machine: Machine, release: Release, host: Host
) -> None:
    release.run_as = "no_such_user"
    release.save()
    deployed = deploy_release(
        release, host=host, port=PORT, proc="web", config_name="prod", user=None
    )
    tasks.deploy_proc(release.pk, host.pk, deployed)
    event = Event.objects.filter(title=f"{deployed} failed").get()
    assert event.tags == ["deploy", "failed"] and "no_such_user" in event.message
    assert machine.folders() == machine.procs() == []
    assert not PortLease.objects.exists()


def test_procs_are_stopped_started_and_deleted(
    machine: Machine, proc: ProcFile, name: ProcName, host: Host
) -> None:
    deployment.deploy(connect(HOST), [proc])

    def act(action: str) -> dict[str, Any]:
        return proc_action(host, str(name), action, user=None)

    until(lambda: connect(HOST).accepts(PORT), "it serves")
    assert act("stop")["statename"] == "STOPPED"
    assert not connect(HOST).accepts(PORT)
    act("start")
    until(lambda: connect(HOST).accepts(PORT), "it serves again")
    pid = act("restart")["pid"]
    assert pid == machine.supervisor.get(str(name))["pid"] != 0
    assert act("delete") == {"name": str(name), "deleted": True}
    assert machine.folders() == machine.procs() == []
    with pytest.raises(UnknownProc, match="has no proc named 'shop-v1"):
        act("start")
    with pytest.raises(InvalidInput, match="expected one of start, stop, restart, delete"):
        act("explode")


def test_foreign_programs_are_never_deleted(machine: Machine, host: Host) -> None:
    with pytest.raises(InvalidInput, match="'redis' is not one of Velociraptor's"):
        proc_action(host, "redis", "delete", user=None)


def test_only_root_reads_a_procs_yaml(machine: Machine, proc: ProcFile, name: ProcName) -> None:
    deployment.deploy(connect(HOST), [proc])
    path = machine.root / "procs" / str(name) / "proc.yaml"
    assert "hunter2" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_every_operation_may_be_repeated(machine: Machine, proc: ProcFile, name: ProcName) -> None:
    for _ in range(2):
        deployment.deploy(connect(HOST), [proc])
    assert machine.procs() == [str(name)]
    for _ in range(2):
        deployment.retire(connect(HOST), [str(name)])
    assert machine.folders() == machine.procs() == []


def test_a_deploy_that_was_cut_off_before_supervisor_heard_of_it_is_retired(
    machine: Machine, proc: ProcFile, name: ProcName
) -> None:
    deployment._set_up(connect(HOST), proc)
    assert machine.procs() == []
    deployment.retire(connect(HOST), [str(name)])
    assert machine.folders() == []


def test_procs_stopped_within_milliseconds_of_their_start_stay_down(
    machine: Machine, proc: ProcFile, name: ProcName
) -> None:
    deployment.deploy(connect(HOST), [proc])
    for _ in range(5):
        machine.supervisor.start(str(name))
        stop(connect(HOST), [str(name)], timeout=15)
        assert machine.supervisor.get(str(name))["statename"] == "STOPPED"
        assert not connect(HOST).accepts(PORT)


def test_a_proc_retired_while_it_is_being_started_is_gone(
    machine: Machine, proc: ProcFile, name: ProcName
) -> None:
    for _ in range(3):
        deployment.deploy(connect(HOST), [proc])
        deployment.retire(connect(HOST), [str(name)])
        assert machine.folders() == machine.procs() == []
        assert not connect(HOST).accepts(PORT)


def test_many_procs_of_a_host_are_deployed_and_retired_side_by_side(
    machine: Machine, release: Release
) -> None:
    names = [ProcName("shop", "v1", "prod", release.hash, "web", PORT + n) for n in range(6)]
    deployment.deploy(connect(HOST), [proc_file(release, one, HOST) for one in names])
    for one in names:
        until(lambda port=one.port: connect(HOST).accepts(port), f"{one} serves")
    deployment.retire(connect(HOST), map(str, names))
    assert machine.folders() == machine.procs() == []


def test_a_machine_that_was_never_prepared_is_refused_with_a_sentence(machine: Machine) -> None:
    with pytest.raises(NotThisMachine, match=r"web7 .* has not been prepared as a host"):
        connect("web7").exists(Path("/"))


def test_tools_on_the_host_do_not_see_the_servers_secrets(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VR_SECRET_KEY", "hunter2")
    assert b"hunter2" not in connect(HOST).run(["env"]).stdout
