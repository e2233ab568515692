"""Limits as containers hold them: of procs, by the keys of proc.yaml, and of builds.

Builds and scripts that make images get those of VR_BUILD_LIMITS, and the time of VR_BUILD_SECONDS;
what fetches code for them that of VR_FETCH_SECONDS.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from typing import Any

from vr.container.spec import Limits
from vr.errors import InvalidInput
from vr.specs.limits import BUILD_DEFAULTS, BUILD_SECONDS, FETCH_SECONDS, parse_limits_or_none
from vr.specs.sizes import parse_size

_LIMITS, _SECONDS, _FETCH = "VR_BUILD_LIMITS", "VR_BUILD_SECONDS", "VR_FETCH_SECONDS"


def container_limits(values: Mapping[str, Any]) -> Limits:
    """From values by the keys of proc.yaml; what isn't among them has its default there."""
    defaults = Limits()

    def size(key: str) -> int | None:
        return parse_size(values[key]) if values.get(key) else None

    tmp_size = size("tmp_size")
    return Limits(
        memory=size("mem_limit"),
        memsw=size("memsw_limit"),
        cpus=values.get("cpu_limit"),
        pids=values.get("pids_limit") or defaults.pids,
        tmp_size=defaults.tmp_size if tmp_size is None else tmp_size,
        nofile=values.get("nofile"),
    )


def build_limits() -> Limits:
    """What a build on this host may use; raises InvalidInput for a bad VR_BUILD_LIMITS."""
    try:
        values = parse_limits_or_none(os.environ.get(_LIMITS) or BUILD_DEFAULTS)
    except ValueError as error:
        raise InvalidInput(_LIMITS, [str(error)]) from None
    limits = container_limits(values)
    # Compilers fill /tmp with more than a tmpfs should hold, unless somebody says how much.
    tmp_size = limits.tmp_size if values.get("tmp_size") else None
    disk = values.get("disk_limit")
    return replace(limits, tmp_size=tmp_size, watched_disk=parse_size(disk) if disk else None)


def build_seconds() -> float:
    """How long a build on this host may take; raises InvalidInput for a bad VR_BUILD_SECONDS."""
    return _seconds(_SECONDS, BUILD_SECONDS)


def fetch_seconds() -> float:
    """How long a command of git or hg may take that fetches an app or a buildpack; raises
    InvalidInput for a bad VR_FETCH_SECONDS."""
    return _seconds(_FETCH, FETCH_SECONDS)


def _seconds(name: str, default: float) -> float:
    text = os.environ.get(name) or str(default)
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if seconds <= 0 or not isfinite(seconds):
        raise InvalidInput(name, [f"is {text!r}, expected a number of seconds"])
    return seconds
