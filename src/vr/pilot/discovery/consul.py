"""Consul through the HTTP API of the local agent (docs/reference/pilot.md#consul)."""

from __future__ import annotations

import json

from vr.pilot.discovery.base import Instance
from vr.pilot.errors import DiscoveryError, NotRegistered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from vr.pilot.config import Record
    from vr.pilot.httpclient import HttpClient
    from vr.pilot.httpwire import Response


class Consul:
    """`token` may be empty."""

    def __init__(self, http: HttpClient, token: str) -> None:
        self._http = http
        self._headers = {"X-Consul-Token": token} if token else {}

    async def announce(self, record: Record) -> bool:
        # Registering again would keep the state of a check that is passing.
        await self.deregister(record)
        await self.register(record)
        return True

    async def register(self, record: Record) -> None:
        body = json.dumps(registration(record)).encode()
        await self._call("PUT", "/v1/agent/service/register", body)

    async def heartbeat(self, record: Record) -> None:
        target = f"/v1/agent/check/pass/{quoted(record.id)}?note=ok"
        response = await self._http.request("PUT", target, self._headers)
        if response.status != 200:
            error = unexpected(response)
            raise NotRegistered(error) if unknown_check(response) else DiscoveryError(error)

    async def deregister(self, record: Record) -> None:
        response = await self._http.request(
            "PUT", f"/v1/agent/service/deregister/{quoted(record.id)}", self._headers
        )
        # Newer versions answer 404 for what is not there.
        if response.status not in (200, 404):
            raise DiscoveryError(unexpected(response))

    async def instances(self, name: str, tag: str) -> list[Instance]:
        target = f"/v1/health/service/{quoted(name)}?passing=1"
        if tag:
            target += f"&tag={quoted(tag)}"
        return parse_instances(await self._call("GET", target))

    async def _call(self, method: str, target: str, body: bytes = b"") -> bytes:
        response = await self._http.request(method, target, self._headers, body)
        if response.status != 200:
            raise DiscoveryError(unexpected(response))
        return response.body

    def close(self) -> None:
        self._http.close()


def registration(record: Record) -> dict[str, Any]:
    """The body of service/register: the service with its check.

    In one call, so that the service is never passing before its first heartbeat.
    """
    check = {
        "CheckID": record.id,
        "Name": record.id,
        "Notes": f"TTL for {record.name} set by containerpilot",
        "TTL": f"{record.ttl}s",
    }
    if record.deregister_after:
        check["DeregisterCriticalServiceAfter"] = record.deregister_after
    service: dict[str, Any] = {
        "ID": record.id,
        "Name": record.name,
        "Tags": list(record.tags),
        "Port": record.port,
        "Address": record.address,
        "EnableTagOverride": record.enable_tag_override,
    }
    return {**{key: value for key, value in service.items() if value}, "Check": check}


def unknown_check(response: Response) -> bool:
    """Consul 1.8 answers 500 with a sentence, newer ones 404."""
    return response.status == 404 or (
        response.status == 500 and b"does not have associated TTL" in response.body
    )


def parse_instances(body: bytes) -> list[Instance]:
    """The answer of health/service; an instance without an address has its node's."""
    try:
        return [
            Instance(
                str(entry["Service"]["ID"]),
                str(entry["Service"].get("Address") or entry.get("Node", {}).get("Address", "")),
                int(entry["Service"]["Port"]),
            )
            for entry in json.loads(body)
        ]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise DiscoveryError("the answer is not a list of services") from None


def unexpected(response: Response) -> str:
    body = response.body.decode("utf-8", "replace").strip()
    return f"Unexpected response code: {response.status} ({body[:500]})"


def quoted(text: str) -> str:
    """Percent-encoded for one part of a path or a query."""
    keep = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
    data = text.encode("utf-8", "replace")
    return "".join(chr(byte) if byte in keep else f"%{byte:02X}" for byte in data)
