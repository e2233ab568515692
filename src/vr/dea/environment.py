"""The environment of an app (docs/reference/dea.md#environment). Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from vr.dea.instance import Instance
from vr.machine.path import SYSTEM_PATH

INSIDE = "/home/vcap"
"""Where the droplet is seen: the same path as while staging."""

_VARIABLE = re.compile(r"\\(.)|\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_SERVICE_KEYS = ("name", "label", "tags", "plan", "plan_option", "credentials")


def app_environment(instance: Instance) -> dict[str, str]:
    """All variables, values verbatim; quoting is for whoever writes them down."""
    message = instance.message
    port = str(instance.port)
    own = {
        "HOME": INSIDE,
        "LANG": "C.UTF-8",
        "PATH": SYSTEM_PATH,
        "TMPDIR": f"{INSIDE}/tmp",
        "MEMORY_LIMIT": f"{message.limits.mem}m",
        "VCAP_APP_HOST": "0.0.0.0",
        "VCAP_APP_PORT": port,
        "VCAP_APPLICATION": json.dumps(_application(instance)),
        "VCAP_SERVICES": json.dumps(services(message.services)),
        **_extra("DEBUG", instance.debug_port),
        **_extra("CONSOLE", instance.console_port),
    }
    env = {**own, **_deprecated(own), **_later_names(instance)}
    if url := _database_url(message.services):
        env["DATABASE_URL"] = url
    env = expanded(env, _of_runtime(message.runtime_info, message.debug))
    # PORT is promised to the app, whatever its owner says.
    return {**expanded(env, message.env), "PORT": port}


def _extra(kind: str, port: int) -> dict[str, str]:
    """Set, but empty if unused."""
    return {f"VCAP_{kind}_IP": "0.0.0.0" if port else "", f"VCAP_{kind}_PORT": str(port or "")}


def _later_names(instance: Instance) -> dict[str, str]:
    port, host = str(instance.port), instance.host
    return {
        "CF_INSTANCE_INDEX": str(instance.message.index),
        "CF_INSTANCE_IP": host,
        "CF_INSTANCE_PORT": port,
        "CF_INSTANCE_ADDR": f"{host}:{port}",
        "CF_INSTANCE_PORTS": json.dumps([{"external": instance.port, "internal": instance.port}]),
    }


def _of_runtime(info: Mapping[str, Any], debug: str | None) -> Iterator[str]:
    """NAME=VALUE from the runtime's variables for the debugging mode, and from its others."""
    modes = info.get("debug_env")
    chosen = modes.get(debug) if debug and isinstance(modes, Mapping) else None
    for variables in (chosen, info.get("environment")):
        if isinstance(variables, Mapping):
            yield from (f"{name}={value}" for name, value in variables.items())
        elif isinstance(variables, list):
            yield from (each for each in variables if isinstance(each, str) and "=" in each)


def services(bindings: Iterable[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """VCAP_SERVICES: the bindings by label."""
    found: dict[str, list[dict[str, Any]]] = {}
    for binding in bindings:
        kept = {key: binding[key] for key in _SERVICE_KEYS if key in binding}
        found.setdefault(str(binding.get("label", "")), []).append(kept)
    return found


def expanded(env: Mapping[str, str], assignments: Iterable[str]) -> dict[str, str]:
    """`env` with `NAME=VALUE` added in order, as in double quotes: `$NAME` and `${NAME}` stand for
    what is there by then. Values in single quotes are taken as they are."""
    result = dict(env)
    for assignment in assignments:
        name, _equals, value = assignment.partition("=")
        quote = value[:1] if len(value) > 1 and value[:1] == value[-1:] else ""
        if quote in {'"', "'"}:
            value = value[1:-1]
        result[name] = value if quote == "'" else _expand(value, result)
    return result


def _expand(value: str, env: Mapping[str, str]) -> str:
    def replaced(match: re.Match[str]) -> str:
        escaped, braced, plain = match.groups()
        if escaped is not None:
            return escaped if escaped in '$"\\`' else f"\\{escaped}"
        return env.get(braced or plain, "")

    return _VARIABLE.sub(replaced, value)


def _application(instance: Instance) -> dict[str, Any]:
    message = instance.message
    names = {"name": message.name, "version": message.version, "uris": instance.uris}
    return {
        "instance_id": instance.id,
        "instance_index": message.index,
        **names,
        **{f"application_{key}": value for key, value in names.items()},
        "application_id": message.droplet,
        "users": message.users,
        "runtime": message.runtime,
        "start": instance.state_timestamp,
        "started_at_timestamp": instance.state_timestamp,
        "state_timestamp": instance.state_timestamp,
        "host": "0.0.0.0",
        "port": instance.port,
        "limits": {
            "mem": message.limits.mem,
            "disk": message.limits.disk,
            "fds": message.limits.fds,
        },
    }


def _deprecated(own: Mapping[str, str]) -> dict[str, str]:
    return {
        name.replace("VCAP_", "VMC_", 1): value
        for name, value in own.items()
        if name.startswith("VCAP_") and name != "VCAP_APPLICATION"
    }


def _database_url(bindings: Iterable[Mapping[str, Any]]) -> str | None:
    """Of the first relational database that is bound."""
    for binding in bindings:
        credentials = binding.get("credentials")
        uri = credentials.get("uri") if isinstance(credentials, Mapping) else None
        if isinstance(uri, str) and uri.startswith(("postgres", "mysql")):
            return uri
    return None
