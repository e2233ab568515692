"""Supervisor's HTTP interface with our plugin: XML-RPC and log tails, and no page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.ports import free_port
from support.supervisord import supervisord
from support.waiting import until
from vr.hosts.supervisor import Supervisor

PAGES = (
    "/",
    "/index.html",
    "/tail.html?processname=sleeper",
    "/logtail/..%3Faction=stopall",
    "/?action=stopall",
    "/index.html?action=stop&processname=sleeper",
    "/?action=shutdown",
    "/stylesheets/supervisor.css",
    "/%2e%2e/",
    "//?action=stopall",
    "/x/../?action=stopall",
)


@pytest.fixture(params=["", "username=rex\npassword=rawr\n"], ids=["open", "with a password"])
def supervisor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, int, str]]:
    """A supervisord on a socket and on a port: its URL, the port, the login for that."""
    (tmp_path / "sleeper.conf").write_text(
        "[program:sleeper]\n"
        "command=sh -c 'echo hello; exec sleep 1000'\n"
        f"startsecs=0\nstdout_logfile={tmp_path}/sleeper.log\n"
    )
    port = free_port()
    login: str = request.param
    extra = f"[inet_http_server]\nport=127.0.0.1:{port}\n{login}"
    with supervisord(tmp_path / "supervisor", f"{tmp_path}/*.conf", extra) as url:
        yield url, port, login


def test_no_get_changes_anything_or_shows_a_page(supervisor: tuple[str, int, str]) -> None:
    url, port, login = supervisor
    program = Supervisor("test", url)
    until(lambda: (program.get("sleeper") or {}).get("statename") == "RUNNING", "it runs")
    before = program.get("sleeper")
    assert before
    socket = httpx.HTTPTransport(uds=url.removeprefix("unix://"))
    auth = ("rex", "rawr") if login else None
    with (
        httpx.Client(base_url="http://localhost", transport=socket) as by_socket,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", auth=auth) as by_port,
    ):
        for client in (by_socket, by_port):
            for page in PAGES:
                assert client.get(page).status_code in {400, 404}, page
            with client.stream("GET", "/logtail/sleeper") as tail:
                assert next(tail.iter_lines()) == "hello"
            for page in ("/", "/index.html"):
                answer = client.post(page, data={"action": "stopall"})
                assert answer.status_code in {400, 404}
    after = program.get("sleeper")
    assert after and (after["pid"], after["statename"]) == (before["pid"], "RUNNING")
