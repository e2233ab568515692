"""dea.yml, in both dialects (docs/reference/dea.md#deayml)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from vr.bus.addresses import nats_uri_problem
from vr.bus.documents import mapping as as_mapping
from vr.bus.pages import WebSettings
from vr.bus.service_log import LogSettings, level_problem
from vr.runner.images import ImageRef
from vr.specs.documents import to_struct

DEFAULT_FIRST_USER = 24001

# Keys of the other dialect, by ours; a dot leads into a map.
_OTHER_NAMES = {
    "nats_uri": "mbus",
    "pid_filename": "pid",
    "max_memory": "resources.memory_mb",
    "max_instances": "resources.num_instances",
    "evacuation_delay": "evacuation_delay_secs",
    "prod": "only_production_apps",
}


class Intervals(msgspec.Struct, frozen=True):
    """Seconds between messages."""

    heartbeat: float = 10
    advertise: float = 5
    register: float = 20


class BindMount(msgspec.Struct, frozen=True):
    """A folder of the host that apps see, read-only: what a runtime keeps in /etc, say."""

    src_path: str
    dst_path: str = ""


class DeaConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Memory in MB, times in seconds."""

    nats_uri: str
    base_dir: str = "/var/lib/vdea"
    pid_filename: str = "/run/vdea.pid"
    logging: LogSettings = LogSettings()
    runtimes: dict[str, str]
    """Executables by the name that start messages use."""
    host: str = ""
    """This machine's address, as the router sees it; without, the one towards `local_route`."""
    local_route: str = ""
    filer_port: int = 0
    """Where instances' files are served; chosen at start without."""
    status: WebSettings = WebSettings()
    """The pages /healthz and /varz."""
    max_memory: int = 4096
    max_instances: int = 100
    prod: bool = False
    index: int | None = None
    intervals: Intervals = Intervals()
    evacuation_delay: float = 30
    crash_lifetime_secs: float = 3600
    default_health_check_timeout: float = 60
    stop_timeout: float = 10
    droplet_fs_percent_used_threshold: int = 95
    first_user: int = DEFAULT_FIRST_USER
    """Each instance runs as a user id of its own, from this one on."""
    image: ImageRef | None = None
    """The OS image that apps run in; the host's own system, read-only, without."""
    bind_mounts: tuple[BindMount, ...] = ()


def parse_config(mapping: Mapping[str, Any], where: str) -> DeaConfig:
    """The configuration in `mapping`; raises InvalidInput with all its problems."""
    values = _one_dialect(mapping)
    return to_struct(DeaConfig, values, where, extra=_problems(values))


def _one_dialect(mapping: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(mapping)
    for ours, theirs in _OTHER_NAMES.items():
        found: Any = mapping
        for part in theirs.split("."):
            found = as_mapping(found).get(part)
        if ours not in values and found is not None:
            values[ours] = found
    runtimes = values.get("runtimes")
    if isinstance(runtimes, list):
        values["runtimes"] = {str(name): str(name) for name in runtimes}
    return values


def _problems(values: Mapping[str, Any]) -> list[str]:
    problems = []
    uri = values.get("nats_uri")
    if isinstance(uri, str) and (problem := nats_uri_problem(uri)):
        problems.append(f"nats_uri: {problem}")
    level = as_mapping(values.get("logging")).get("level", "info")
    if isinstance(level, str) and (problem := level_problem(level)):
        problems.append(f"logging.level: {problem}")
    for key in ("max_memory", "max_instances"):
        value = values.get(key, 1)
        if isinstance(value, int) and value < 1:
            problems.append(f"{key}: must be at least 1, but is {value}")
    first = values.get("first_user", DEFAULT_FIRST_USER)
    if isinstance(first, int) and first < 1000:
        problems.append("first_user: must be at least 1000: lower ids belong to the system")
    return problems
