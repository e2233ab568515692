"""Reaching hosts from the server: as the settings say."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from vr.hosts import connect as connecting
from vr.hosts.connect import ThisMachine
from vr.hosts.connection import HostConnection
from vr.paths import Root


def connect(host_name: str) -> HostConnection:
    """A connection to the host of that name; raises HostUnreachable."""
    return connecting.connect(host_name, this_machine())


def connect_from_settings(host_name: str) -> HostConnection:
    """A connection to a host that a balancer's settings name; raises HostUnreachable."""
    return connecting.connect_from_settings(host_name, this_machine())


def this_machine() -> ThisMachine:
    """This machine as a host."""
    return ThisMachine(
        settings.LOCAL_HOST,
        Root(Path(settings.VR_ROOT)),
        settings.SUPERVISOR_URL,
        Path(settings.TOOLS),
    )
