"""Where the single-machine stack lives and listens, from the environment alone."""

from __future__ import annotations

import os
import re
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vr.errors import InvalidInput
from vr.machine.path import path_with_system
from vr.machine.ports import listen_error

# A unix socket's path must fit into sockaddr_un.
_LONGEST_SOCKET_PATH = 107
BUILDERS = ("local", "nats")
NEEDED_PROGRAMS = {
    "lxc-execute": "lxc",
    "nginx": "nginx-light",
    "redis-server": "redis-server",
    "setpriv": "util-linux",
    "git": "git",
}


@dataclass(frozen=True)
class Config:
    """All that `vr up` may be told; every field has a variable (docs/settings.md)."""

    home: Path
    root: Path
    bind: str
    web_port: int
    http_port: int
    port_range: str
    host_name: str
    worker_threads: int
    keepalive_seconds: int
    builder: str = "local"
    nats_uri: str = field(default="", repr=False)
    """Given by the user, or the name of the file that holds it; never shown."""
    nats_port: int = 4222
    given_farm_url: str = ""

    @property
    def has_own_farm(self) -> bool:
        """Whether a NATS server and a stager belong to this stack."""
        return self.builder == "nats" and not self.nats_uri

    @property
    def farm_url(self) -> str:
        """Where stagers reach the server."""
        return self.given_farm_url or self.web_url

    @property
    def etc(self) -> Path:
        return self.home / "etc"

    @property
    def run(self) -> Path:
        return self.home / "run"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def secrets(self) -> Path:
        return self.home / "secrets"

    @property
    def pools(self) -> Path:
        """Where the nginx balancer writes its pool files."""
        return self.etc / "pools"

    @property
    def supervisor_socket(self) -> Path:
        return self.run / "supervisor.sock"

    @property
    def redis_socket(self) -> Path:
        return self.run / "redis.sock"

    @property
    def nats_conf(self) -> Path:
        return self.etc / "nats.conf"

    @property
    def nats_uri_file(self) -> Path:
        """The address of the stack's own NATS server, with its token."""
        return self.secrets / "nats-uri"

    @property
    def stager_yml(self) -> Path:
        return self.etc / "stager.yml"

    @property
    def supervisord_conf(self) -> Path:
        return self.etc / "supervisord.conf"

    @property
    def nginx_conf(self) -> Path:
        return self.etc / "nginx.conf"

    @property
    def balancers_file(self) -> Path:
        return self.etc / "balancers.yaml"

    @property
    def client_file(self) -> Path:
        """Where `vr` finds the address and token of this installation."""
        return self.home / "cli.json"

    @property
    def reachable(self) -> str:
        """The address, as in a URL, at which this machine reaches what listens on `bind`."""
        address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.bind, self.bind)
        return f"[{address}]" if ":" in address else address

    @property
    def web_url(self) -> str:
        return f"http://{self.reachable}:{self.web_port}"

    def pool_url(self, pool: str) -> str:
        """Where the bundled nginx serves a pool at once."""
        return f"http://{pool}.localhost:{self.http_port}/"

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Config:
        """Read the variables; raises InvalidInput with every problem found."""
        env = os.environ if env is None else env
        problems: list[str] = []

        def number(name: str, default: int, lowest: int, highest: int) -> int:
            text = env.get(name) or str(default)
            if text.isascii() and text.isdigit() and lowest <= int(text) <= highest:
                return int(text)
            problems.append(f"{name}: is {text!r}, expected a number {lowest} to {highest}")
            return default

        def folder(name: str, default: str) -> Path:
            path = Path(env.get(name) or default)
            if not path.is_absolute() or re.search(r"[\s:,%;\"']", str(path)):
                problems.append(
                    f"{name}: is {str(path)!r}, expected an absolute path without blanks, "
                    "quotes or any of : , % ;"
                )
            return path

        config = cls(
            home=folder("VR_HOME", "/var/lib/velociraptor"),
            root=folder("VR_ROOT", "/apps"),
            bind=env.get("VR_BIND") or "127.0.0.1",
            web_port=number("VR_WEB_PORT", 8000, 1, 65535),
            http_port=number("VR_HTTP_PORT", 8080, 1, 65535),
            port_range=env.get("VR_PORT_RANGE") or "5000-5999",
            host_name=env.get("VR_LOCAL_HOST") or "127.0.0.1",
            worker_threads=number("VR_WORKER_THREADS", 8, 1, 64),
            keepalive_seconds=number("VR_KEEPALIVE_SECONDS", 0, 0, 3600),
            builder=env.get("VR_BUILDER") or "local",
            nats_uri=env.get("VR_NATS_URI") or env.get("VR_NATS_URI_FILE") or "",
            nats_port=number("VR_NATS_PORT", 4222, 1, 65535),
            given_farm_url=env.get("VR_FARM_URL") or "",
        )
        problems += config._problems()
        if problems:
            raise InvalidInput("environment", problems)
        return config

    def _problems(self) -> list[str]:
        problems = []
        if len(str(self.supervisor_socket)) > _LONGEST_SOCKET_PATH:
            room = _LONGEST_SOCKET_PATH - len("/run/supervisor.sock")
            problems.append(
                f"VR_HOME: {str(self.home)!r} is too long for a socket below it; "
                f"use a path of at most {room} characters"
            )
        try:
            socket.getaddrinfo(self.bind, 0, flags=socket.AI_NUMERICHOST)
        except OSError:
            problems.append(f"VR_BIND: is {self.bind!r}, expected an IP address")
        low, _, high = self.port_range.partition("-")
        if not (low.isdigit() and high.isdigit() and 1024 <= int(low) <= int(high) <= 65535):
            problems.append(
                f"VR_PORT_RANGE: is {self.port_range!r}, expected two ports such as 5000-5999"
            )
        if self.builder not in BUILDERS:
            problems.append(f"VR_BUILDER: is {self.builder!r}, expected {' or '.join(BUILDERS)}")
        if self.web_port == self.http_port:
            problems.append(
                f"VR_WEB_PORT and VR_HTTP_PORT: are both {self.web_port}; give them two ports"
            )
        return problems


def machine_problems(config: Config) -> list[str]:
    """What this machine lacks for a start; [] when all is there.

    Looks at the user, the programs and the ports, and changes nothing.
    """
    problems = []
    if os.geteuid() != 0:
        problems.append("must run as root, as containers need it; use sudo")
    search = path_with_system(os.environ)
    needed = NEEDED_PROGRAMS | ({"nats-server": "nats-server"} if config.has_own_farm else {})
    for program, package in needed.items():
        if not shutil.which(program, path=search):
            problems.append(f"{program} is missing; apt-get install {package}")
    for name, port in (("VR_WEB_PORT", config.web_port), ("VR_HTTP_PORT", config.http_port)):
        if problem := _port_problem(config.bind, port):
            problems.append(f"port {port} {problem}; free it or set {name} to another")
    if config.has_own_farm and (problem := _port_problem("127.0.0.1", config.nats_port)):
        problems.append(
            f"port {config.nats_port} {problem}; set VR_NATS_PORT to another, "
            "or VR_NATS_URI to the NATS server that is there"
        )
    return problems


def _port_problem(bind: str, port: int) -> str | None:
    error = listen_error(bind, port)
    return f"of {bind} can't be used ({error.strerror})" if error else None
