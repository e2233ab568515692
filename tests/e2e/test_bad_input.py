"""Mistakes: each is refused with a sentence that helps, and leaves nothing half done."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.stack import Stack
from support.waiting import until


@pytest.fixture
def untouched(stack: Stack, shop: str) -> Callable[[], None]:
    """Asserts that procs, folders and the pool are as they were before the mistake."""

    def state() -> tuple[list[str], list[str], list[str]]:
        return stack.procs(), stack.proc_folders(), stack.pool_nodes("shop")

    before = state()

    def check() -> None:
        assert state() == before

    return check


def refused(stack: Stack, *arguments: str) -> str:
    """Run a command that must fail, without a traceback; gives what it said."""
    done = stack.vr(*arguments, check=False)
    said = done.stdout + done.stderr
    assert done.returncode not in (0, 70), said
    assert "Traceback" not in said
    return said


def test_an_unknown_tag_names_the_tags_that_exist(
    stack: Stack, shop: str, untouched: Callable[[], None]
) -> None:
    said = refused(stack, "swarm", shop, "v99")
    assert "v99" in said
    assert "v2" in said
    untouched()
    assert stack.json("list-swarms")[0]["version"] != "v99"


def test_an_unreachable_repository(stack: Stack, untouched: Callable[[], None]) -> None:
    stack.vr("apps", "add", "gone", "/no/such/repository", "--stack", "debian12")
    stack.vr("swarms", "add", "gone", "web", "--config-name", "x", "--tag", "v1")
    said = refused(stack, "swarm", "gone-x-web", "v1")
    assert "/no/such/repository" in said
    untouched()


def test_a_repository_that_no_buildpack_detects(
    stack: Stack, tmp_path: Path, untouched: Callable[[], None]
) -> None:
    repo = tmp_path / "plain"
    repo.mkdir()
    (repo / "README").write_text("nothing to build\n")
    git = ("git", "-C", str(repo), "-c", "user.name=t", "-c", "user.email=t@example.com")
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "nothing"], check=True)
    subprocess.run([*git, "tag", "v1"], check=True)
    stack.vr("apps", "add", "plain", str(repo), "--stack", "debian12")
    stack.vr("swarms", "add", "plain", "web", "--config-name", "x", "--tag", "v1")
    said = refused(stack, "swarm", "plain-x-web", "v1")
    assert "buildpack" in said
    assert "python" in said, "the buildpacks that were tried are named"
    untouched()


def test_a_proc_name_that_is_not_in_the_procfile_names_those_that_are(
    stack: Stack, shop: str, untouched: Callable[[], None]
) -> None:
    stack.vr("swarms", "add", "shop", "nosuch", "--config-name", "prod", "--tag", "v1")
    said = refused(stack, "swarm", "shop-prod-nosuch", "v1")
    assert "nosuch" in said
    assert "worker" in said
    untouched()


@pytest.mark.parametrize("name", ["my-app", "my app", "my/app", ""])
def test_app_names_that_cannot_be_part_of_a_procs_name(stack: Stack, name: str) -> None:
    said = refused(stack, "apps", "add", name, "https://git.example.com/x.git")
    assert "letters, digits" in said


def test_yaml_that_is_not_a_mapping(stack: Stack, shop: str, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("- a\n- list\n")
    said = refused(
        stack,
        *("swarms", "add", "shop", "worker", "--config-name", "bad", "--tag", "v1"),
        *("--config", str(config)),
    )
    assert "mapping" in said
    assert not [s for s in stack.json("list-swarms") if s["config_name"] == "bad"]


def test_a_size_below_zero(stack: Stack, shop: str, untouched: Callable[[], None]) -> None:
    assert "size" in refused(stack, "scale", shop, "--", "-1").lower()
    untouched()


def test_a_squad_without_hosts(stack: Stack, shop: str, untouched: Callable[[], None]) -> None:
    stack.vr("squads", "add", "empty")
    stack.vr(
        *("swarms", "add", "shop", "web", "--config-name", "nohosts", "--tag", "v1"),
        *("--squad", "empty"),
    )
    said = refused(stack, "swarm", "shop-nohosts-web", "v1")
    assert "empty" in said
    assert "host" in said
    untouched()


def test_more_procs_than_ports(stack: Stack, shop: str, untouched: Callable[[], None]) -> None:
    stack.vr(
        *("swarms", "add", "shop", "web", "--config-name", "many", "--tag", "v1"),
        *("--size", "500"),
    )
    said = refused(stack, "swarm", "shop-many-web", "v1")
    assert "port" in said
    untouched()


def test_a_second_swarm_of_the_same_name_is_refused_while_the_first_runs(
    stack: Stack, shop: str
) -> None:
    first = stack.vr("swarm", shop, "v2", "--no-wait")
    said = refused(stack, "swarm", shop, "v1")
    assert first.returncode == 0
    assert "already" in said
    # The first one ends as if nobody had disturbed it.
    stack.vr("swarm", shop, "-") if _settled(stack, shop) else None
    assert stack.version("shop") == "v2"


def _settled(stack: Stack, shop: str) -> bool:
    def ended() -> bool:
        return stack.vr("swarm", shop, "-", check=False).returncode == 0

    return bool(until(ended, "the first swarm ended", seconds=60))


def test_a_broken_nginx_configuration_leaves_the_pool_as_it_was(
    stack: Stack, shop: str, untouched: Callable[[], None]
) -> None:
    broken = stack.home / "vr" / "etc" / "pools" / "zz_broken.conf"
    broken.write_text("upstream broken {\n}\n")
    try:
        current = stack.version("shop")
        said = refused(stack, "swarm", shop, "v1" if current == "v2" else "v2")
        assert "zz_broken.conf" in said, "nginx's own words are shown"
        untouched()
        assert stack.version("shop") == current
    finally:
        broken.unlink()
