"""`vr` in this process, against a real server of the tests' own. No worker: tests play it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from support.redis_server import redis_server
from support.web_server import WebServer, web_server
from vr.cli import main as cli


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def web(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    with web_server(tmp_path_factory.mktemp("web"), redis_url) as server:
        server.python(
            "from django.contrib.auth.models import User\n"
            "ApiToken.issue(User.objects.create_user('rex'), 'test', 'test-token')\n"
        )
        yield server


@dataclass
class Said:
    """What a command answered: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


Vr = Callable[..., Said]


@pytest.fixture
def vr(web: WebServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Vr:
    """Run `vr` with arguments."""
    monkeypatch.setenv("VR_URL", web.url)
    monkeypatch.setenv("VR_TOKEN", "test-token")

    def run(*arguments: str) -> Said:
        monkeypatch.setattr("sys.argv", ["vr", *arguments])
        capsys.readouterr()
        try:
            code = cli.main()
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err, captured.err
        return Said(code, captured.out, captured.err)

    return run


@pytest.fixture
def ok(vr: Vr) -> Vr:
    """Run `vr`; the command must succeed."""

    def run(*arguments: str) -> Said:
        said = vr(*arguments)
        assert said.code == 0, said
        return said

    return run


@pytest.fixture(scope="session")
def fleet(web: WebServer) -> None:
    """A squad `local` of the host `testhost`."""
    web.python(
        "squad = Squad.objects.create(name='local')\n"
        "Host.objects.create(name='testhost', squad=squad)\n"
    )


@pytest.fixture
def swarm(fleet: None, ok: Any, request: pytest.FixtureRequest) -> str:
    """A swarm of its own for a test; gives its config name."""
    name = f"c{zlib.crc32(request.node.name.encode())}"
    if not [one for one in ok("apps", "--json").data if one["name"] == "shop"]:
        ok("apps", "add", "shop", "/srv/shop")
    ok("swarms", "add", "shop", "web", "--config-name", name, "--tag", "v1")
    return name
