"""Settings of what the server does with swarms and their procs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vr.settings.balancers import BALANCERS, NONE, Balancers
from vr.settings.readers import (
    ADDRESS,
    LIMITS,
    PAIRS,
    PATH,
    PROC_DISK,
    SIZE,
    SUPERVISOR_URL,
    TEXT,
    UIDS,
    optional,
    seconds,
    whole,
)
from vr.settings.setting import Process, setting
from vr.specs.accounts import DEFAULT_HOST_UIDS
from vr.specs.limits import DEFAULTS, DISK_WATCH

_UP = {Process.UP}
_SERVER = {Process.SERVER}
# What `vr up` checks, and hands on to the server.
_BOTH = _UP | _SERVER
_DAY = 86400


@dataclass(frozen=True, kw_only=True)
class SwarmSettings:
    """How procs are placed, limited, started, tested, routed and logged."""

    largest_swarm: int = setting(
        "VR_LARGEST_SWARM",
        whole(1, 60_000),
        "1000",
        meaning="the most procs that a swarm may have",
        read_by=_BOTH,
    )
    host_uids: range = setting(
        "VR_HOST_UIDS",
        UIDS,
        DEFAULT_HOST_UIDS,
        meaning=(
            "user ids on hosts, one for each app whose `run_as` is `nobody`; none is given twice, "
            "so no account and no container of others may have them"
        ),
        read_by=_BOTH,
    )
    default_limits: dict[str, Any] = setting(
        "VR_DEFAULT_LIMITS",
        LIMITS,
        DEFAULTS,
        meaning=(
            "limits of new procs whose swarms don't set them, by the keys of proc.yaml; `none` for "
            "none. `disk_limit` needs loop devices on hosts"
        ),
        read_by=_BOTH,
    )
    proc_disk: str | None = setting(
        "VR_PROC_DISK",
        PROC_DISK,
        DISK_WATCH,
        meaning=(
            "what a new proc without a `disk_limit` may write outside its volumes; `none`: as much "
            "as there is. Its host looks every few seconds, and stops one that wrote more"
        ),
        read_by=_BOTH,
    )
    free_disk: int = setting(
        "VR_FREE_DISK",
        SIZE,
        "1G",
        meaning=(
            "hosts with less disk left, where they keep their procs, get no new ones; `0`: all do"
        ),
        read_by=_BOTH,
    )
    runtimes: dict[str, str] = setting(
        "VR_RUNTIMES",
        PAIRS,
        "",
        meaning=(
            "what the runtimes of [droplets](stager.md#droplets-in-velociraptor) are called in "
            "images, if not by their names: `ruby=/opt/ruby/bin/ruby,…`"
        ),
        read_by=_BOTH,
    )
    balancers: Balancers = setting(
        "VR_BALANCERS_FILE",
        optional(BALANCERS, NONE),
        "",
        shown="the dummy balancer",
        meaning="YAML with `BALANCERS`; see [balancers](balancers.md)",
        read_by=_SERVER,
    )
    default_balancer: str = setting(
        "VR_DEFAULT_BALANCER",
        TEXT,
        "",
        shown="the first one",
        meaning="what forms offer first",
        read_by=_SERVER,
    )
    supervisor_url: str = setting(
        "VR_SUPERVISOR_URL",
        SUPERVISOR_URL,
        "unix://{VR_HOME}/run/supervisor.sock",
        meaning="the local host's Supervisor",
        read_by=_SERVER,
    )
    tools: Path = setting(
        "VR_TOOLS",
        PATH,
        str(Path(sys.executable).parent),
        shown="beside the worker's Python",
        meaning="folder of `vrun` and `vrun_precise` on the local host",
        read_by=_BOTH,
    )
    start_seconds: float = setting(
        "VR_START_SECONDS",
        seconds(1, _DAY),
        "60",
        meaning="how long a new proc may take until it is ready",
        read_by=_BOTH,
    )
    settle_seconds: int = setting(
        "VR_SETTLE_SECONDS",
        whole(0, _DAY),
        "10",
        meaning=(
            "how long new procs must stay up, routed, before old ones go, for swarms that don't "
            "say; 0: not at all"
        ),
        read_by=_BOTH,
    )
    hold_seconds: int = setting(
        "VR_HOLD_SECONDS",
        whole(60, 30 * _DAY),
        "86400",
        meaning=(
            "how long a version that is swarmed with `--hold` waits for `vr route`, before it is "
            "removed again"
        ),
        read_by=_BOTH,
    )
    canary_seconds: int = setting(
        "VR_CANARY_SECONDS",
        whole(1, _DAY),
        "60",
        meaning="how long the procs of `--canary` are tried, for dispatches that don't say",
        read_by=_BOTH,
    )
    uptest_seconds: int = setting(
        "VR_UPTEST_SECONDS",
        whole(0, _DAY),
        "900",
        meaning=(
            "how often every proc is [uptested](swarms.md#uptests-between-dispatches) between "
            "dispatches; 0: never"
        ),
        read_by=_BOTH,
    )
    log_mb: int = setting(
        "VR_LOG_MB",
        whole(1, 100_000),
        "10",
        meaning="how large a proc's log grows before it is rotated: from its next deploy on",
        read_by=_BOTH,
    )
    log_backups: int = setting(
        "VR_LOG_BACKUPS",
        whole(1, 100),
        "3",
        meaning=(
            "how many rotated logs of that size are kept of each proc. More of them give `vr logs "
            "-f` more time to follow a flood"
        ),
        read_by=_BOTH,
    )
    drain_seconds: float = setting(
        "VR_DRAIN_SECONDS",
        seconds(0, _DAY),
        "35",
        meaning="how long old requests may take to end before old procs are retired",
        read_by=_BOTH,
    )
    consul: str = setting(
        "VR_CONSUL",
        optional(ADDRESS, ""),
        "",
        meaning=(
            "address that procs get as `CONSUL` in their environment, for the [pilot](pilot.md)"
        ),
        read_by=_BOTH,
    )
    etcd: str = setting(
        "VR_ETCD",
        optional(ADDRESS, ""),
        "",
        meaning="the same as `ETCD`",
        read_by=_BOTH,
    )
