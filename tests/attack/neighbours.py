"""What apps try at what listens beside them on their host: sockets without a file, TCP services,
the file store."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from attack.asking import PATIENCE, control, pids, token
from attack.pushes import PROBES
from support.stack import Stack
from vr.container import cgroups
from vr.up import listener

# A command and its answer, as LXC has them in memory: number or error, length, pointer.
_FRAME = struct.Struct("@iiP")
_GET_STATE = _FRAME.pack(3, 0, 0)
_LINKS = """\
import django; django.setup()
import time
from unittest import mock
from django.core import signing
from vr.server.files import links
from vr.server.models import Build
name = Build.objects.exclude(file="").first().file
print("good", links.signed_path(name))
with mock.patch("time.time", lambda now=time.time: now() - links.LINK_SECONDS - 60):
    print("expired", links.signed_path(name))
print("out-of-the-store", links.signed_path("../secrets/secret-key"))
print("signed-for-something-else", f"/files/{signing.dumps(name, salt='vr.other')}/x")
"""


def an_app_commands_containers_by_sockets_without_a_file(stack: Stack) -> str:
    """LXC's monitors listen at abstract sockets, which the network namespace shares."""
    [other] = [name for name in stack.procs() if name.startswith(f"{PROBES[1]}-")]
    names = _abstract_names(_monitor(other))
    control(names, f"the monitor of {other} listens at a socket without a file")
    answered = [name for name in names if _obeys(_asked_by_root(name))]
    control(answered, "root is told the container's state by it")
    open_ones = [name for name in answered if _obeys(_tells(stack, f"@{name}", _GET_STATE))]
    return f"another app is told the state at @{', @'.join(open_ones)}" if open_ones else ""


def _obeys(said: bytes) -> bool:
    """Whether the monitor did what was asked; strangers get an error."""
    return len(said) >= _FRAME.size and _FRAME.unpack(said[: _FRAME.size])[0] >= 0


def _monitor(proc: str) -> int:
    found = cgroups.monitor_of(f"lxc.payload.{proc}")
    control(found, f"{proc} has a monitor")
    return found or 0


def _abstract_names(pid: int) -> list[str]:
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        if (target := str(descriptor.readlink())).startswith("socket:["):
            inodes.add(target[8:-1])
    rows = (line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:])
    return [row[7][1:] for row in rows if row[6] in inodes and len(row) > 7 and row[7][0] == "@"]


def _asked_by_root(name: str) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        try:
            client.connect(f"\0{name}")
            client.sendall(_GET_STATE)
            return client.recv(64)
        except OSError:
            return b""


def an_app_uses_tcp_services_of_the_host(stack: Stack) -> str:
    parts = {name: pid for name, pid in pids(stack).items() if name not in stack.procs()}
    listening = {
        name: {port for _, port in listener.addresses(int(pid.removeprefix("pid ")))}
        for name, pid in parts.items()
        if pid.startswith("pid ")
    }
    redis, web = sorted(listening["redis"])[:1], sorted(listening["web"])
    control(redis and web, f"Redis and web listen at TCP: {listening}")
    if unknown := {p: ports for p, ports in listening.items() if ports and p not in _KNOWN}:
        return f"these listen, too, and nobody tried them: {unknown}"
    password = (stack.home / "vr" / "secrets" / "redis-password").read_text().strip()
    ping, login = b"PING\r\nKEYS *\r\n", f"AUTH {password}\r\nPING\r\n".encode()
    control(b"+PONG" in _tells(stack, str(redis[0]), login), "who knows the password is answered")
    if b"NOAUTH" not in (said := _tells(stack, str(redis[0]), ping)):
        return f"Redis answers {said!r}"
    known = f"Authorization: Bearer {token(stack)}\r\n"
    control(b" 200 " in _asks_web(stack, "/api/v1/swarms/", known), "who has the token is answered")
    for path in ("/api/v1/swarms/", "/api/streams/events/", "/api/v1/openapi.json", "/admin/"):
        said = _asks_web(stack, path)
        if b" 401 " not in said and b" 302 " not in said:
            return f"web answers {path} with {said[:100]!r}"
    return ""


_KNOWN = ("redis", "web", "nginx")
"""nginx serves the apps' own pools, to everybody."""


def an_app_reads_the_file_store_by_links(stack: Stack) -> str:
    key = str(stack.home / "vr" / "secrets" / "secret-key")
    env = stack.env | {"DJANGO_SETTINGS_MODULE": "vr.server.settings", "VR_SECRET_KEY_FILE": key}
    done = subprocess.run(
        [sys.executable, "-c", _LINKS],
        env=env, capture_output=True, text=True, check=True, timeout=PATIENCE,
    )  # fmt: skip
    links = dict(line.split() for line in done.stdout.splitlines())
    good = links.pop("good")
    said = _asks_web(stack, good)
    control(b" 200 " in said, f"a link that the server made is answered {said[:40]!r}")
    _, _, signature, name = good.split("/")
    payload, _, rest = signature.partition(":")
    links |= {
        "another-name": f"/files/{'A' if payload[0] != 'A' else 'B'}{payload[1:]}:{rest}/{name}",
        "another-signature": f"/files/{signature[:-1]}{'A' if signature[-1] != 'A' else 'B'}/x",
        "a-later-date": f"/files/{payload}:zzzzzz:{rest.partition(':')[2]}/{name}",
        "no-signature": f"/files/{payload}/{name}",
        "a-path": f"/files/../../secrets/secret-key/{name}",
    }
    held = (b" 403 ", b" 404 ", b" 410 ", b" 302 ")
    open_ones = [
        why
        for why, link in links.items()
        if not any(h in _asks_web(stack, link)[:20] for h in held)
    ]
    return f"links are answered: {', '.join(open_ones)}" if open_ones else ""


def _asks_web(stack: Stack, path: str, headers: str = "") -> bytes:
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"
    return _tells(stack, str(stack.web_port), request.encode())


def _tells(stack: Stack, to: str, words: bytes) -> bytes:
    """What an app is answered that says this to a port of its host, or a socket without a file."""
    status, said = stack.get(PROBES[0], f"/tells?to={quote(to)}&words={words.hex()}")
    control(status == 200, f"the probe does what it is asked to: {said}")
    return bytes.fromhex(said.strip())


NEIGHBOURS = (
    an_app_commands_containers_by_sockets_without_a_file,
    an_app_uses_tcp_services_of_the_host,
    an_app_reads_the_file_store_by_links,
)
