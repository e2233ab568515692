"""etcd's v3 API through its JSON gateway: one key with a lease for each instance.

`<prefix>/<name>/<id>` holds the JSON that v2 keeps in the key `service`; the heartbeat keeps the
lease alive.
"""

from __future__ import annotations

import base64
import binascii
import json

from vr.pilot.discovery.consul import unexpected
from vr.pilot.discovery.etcd2 import has_tag, parse_service, service_value
from vr.pilot.errors import DiscoveryError, NotRegistered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from vr.pilot.config import Record
    from vr.pilot.discovery.base import Instance
    from vr.pilot.discovery.etcd_servers import EtcdServers
    from vr.pilot.log import Log

JSON_TYPE = {"Content-Type": "application/json"}


class Etcd3:
    """`prefix` is the path of all keys, such as `/containerpilot`."""

    def __init__(self, servers: EtcdServers, prefix: str, log: Log) -> None:
        self._servers = servers
        self._prefix = prefix
        self._log = log
        # The lease of each id that was registered.
        self._leases: dict[str, str] = {}

    async def announce(self, record: Record) -> bool:
        # A key in etcd is a healthy service: it may come with the first heartbeat only.
        await self.deregister(record)
        return False

    async def register(self, record: Record) -> None:
        grant = await self._call("lease/grant", {"TTL": str(record.ttl), "ID": "0"})
        lease = str(grant.get("ID", "0"))
        value = json.dumps(service_value(record))
        put = {"key": encoded(self._key(record)), "value": encoded(value), "lease": lease}
        await self._call("kv/put", put)
        self._leases[record.id] = lease

    async def heartbeat(self, record: Record) -> None:
        lease = self._leases.get(record.id)
        if lease is None:
            raise NotRegistered(f"{record.id} has no lease")
        answer = await self._call("lease/keepalive", {"ID": lease})
        if not lease_lives(answer):
            raise NotRegistered(f"the lease of {record.id} has expired")
        # The key may have been deleted while its lease lives on.
        asked = {"key": encoded(self._key(record)), "count_only": True}
        if int((await self._call("kv/range", asked)).get("count", 0)) == 0:
            raise NotRegistered(f"the key of {record.id} is gone")

    async def deregister(self, record: Record) -> None:
        lease = self._leases.pop(record.id, None)
        await self._call("kv/deleterange", {"key": encoded(self._key(record))})
        if lease is not None:
            try:
                await self._call("lease/revoke", {"ID": lease})
            except DiscoveryError:
                pass  # it has expired, or will: the key is what counts

    async def instances(self, name: str, tag: str) -> list[Instance]:
        start = f"{self._folder()}/{name}/"
        asked = {"key": encoded(start), "range_end": encoded(after_prefix(start))}
        found = []
        for value in values((await self._call("kv/range", asked)).get("kvs", [])):
            if not has_tag(value, tag):
                continue
            instance = parse_service(value)
            if instance is None:
                self._log.warning(f"Skipping a service that is not valid JSON: {value[:200]}")
            else:
                found.append(instance)
        return found

    def _folder(self) -> str:
        return "/" + self._prefix.strip("/") if self._prefix.strip("/") else ""

    def _key(self, record: Record) -> str:
        return f"{self._folder()}/{record.name}/{record.id}"

    async def _call(self, method: str, asked: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps(asked).encode()
        response = await self._servers.request("POST", f"/v3/{method}", JSON_TYPE, body)
        if response.status != 200:
            raise DiscoveryError(unexpected(response))
        try:
            answer = json.loads(response.body)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise DiscoveryError("the answer is not a JSON object")
        return answer

    def close(self) -> None:
        self._servers.close()


def encoded(text: str) -> str:
    """Base64, in which the gateway takes all keys and values."""
    return base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")


def after_prefix(prefix: str) -> str:
    """The end of the range of all keys that begin with `prefix`, which ends in ASCII."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def lease_lives(answer: dict[str, Any]) -> bool:
    """The answer of keepalive: a lease that has gone has no TTL."""
    result = answer.get("result", {})
    try:
        return int(result.get("TTL", 0)) > 0
    except (ValueError, TypeError, AttributeError):
        return False


def values(kvs: list[dict[str, Any]]) -> list[str]:
    try:
        return [base64.b64decode(kv.get("value", "")).decode("utf-8", "replace") for kv in kvs]
    except (binascii.Error, TypeError, AttributeError, ValueError):
        raise DiscoveryError("the answer is not a list of keys") from None
