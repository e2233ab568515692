"""Settings that only `vr` and the tools of a host read, each where it needs it."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network

from vr.runner.addresses import DEFAULT_NETWORK
from vr.settings.readers import (
    HTTP_URL,
    NETWORK,
    TEXT,
    optional,
)
from vr.settings.setting import Process, setting

_TOOLS = {Process.TOOLS}


@dataclass(frozen=True, kw_only=True)
class ToolSettings:
    """What commands are told that may run without a server."""

    url: str = setting(
        "VR_URL",
        optional(HTTP_URL, ""),
        "",
        shown="from `VR_HOME/cli.json`, written by `vr up`",
        meaning="address of the server",
        read_by=_TOOLS,
    )
    token: str = setting(
        "VR_TOKEN",
        TEXT,
        "",
        shown="from `VR_HOME/cli.json`, too",
        meaning="token of a user of that server",
        read_by=_TOOLS,
        is_hidden=True,
    )
    private_network: IPv4Network = setting(
        "VR_PRIVATE_NETWORK",
        NETWORK,
        DEFAULT_NETWORK,
        meaning="addresses of containers with a [network of their own](runners.md#private-network)",
        read_by=_TOOLS,
    )
