"""Reaching hosts from the server: this machine directly, others by SSH."""

from __future__ import annotations

import functools
from pathlib import Path

from django.conf import settings

from vr.hosts import connect as connecting
from vr.hosts.connect import ThisMachine
from vr.hosts.connection import HostConnection
from vr.hosts.remote.connection import RemoteConnection
from vr.paths import Root
from vr.server.host_addresses import address_named


def connect(host_name: str) -> HostConnection:
    """A connection to the host of that name. Asks nobody: its methods raise HostUnreachable."""
    here = this_machine()
    if here.is_called(host_name):
        return connecting.connect(host_name, here)
    return RemoteConnection(host_name, functools.partial(address_named, host_name))


def connect_from_settings(host_name: str) -> HostConnection:
    """The same for a host that a balancer's settings name, where `localhost` is this machine."""
    here = this_machine()
    if here.calls_itself(host_name):
        return connecting.connect_from_settings(host_name, here)
    return connect(host_name)


def sees_our_disk(host_name: str) -> bool:
    """Does the host have the server's files at the same paths?"""
    return this_machine().is_called(host_name)


def this_machine() -> ThisMachine:
    """This machine as a host."""
    return ThisMachine(
        settings.LOCAL_HOST,
        Root(Path(settings.VR_ROOT)),
        settings.SUPERVISOR_URL,
        Path(settings.TOOLS),
    )
