"""Where the single-machine stack lives and listens, from its settings alone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vr.builder.environment import passed_patterns, passed_through
from vr.machine.path import path_with_system
from vr.machine.ports import listen_error
from vr.settings.reading import checked, read
from vr.settings.setting import Process, Setting
from vr.settings.table import TABLE, Settings

# A unix socket's path must fit into sockaddr_un.
_LONGEST_SOCKET_PATH = 107
NEEDED_PROGRAMS = {
    "lxc-execute": "lxc",
    "nginx": "nginx-light",
    "redis-server": "redis-server",
    "setpriv": "util-linux",
    "git": "git",
}


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """All that `vr up` may be told (docs/settings.md), and what follows from it."""

    # The variables that it hands on to the stack's parts, as they were given.
    given: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def host_name(self) -> str:
        """What this host is called; the balancer connects to procs by it."""
        return self.local_host or "127.0.0.1"

    @property
    def has_own_farm(self) -> bool:
        """Whether a NATS server and a stager belong to this stack."""
        return self.builder == "nats" and not self.nats_uri

    @property
    def has_hosts(self) -> bool:
        """Whether other machines than this one are to be hosts."""
        return bool(self.hosts_address)

    @property
    def files_url(self) -> str:
        """Where other hosts fetch builds from; empty without such hosts."""
        address = self.hosts_address
        address = f"[{address}]" if ":" in address else address
        return f"http://{address}:{self.web_port}" if address else ""

    @property
    def redis_url_file(self) -> Path:
        """The address of Redis for the server, with its password, if other hosts use it, too."""
        return self.secrets / "redis-url"

    @property
    def hosts_redis_url_file(self) -> Path:
        """The address of Redis for the publishers of other hosts."""
        return self.secrets / "hosts-redis-url"

    @property
    def stagers_url(self) -> str:
        """Where stagers reach the server."""
        return self.farm_url or self.web_url

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
    def secret_key_file(self) -> Path:
        return self.secrets / "secret-key"

    @property
    def former_keys_file(self) -> Path:
        """Keys that the secret key has replaced, one a line; often empty."""
        return self.secrets / "former-secret-keys"

    @property
    def sqlite_file(self) -> Path:
        """The database, unless VR_DATABASE_URL names another."""
        return self.home / "velociraptor.sqlite3"

    @property
    def pools(self) -> Path:
        """Where the nginx balancer writes its pool files."""
        return self.etc / "pools"

    def folder_of(self, part: str) -> Path:
        """The folder that a part of the stack works in, and whatever it starts."""
        return self.run / "parts" / part

    def environment_of(self, part: str) -> Path:
        """The file with the environment of a part, as JSON."""
        return self.etc / "parts" / f"{part}.json"

    @property
    def supervisord_pid_file(self) -> Path:
        return self.run / "supervisord.pid"

    @property
    def nginx_pid_file(self) -> Path:
        """Where nginx's master writes its pid, for itself and the balancer."""
        return self.run / "nginx.pid"

    @property
    def nginx_read(self) -> Path:
        """Which configuration nginx has read last (see nginx_reload.py)."""
        return self.run / "nginx-read"

    @property
    def supervisor_socket(self) -> Path:
        return self.run / "supervisor.sock"

    @property
    def redis_socket(self) -> Path:
        return self.run / "redis.sock"

    @property
    def web_handover(self) -> Path:
        """Where the next web process finds the socket that the former one listened at."""
        return self.run / "web-listener.sock"

    @property
    def web_ready(self) -> Path:
        """Where the web process writes its pid when it serves."""
        return self.run / "web-ready"

    @property
    def bridge_ready(self) -> Path:
        """The same of the one that serves while web is replaced."""
        return self.run / "web-bridge-ready"

    @property
    def backups(self) -> Path:
        """Copies of the database from before it was changed."""
        return self.home / "backups"

    @property
    def redis_conf(self) -> Path:
        return self.etc / "redis.conf"

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
        settings, problems = read(env, Process.UP)
        config = cls(**vars(settings), given=_handed_on(env))
        return checked(config, [*problems, *config._problems()])

    def _problems(self) -> list[str]:
        problems = []
        if len(str(self.supervisor_socket)) > _LONGEST_SOCKET_PATH:
            room = _LONGEST_SOCKET_PATH - len("/run/supervisor.sock")
            problems.append(
                f"VR_HOME: {str(self.home)!r} is too long for a socket below it; "
                f"use a path of at most {room} characters"
            )
        if self.has_hosts and self.bind not in {self.hosts_address, "0.0.0.0", "::"}:
            problems.append(
                f"VR_HOSTS_ADDRESS: hosts fetch builds from {self.hosts_address}, but VR_BIND is "
                f"{self.bind}; set that to 0.0.0.0 or to the same address"
            )
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
        if problem := port_problem(config.bind, port):
            problems.append(f"port {port} {problem}; free it or set {name} to another")
    if config.has_hosts and (
        problem := port_problem(config.hosts_address, config.hosts_redis_port)
    ):
        problems.append(
            f"port {config.hosts_redis_port} {problem}; set VR_HOSTS_REDIS_PORT to another"
        )
    if config.has_own_farm and (problem := port_problem("127.0.0.1", config.nats_port)):
        problems.append(
            f"port {config.nats_port} {problem}; set VR_NATS_PORT to another, "
            "or VR_NATS_URI to the NATS server that is there"
        )
    return problems


def _handed_on(env: Mapping[str, str]) -> dict[str, str]:
    """What others read, too, but the secrets of commands that users run."""
    settings = {
        name: env[name]
        for row in TABLE.values()
        for name in row.variables
        if env.get(name) and _is_handed_on(row)
    }
    return for_builds(env) | settings


def for_builds(env: Mapping[str, str]) -> dict[str, str]:
    """What of `env` is for builds, and for all that fetches something: proxies, indexes, CAs."""
    return passed_through(env, passed_patterns(env.get("VR_BUILD_PASS_ENV", "")))


def _is_handed_on(row: Setting) -> bool:
    is_servers = {Process.UP, Process.SERVER} <= row.read_by
    return is_servers or (Process.TOOLS in row.read_by and not row.is_hidden)


def port_problem(bind: str, port: int) -> str | None:
    """Why nothing can listen there; None if it can."""
    error = listen_error(bind, port)
    return f"of {bind} can't be used ({error.strerror})" if error else None
