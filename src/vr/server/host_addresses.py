"""How SSH gets to hosts, as the database has it; remembered for a moment.

Models are looked up by their names: they ask balancers, which ask hosts, which ask here.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from vr.errors import VelociraptorError
from vr.hosts.connect import NotThisMachine
from vr.hosts.remote.address import SshAddress

ROOT = "root"
_KEPT_SECONDS = 5.0
# What the tools of every host are told: where volumes may lie, who apps may run as.
_TOLD = ("VR_VOLUME_ROOTS", "VR_RUN_AS", "VR_HOST_UIDS")


def address_named(name: str) -> SshAddress:
    """The address of the host of that name; raises NotThisMachine if nobody said how to get there.

    May be `_KEPT_SECONDS` old, and is asked for in any thread.
    """
    found = _BOOK.get(name)
    if found is None:
        raise NotThisMachine(
            f"{name} is another machine than the server's, and has not been prepared as a host.",
            hint=f"Prepare it: vr hosts add {name}. Or set it inactive.",
        )
    return found


def address_of(host: Any) -> SshAddress:
    """The address of a host's row, whether its key is pinned yet or not."""
    config = Path("~/.ssh/config").expanduser()
    return SshAddress(
        name=host.name,
        address=host.address or host.name,
        host_key=host.host_key,
        private_key=server_key().private,
        user=host.ssh_user or ROOT,
        port=host.ssh_port or 0,
        config=(str(config),) if config.is_file() else (),
        environment=tuple((key, os.environ[key]) for key in _TOLD if key in os.environ),
    )


def server_key() -> Any:
    """The row with the server's key pair, made when it is first needed, once for all processes.

    Raises VelociraptorError if it was stored with a key that is lost.
    """
    rows = apps.get_model("server.ServerKey")._default_manager
    found = rows.first() or _make_key(rows)
    if "PRIVATE KEY" not in found.private:
        raise VelociraptorError(
            "The server's SSH key can't be decrypted, as it was stored with another VR_SECRET_KEY.",
            hint="Put that key back, or into VR_SECRET_KEY_FALLBACKS.",
        )
    return found


def _make_key(rows: Any) -> Any:
    pair = Ed25519PrivateKey.generate()
    private = pair.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    ).decode()
    public = pair.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    try:
        with transaction.atomic():
            return rows.create(public=f"{public.decode()} velociraptor", private=private)
    except IntegrityError:
        return rows.get()


class _Book:
    """All addresses, read at once, by whoever finds them too old."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._addresses: dict[str, SshAddress] = {}
        self._good_until = 0.0

    def get(self, name: str) -> SshAddress | None:
        with self._lock:
            # A host that was added a moment ago is looked for again.
            if name not in self._addresses or time.monotonic() > self._good_until:
                self._addresses = _read()
                self._good_until = time.monotonic() + _KEPT_SECONDS
            return self._addresses.get(name)


_BOOK = _Book()


def _read() -> dict[str, SshAddress]:
    """What the database has. In a thread that ends: those that work on hosts live on, and nobody
    would close a connection of theirs; but within a transaction, which alone sees its rows."""
    if connection.in_atomic_block:
        return _query()
    found: dict[str, SshAddress] = {}
    failed: list[Exception] = []

    def read() -> None:
        try:
            found.update(_query())
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    reader = threading.Thread(target=read, name="host-addresses")
    reader.start()
    reader.join()
    if failed:
        raise failed[0]
    return found


def _query() -> dict[str, SshAddress]:
    rows = apps.get_model("server.Host")._default_manager.exclude(host_key="")
    return {host.name: address_of(host) for host in rows}
