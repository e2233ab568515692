"""The settings of an nginx balancer, checked."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vr.balancer.nginx.pool_file import Site
from vr.errors import InvalidInput

DEFAULTS = {
    "include_dir": "/etc/nginx/sites-enabled/",
    "reload_cmd": "/etc/init.d/nginx reload",
    "test_cmd": "nginx -t",
    "pid_file": "/run/nginx.pid",
}
DOMAIN = "localhost"
_TIME = re.compile(r"[0-9]+(ms|s|m|h|d)?")
_SIZE = re.compile(r"[0-9]+[kKmMgG]?")
# Keys that say how the site of a pool passes requests on: what a value must be.
_SITE = {
    "connect_timeout": (_TIME, "a time such as 5s"),
    "read_timeout": (_TIME, "a time such as 90s or 1h"),
    "header_size": (_SIZE, "a size such as 64k"),
    "body_size": (_SIZE, "a size such as 10m, or 0 for any"),
    "buffering": (re.compile("on|off"), "on or off"),
}


@dataclass(frozen=True)
class NginxSettings:
    """Where an nginx keeps its pools, and how it is told of changes; paths are its machine's."""

    include_dir: Path
    lock_dir: Path
    reload_cmd: tuple[str, ...]
    test_cmd: tuple[str, ...]
    pid_file: Path
    site: Site | None

    @classmethod
    def checked(cls, config: Mapping[str, Any]) -> NginxSettings:
        """From a balancer's entry; raises InvalidInput with all its problems."""
        settings = {**DEFAULTS, **config}
        problems = [
            f"{key}: is {settings[key]!r}, expected text"
            for key in DEFAULTS
            if not isinstance(settings[key], str) or not settings[key].strip()
        ]
        commands = {}
        for key in ("reload_cmd", "test_cmd"):
            try:
                commands[key] = tuple(shlex.split(str(settings[key])))
            except ValueError as error:
                problems.append(f"{key}: {settings[key]!r} can't be split into words: {error}")
        # YAML reads on and off as truth values.
        words = {True: "on", False: "off"}
        site = {key: words.get(config[key], str(config[key])) for key in _SITE if key in config}
        problems += [
            f"{key}: is {value!r}, expected {_SITE[key][1]}"
            for key, value in site.items()
            if not _SITE[key][0].fullmatch(value)
        ]
        if problems:
            raise InvalidInput("nginx balancer", problems)
        listen, domain = settings.get("listen"), str(settings.get("domain") or DOMAIN)
        return cls(
            include_dir=Path(settings["include_dir"]),
            lock_dir=Path(settings.get("lock_dir") or settings["include_dir"]),
            **commands,
            pid_file=Path(settings["pid_file"]),
            site=Site(str(listen), domain, **site) if listen else None,
        )
