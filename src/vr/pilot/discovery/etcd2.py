"""etcd's v2 keys, laid out as the original did (docs/reference/pilot.md#etcd).

`<prefix>/<name>/<id>` is a directory with the TTL; its key `service` holds the JSON.
"""

from __future__ import annotations

import json

from vr.pilot.discovery.base import Instance
from vr.pilot.discovery.consul import quoted, unexpected
from vr.pilot.errors import DiscoveryError, NotRegistered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from vr.pilot.config import Record
    from vr.pilot.discovery.etcd_servers import EtcdServers
    from vr.pilot.httpwire import Response
    from vr.pilot.log import Log

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
KEY_NOT_FOUND = 100
NOT_A_FILE = 102


class Etcd2:
    """`prefix` is the path of all keys, such as `/containerpilot`."""

    def __init__(self, servers: EtcdServers, prefix: str, log: Log) -> None:
        self._servers = servers
        self._prefix = prefix
        self._log = log

    async def announce(self, record: Record) -> bool:
        # A directory in etcd is a healthy service: it may come with the first heartbeat only.
        await self.deregister(record)
        return False

    async def register(self, record: Record) -> None:
        directory = self._directory(record)
        response = await self._call("PUT", f"{directory}?dir=true", f"ttl={record.ttl}")
        # What is there already gets its TTL from the heartbeat that follows.
        if response.status not in (200, 201) and error_code(response) != NOT_A_FILE:
            raise DiscoveryError(unexpected(response))
        value = quoted(json.dumps(service_value(record)))
        response = await self._call("PUT", f"{directory}/service", f"value={value}")
        if response.status not in (200, 201):
            raise DiscoveryError(unexpected(response))

    async def heartbeat(self, record: Record) -> None:
        target = f"{self._directory(record)}?dir=true&prevExist=true"
        response = await self._call("PUT", target, f"ttl={record.ttl}")
        if response.status not in (200, 201):
            error = unexpected(response)
            missing = error_code(response) == KEY_NOT_FOUND
            raise NotRegistered(error) if missing else DiscoveryError(error)

    async def deregister(self, record: Record) -> None:
        target = f"{self._directory(record)}?dir=true&recursive=true"
        response = await self._call("DELETE", target, "")
        if response.status != 200 and error_code(response) != KEY_NOT_FOUND:
            raise DiscoveryError(unexpected(response))

    async def instances(self, name: str, tag: str) -> list[Instance]:
        target = f"{key_path(self._prefix, name)}?recursive=true"
        response = await self._call("GET", target, "")
        if error_code(response) == KEY_NOT_FOUND:
            return []
        if response.status != 200:
            raise DiscoveryError(unexpected(response))
        return [found for found in map(self._instance, leaf_values(response.body, tag)) if found]

    def _instance(self, value: str) -> Instance | None:
        found = parse_service(value)
        if found is None:
            self._log.warning(f"Skipping a service that is not valid JSON: {value[:200]}")
        return found

    def _directory(self, record: Record) -> str:
        return key_path(self._prefix, record.name, record.id)

    async def _call(self, method: str, target: str, body: str) -> Response:
        headers = FORM if body else {}
        return await self._servers.request(method, target, headers, body.encode())

    def close(self) -> None:
        self._servers.close()


def key_path(prefix: str, *names: str) -> str:
    """The URL path of a key."""
    folders = [part for part in prefix.split("/") if part]
    return "/v2/keys/" + "/".join(quoted(part) for part in [*folders, *names])


def service_value(record: Record) -> dict[str, Any]:
    """The JSON of a service, the same for v2 and v3; tags only if there are any."""
    value: dict[str, Any] = {
        "id": record.id,
        "name": record.name,
        "address": record.address,
        "port": record.port,
    }
    return {**value, "tags": list(record.tags)} if record.tags else value


def parse_service(text: str) -> Instance | None:
    """The instance that a key's value describes; None if it is none."""
    try:
        value = json.loads(text)
        return Instance(str(value["id"]), str(value["address"]), int(value["port"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def has_tag(text: str, tag: str) -> bool:
    try:
        return not tag or tag in (json.loads(text).get("tags") or [])
    except (ValueError, TypeError, AttributeError, RecursionError):
        return True  # to be reported as what it is, not filtered


def leaf_values(body: bytes, tag: str) -> list[str]:
    """The values two levels below a service's directory that carry the tag."""
    try:
        instances = json.loads(body)["node"].get("nodes") or []
        leaves = [leaf for instance in instances for leaf in instance.get("nodes") or []]
        values = [str(leaf["value"]) for leaf in leaves if "value" in leaf]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise DiscoveryError("the answer is not a directory of etcd") from None
    return [value for value in values if has_tag(value, tag)]


def error_code(response: Response) -> int:
    """etcd's own errorCode; 0 if there is none."""
    try:
        return int(json.loads(response.body)["errorCode"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return 0
