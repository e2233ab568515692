"""A build farm on this machine: a NATS server of its own, and one stager. Pure."""

from __future__ import annotations

import yaml

from vr.up.config import Config

LOOPBACK = "127.0.0.1"
QUEUE = "staging"
PARTS = ("nats", "stager")

_BUILDS_AT_ONCE = 4
_BUILD_SECONDS = 3600


def nats_uri(config: Config, token: str) -> str:
    """The bus, with the token that it asks for."""
    return f"nats://{token}@{LOOPBACK}:{config.nats_port}"


def nats_conf(config: Config, token: str) -> str:
    """The NATS server: for this machine, and for who knows the token."""
    return f"""\
# Written by `vr up`; changes are lost.
listen: "{LOOPBACK}:{config.nats_port}"
authorization {{ token: "{token}" }}
"""


def stager_yml(config: Config, token: str) -> str:
    """The stager: it builds as the worker would, in the same folders, with the same buildpacks."""
    text: str = yaml.safe_dump(
        {
            "logging": {"level": "info"},
            "pid_filename": str(config.run / "stager.pid"),
            "nats_uri": nats_uri(config, token),
            "queues": [QUEUE],
            "max_active_tasks": _BUILDS_AT_ONCE,
            "max_staging_duration": _BUILD_SECONDS,
            "secure": True,
            "dirs": {"tmp": str(config.home / "staging")},
            # The server's buildpacks and images may be folders and files of this machine.
            "plugins": {"vbuild": {"local": True}},
        },
        sort_keys=False,
    )
    return text
