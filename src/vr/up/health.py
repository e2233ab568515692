"""Whether the parts of the stack do their work, not only whether they run."""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass

from vr.up import farm
from vr.up.config import Config
from vr.up.parts import Part

ALWAYS = ("redis", "proc_publisher", "web", "worker", "builder", "beat", "nginx")
EVERY = (*ALWAYS, *farm.PARTS)
"""Also what only some configurations have."""


@dataclass(frozen=True)
class Health:
    """One part: `problem` is empty when it is healthy."""

    part: str
    problem: str = ""

    @property
    def is_healthy(self) -> bool:
        return not self.problem


def checked(config: Config) -> tuple[str, ...]:
    """The names of the stack's parts."""
    return EVERY if config.has_own_farm else ALWAYS


def check(config: Config, parts: list[Part]) -> list[Health]:
    """The health of every part of the stack, from supervisord's list and from asking them."""
    by_name = {part.name: part for part in parts}
    found = []
    answers: dict[str, str] | None = None
    for name in checked(config):
        part = by_name.get(name)
        if part is None:
            found.append(Health(name, "is not known to supervisord"))
        elif not part.is_running:
            found.append(Health(name, f"is {part.statename}: {part.description}".rstrip(": ")))
        elif name == "redis":
            found.append(Health(name, _redis_problem(config)))
        elif name == "nginx":
            found.append(Health(name, _nginx_problem(config, part.pid)))
        elif name == "nats":
            found.append(Health(name, _nats_problem(config)))
        elif name in {"web", "worker", "builder"}:
            if answers is None:
                answers = _web_answers(config)
            found.append(Health(name, answers.get(name, answers.get("web", ""))))
        else:
            found.append(Health(name))
    return found


def _redis_problem(config: Config) -> str:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(2)
            connection.connect(str(config.redis_socket))
            connection.sendall(b"PING\r\n")
            answer = connection.recv(64)
    except OSError as error:
        return f"does not answer ({error})"
    return "" if answer.startswith((b"+PONG", b"-NOAUTH")) else f"answers {answer!r}"


def _nats_problem(config: Config) -> str:
    try:
        with socket.create_connection((farm.LOOPBACK, config.nats_port), timeout=2) as connection:
            greeting = connection.recv(5)
    except OSError as error:
        return f"does not answer on port {config.nats_port} ({error})"
    return "" if greeting == b"INFO " else f"greets with {greeting!r}"


def _nginx_problem(config: Config, pid: int) -> str:
    """Workers answer without their master, too, but learn of no pool any more."""
    try:
        written = config.nginx_pid_file.read_text().strip()
    except OSError:
        written = ""
    if written != str(pid):
        return f"has no master yet (its pid file says {written or 'nothing'}, it is {pid})"
    status, _ = _get(config.reachable, config.http_port, "/", host="no-such-pool.invalid")
    return "" if status == 404 else f"does not answer on port {config.http_port}"


def _web_answers(config: Config) -> dict[str, str]:
    """Problems by part, as the web process sees them: of its database and its workers."""
    status, body = _get(config.reachable, config.web_port, "/health/")
    if status is None:
        return {"web": f"does not answer on port {config.web_port}"}
    try:
        answer = json.loads(body)
    except ValueError:
        return {"web": f"answers with status {status}"}
    return {str(part): str(problem) for part, problem in answer["parts"].items()}


def _get(
    address: str, port: int, path: str, *, host: str = "localhost"
) -> tuple[int | None, bytes]:
    connection = http.client.HTTPConnection(address.strip("[]"), port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": host})
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return None, b""
    finally:
        connection.close()
