"""Settings of what the server tells others: monitors, tracers, chats, logs."""

from __future__ import annotations

from dataclasses import dataclass

from vr.settings.readers import (
    HTTP_URL,
    NETWORKS,
    PAIRS,
    one_of,
    optional,
)
from vr.settings.setting import Process, setting

# What `vr up` checks, and hands on to the server.
_BOTH = {Process.UP, Process.SERVER}


@dataclass(frozen=True, kw_only=True)
class TellingSettings:
    """Who is told what goes on, and how."""

    metrics_access: str = setting(
        "VR_METRICS_ACCESS",
        one_of("token", "loopback", "off"),
        "token",
        meaning=(
            "who may read [/metrics](reference/metrics.md): users of the API; or also whoever asks "
            "on this machine, apps without a network of their own included; or nobody"
        ),
        read_by=_BOTH,
    )
    otlp_endpoint: str = setting(
        "VR_OTLP_ENDPOINT",
        optional(HTTP_URL, ""),
        "",
        meaning=(
            "an OpenTelemetry collector, such as `http://127.0.0.1:4318`, that gets a "
            "[trace of each dispatch](operations.md#traces); empty: none does"
        ),
        read_by=_BOTH,
    )
    otlp_headers: dict[str, str] = setting(
        "VR_OTLP_HEADERS",
        PAIRS,
        "",
        meaning="headers that it wants, such as `Authorization=Bearer …`",
        read_by=_BOTH,
        is_hidden=True,
    )
    notice_networks: tuple[str, ...] = setting(
        "VR_NOTICE_NETWORKS",
        NETWORKS,
        "",
        meaning=(
            "networks beside the internet that [notices](operations.md#notices) may be sent to, "
            "such as `10.0.0.0/8`: who may add a notifier could reach them through this server"
        ),
        read_by=_BOTH,
    )
    log_format: str = setting(
        "VR_LOG_FORMAT",
        one_of("text", "json"),
        "text",
        meaning=(
            "how web, workers and beat write their logs: lines for people, or a "
            "[JSON object each](operations.md#logs-for-machines)"
        ),
        read_by=_BOTH,
    )
