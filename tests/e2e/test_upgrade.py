"""New code and new settings under a running stack: part by part, and no proc is stopped."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.big_folders import big_folder
from support.load import Load
from support.ports import free_port
from support.stack import BIN, Stack
from support.waiting import until

RATE = 200
KEPT = ("supervisord", "nginx", "redis")
BACKGROUND = ("worker", "builder", "beat")

MIGRATION = """\
from django.db import migrations


def change(apps, schema_editor):
    {what}


class Migration(migrations.Migration):
    dependencies = [("server", "{former}")]
    operations = [migrations.RunPython(change, migrations.RunPython.noop)]
"""


class Upgradable:
    """A stack with the example app, and its code, which the tests change."""

    def __init__(self, stack: Stack, package: Path) -> None:
        self.stack = stack
        self._package = package
        self._changes = 0

    def change(self) -> None:
        """Install other code."""
        self._changes += 1
        with (self._package / "text" / "plurals.py").open("a") as file:
            file.write(f"\n# change {self._changes}\n")

    def add_migration(self, name: str, what: str = "pass") -> Callable[[], None]:
        """Install code that has another migration; gives what installs the former again."""
        folder = self._package / "server" / "migrations"
        former = max(path.stem for path in folder.glob("[0-9]*.py"))
        path = folder / f"{name}.py"
        path.write_text(MIGRATION.format(former=former, what=what))
        return path.unlink

    def break_code(self, module: str) -> Callable[[], None]:
        """Install code that does not start; gives what installs the former again."""
        path = self._package / "server" / module
        text = path.read_text()
        path.write_text(f"{text}\nthis is no Python\n")
        return lambda: void(path.write_text(text))

    def break_bootstrap(self) -> Callable[[], None]:
        """Install code that migrates the database and then fails to fill it; gives what installs
        the former again."""
        path = self._package / "server" / "management" / "commands" / "bootstrap.py"
        text = path.read_text()
        path.write_text(text.replace("        self._stack()\n", "        raise OSError('disk')\n"))
        return lambda: void(path.write_text(text))

    def pids(self) -> dict[str, str]:
        """The pid of every part and proc, and of supervisord."""
        parts = self.stack.status()["parts"]
        found = {one["name"]: one["description"].split(",")[0] for one in parts}
        supervisord = (self.stack.home / "vr" / "run" / "supervisord.pid").read_text().strip()
        return found | {"supervisord": f"pid {supervisord}"}

    def serving_pids(self) -> dict[str, str]:
        """Those of supervisord, of what is never replaced, and of procs."""
        kept = (*KEPT, *self.stack.procs())
        return {name: pid for name, pid in self.pids().items() if name in kept}

    def outdated(self) -> list[str]:
        return list(self.stack.status()["outdated"])


def void(_: object) -> None:
    return None


@pytest.fixture(scope="module")
def upgradable(shop_repo: Path) -> Iterator[Upgradable]:
    stack = Stack(big_folder("vr-up-"), procs=60)
    package = stack.use_code_of_its_own()
    try:
        stack.up()
        stack.vr("apps", "add", "shop", str(shop_repo), "--stack", "debian12")
        stack.vr(
            *("swarms", "add", "shop", "web", "--config-name", "prod", "--tag", "v1"),
            *("--size", "2", "--squad", "local", "--pool", "shop"),
        )
        stack.vr("swarm", "shop-prod-web", "v1")
        yield Upgradable(stack, package)
        stack.down()
        assert stack.leftovers() == []
    finally:
        stack.remove()


def test_new_code_fails_no_request_and_stops_no_proc(upgradable: Upgradable) -> None:
    stack = upgradable.stack
    before, all_before = upgradable.serving_pids(), upgradable.pids()
    assert upgradable.outdated() == []
    upgradable.change()
    upgradable.add_migration("9000_next")
    assert set(upgradable.outdated()) == {"web", "proc_publisher", *BACKGROUND}
    assert "older than the installed" in stack.vr("status").stdout
    with (
        Load(stack.http_port, "shop.localhost", RATE) as apps,
        Load(stack.web_port, "localhost", 10, path="/login/") as pages,
    ):
        said = stack.vr("up").stderr
    assert apps.failures == []
    assert apps.sent / apps.seconds >= RATE * 0.9
    assert pages.failures == [], "connections wait for the new web process"
    assert upgradable.serving_pids() == before
    after = upgradable.pids()
    for part in ("web", "proc_publisher", *BACKGROUND):
        assert after[part] != all_before[part]
        assert f"{part} replaced" in said
    assert "1 migration on a copy" in said
    [kept] = re.findall(r"stays in (\S+)", said)
    assert Path(kept).stat().st_mode & 0o777 == 0o600
    assert upgradable.outdated() == []
    stack.vr("up")
    assert upgradable.pids() == after, "there is nothing left to replace"


def test_a_migration_that_fails_leaves_all_as_it_was(upgradable: Upgradable) -> None:
    before = upgradable.pids()
    undo = upgradable.add_migration("9001_fails", what="raise ValueError('no such luck')")
    done = upgradable.stack.vr("up", check=False)
    assert done.returncode == 1
    assert "migrations fail on a copy" in done.stderr
    assert "no such luck" in done.stderr
    assert upgradable.pids() == before
    assert upgradable.stack.status()["healthy"] is True
    assert upgradable.outdated(), "it says that what is installed does not run"
    undo()
    assert upgradable.outdated() == []


def test_what_was_stopped_for_the_database_runs_again_if_only_filling_it_fails(
    upgradable: Upgradable,
) -> None:
    before = upgradable.pids()
    undo = upgradable.break_bootstrap()
    done = upgradable.stack.vr("up", check=False)
    assert done.returncode == 1 and "OSError: disk" in done.stderr
    assert "what works in the background runs again" in done.stderr
    after = upgradable.pids()
    assert {name for name in before if before[name] != after[name]} == {
        *("worker", "builder", "beat")
    }
    until(lambda: upgradable.stack.status()["healthy"], "they run", seconds=60)
    undo()
    upgradable.stack.vr("up")
    assert upgradable.outdated() == []


def test_code_that_does_not_start_replaces_nothing(upgradable: Upgradable) -> None:
    before = upgradable.pids()
    undo = upgradable.break_code("urls.py")
    done = upgradable.stack.vr("up", check=False)
    undo()
    assert done.returncode == 1
    assert "does not start" in done.stderr
    assert upgradable.pids() == before


def test_a_web_process_that_would_not_start_replaces_none(upgradable: Upgradable) -> None:
    stack = upgradable.stack
    before = upgradable.serving_pids() | {"web": upgradable.pids()["web"]}
    undo = upgradable.break_code("asgi.py")
    done = stack.vr("up", check=False)
    undo()
    assert done.returncode == 1
    assert "the former one serves on" in done.stderr
    assert "SyntaxError" in done.stderr
    assert before.items() <= upgradable.pids().items()
    assert "Velociraptor" in page(stack)
    stack.vr("up")


def test_code_that_is_older_than_the_database_is_refused(upgradable: Upgradable) -> None:
    stack = upgradable.stack
    undo = upgradable.add_migration("9002_later")
    stack.vr("up")
    before = upgradable.pids()
    undo()
    done = stack.vr("up", check=False)
    assert done.returncode == 1
    assert "database is newer than the installed code" in done.stderr
    assert "server.9002_later" in done.stderr
    assert upgradable.pids() == before
    upgradable.add_migration("9002_later")
    stack.vr("up")


def test_a_dispatch_goes_on_with_the_new_worker(upgradable: Upgradable) -> None:
    stack = upgradable.stack
    stack.vr("swarm", "shop-prod-web", "v1")
    with Load(stack.http_port, "shop.localhost", RATE) as load:
        swarming = subprocess.Popen(
            [str(BIN / "vr"), "swarm", "shop-prod-web", "v2"],
            env=stack.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        until(
            lambda: [name for name in stack.procs() if "-v2-" in name],
            "a proc of v2 is deployed",
            seconds=60,
        )
        upgradable.change()
        stack.vr("up")
        output, _ = swarming.communicate(timeout=120)
    assert swarming.returncode == 0, output
    assert load.failures == []
    assert set(load.versions) == {"v1", "v2"}
    assert stack.version("shop") == "v2"
    assert len(stack.procs()) == 2


def test_an_upgrade_that_is_killed_goes_on_with_the_next_one(upgradable: Upgradable) -> None:
    stack = upgradable.stack
    before = upgradable.serving_pids()
    upgradable.change()
    upgrading = subprocess.Popen(
        [str(BIN / "vr"), "up"],
        env=stack.env,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert upgrading.stderr is not None
    for line in upgrading.stderr:
        if "stopping" in line:
            break
    os.kill(upgrading.pid, signal.SIGKILL)
    upgrading.communicate()
    stack.vr("up")
    assert upgradable.outdated() == []
    assert stack.status()["healthy"] is True
    assert upgradable.serving_pids() == before


def test_a_new_port_of_the_balancer_restarts_no_nginx(upgradable: Upgradable) -> None:
    stack = upgradable.stack
    before = upgradable.serving_pids()
    stack.http_port = free_port()
    stack.env["VR_HTTP_PORT"] = str(stack.http_port)
    said = stack.vr("up").stderr
    assert "nginx reads its configuration again" in said
    assert upgradable.serving_pids() == before
    assert stack.get("no-such-pool")[0] == 404
    assert stack.version("shop"), "pools are served there, too"
    assert "nginx reads" not in stack.vr("up").stderr


def test_a_new_address_of_both_ports_is_taken_though_the_former_has_them(
    upgradable: Upgradable,
) -> None:
    stack = upgradable.stack
    before = upgradable.serving_pids()
    stack.env["VR_BIND"] = "0.0.0.0"
    assert "nginx replaced" in stack.vr("up").stderr
    assert stack.version("shop")
    assert "Velociraptor" in page(stack)
    del before["nginx"]
    assert before.items() <= upgradable.serving_pids().items()
    del stack.env["VR_BIND"]
    stack.vr("up")


def test_a_setting_reaches_the_parts_as_it_was_given_and_is_forgotten_when_it_is(
    upgradable: Upgradable,
) -> None:
    stack = upgradable.stack
    stack.env["VR_SITE_TITLE"] = title = "50% of 'all' ; # $HOME"
    stack.vr("up")
    assert title.replace("'", "&#x27;") in page(stack)
    del stack.env["VR_SITE_TITLE"]
    stack.vr("up")
    assert title.replace("'", "&#x27;") not in page(stack)


def test_a_taken_port_is_found_before_anything_is_touched(upgradable: Upgradable) -> None:
    stack = upgradable.stack
    before = upgradable.pids()
    done = subprocess.run(
        [str(BIN / "vr"), "up"],
        env=stack.env | {"VR_WEB_PORT": str(stack.http_port), "VR_HTTP_PORT": str(free_port())},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert f"port {stack.http_port}" in done.stderr
    assert upgradable.pids() == before


@pytest.mark.skipif(not shutil.which("nats-server"), reason="needs nats-server")
def test_parts_come_and_go_with_the_settings(upgradable: Upgradable) -> None:
    stack = upgradable.stack
    before = upgradable.serving_pids()
    stack.env |= {"VR_BUILDER": "nats", "VR_NATS_PORT": str(free_port())}
    said = stack.vr("up").stderr
    assert "nats started" in said
    assert "stager started" in said
    stack.env["VR_BUILDER"] = "local"
    stack.vr("up")
    assert not {"nats", "stager"} & set(upgradable.pids())
    assert upgradable.serving_pids() == before


def test_older_code_does_not_start_on_a_newer_database(upgradable: Upgradable) -> None:
    stack = upgradable.stack
    undo = upgradable.add_migration("9003_later")
    stack.vr("up")
    stack.down()
    undo()
    done = stack.vr("up", check=False)
    assert done.returncode == 1
    assert "database is newer than the installed code" in done.stderr
    assert stack.leftovers() == []
    upgradable.add_migration("9003_later")
    stack.vr("up")
    assert stack.version("shop") == "v2"


def page(stack: Stack) -> str:
    """The web UI's own page for logging in."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", stack.web_port, timeout=10)
    try:
        connection.request("GET", "/login/")
        return connection.getresponse().read().decode()
    finally:
        connection.close()
