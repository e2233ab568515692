"""Ctrl-C of what follows a dispatch or a build, `vr cancel` and `vr builds cancel`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.terminal import Terminal, terminal
from support.web_server import WebServer

VR = str(Path(sys.executable).with_name("vr"))


@pytest.fixture
def environment(web: WebServer) -> dict[str, str]:
    return os.environ | {"VR_URL": web.url, "VR_TOKEN": "test-token", "TERM": "xterm"}


@pytest.fixture
def on_terminal(environment: dict[str, str]) -> Callable[..., Any]:
    """Run `vr` with arguments on a terminal."""
    return lambda *arguments: terminal([VR, *arguments], environment)


def interrupt(screen: Terminal, shown: bytes) -> None:
    """Ctrl-C once it follows, which it asks about."""
    screen.shows(shown)
    screen.type(b"\x03")
    screen.shows(b"let it go on?")


def newest(ok: Any, swarm: str) -> Any:
    return ok("dispatches", f"shop-{swarm}-web", "--json").data[0]


def test_ctrl_c_cancels_a_dispatch_if_one_wants_that_and_shows_its_end(
    on_terminal: Any, ok: Any, swarm: str
) -> None:
    with on_terminal("swarm", f"shop-{swarm}-web", "v2") as screen:
        interrupt(screen, b"queued")
        screen.type(b"cancel\n")
        screen.shows(b"was cancelled: Cancelled by rex.")
        assert screen.ended() == 1
    assert newest(ok, swarm)["cancelled_by"] == "rex"


@pytest.mark.parametrize("answer", [b"\n", b"go-on\n", b"\x03", b"\x04"])
def test_without_that_wish_it_goes_on_and_one_learns_how_to_end_it(
    on_terminal: Any, ok: Any, swarm: str, answer: bytes
) -> None:
    with on_terminal("swarm", f"shop-{swarm}-web", "v2") as screen:
        interrupt(screen, b"queued")
        screen.type(answer)
        screen.shows(f"end it: vr cancel shop-{swarm}-web".encode())
        assert screen.ended() == 130
    assert newest(ok, swarm)["status"] == "queued"
    ok("cancel", f"shop-{swarm}-web")


def test_a_script_is_not_asked(environment: dict[str, str], ok: Any, swarm: str) -> None:
    argv = [VR, "swarm", f"shop-{swarm}-web", "v2"]
    with subprocess.Popen(
        argv, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as script:
        try:
            assert script.stderr is not None
            assert "→ v2" in script.stderr.readline()
            script.send_signal(signal.SIGINT)
            said = script.communicate(timeout=60)[1]
        finally:
            script.kill()
    assert script.returncode == 130
    assert "Cancel the dispatch" not in said
    assert f"shop-{swarm}-web goes on without you" in said
    assert f"vr cancel shop-{swarm}-web" in said
    assert newest(ok, swarm)["status"] == "queued"
    ok("cancel", f"shop-{swarm}-web")


def test_a_dispatch_is_cancelled_by_its_trace_id_and_not_twice(
    ok: Any, vr: Any, swarm: str
) -> None:
    trace = ok("swarm", f"shop-{swarm}-web", "v2", "--no-wait").out.strip()
    (cancelled,) = ok("cancel", trace, "--json").data
    assert (cancelled["status"], cancelled["error"]) == ("cancelled", "Cancelled by rex.")
    for again in (trace, f"shop-{swarm}-web"):
        said = vr("cancel", again)
        assert said.code == 1
        assert f"Nothing is being dispatched that '{again}' names." in said.err


@pytest.mark.parametrize(
    ("answer", "then", "code", "status"),
    [
        (b"cancel\n", b"was not built: Cancelled by rex.", 1, "failed"),
        (b"\x03", b"End it: vr builds cancel", 130, "pending"),
    ],
)
def test_ctrl_c_cancels_a_build_or_says_how(
    on_terminal: Any, ok: Any, swarm: str, answer: bytes, then: bytes, code: int, status: str
) -> None:
    with on_terminal("build", "shop", swarm) as screen:
        interrupt(screen, f"of shop {swarm}:".encode())
        screen.type(answer)
        screen.shows(then)
        assert screen.ended() == code
    assert ok("builds", "shop", "--json").data[0]["status"] == status


def test_a_build_is_cancelled_by_its_number_and_not_twice(ok: Any, vr: Any, swarm: str) -> None:
    ok("build", "shop", "v9", "--no-wait")
    number = str(ok("builds", "shop", "--json").data[0]["id"])
    assert f"Build {number} is being cancelled." in ok("builds", "cancel", number).err
    assert ok("builds", "shop", "--json").data[0]["error"] == "Cancelled by rex."
    said = vr("builds", "cancel", number)
    assert (said.code, "its status is failed already" in said.err) == (1, True)
