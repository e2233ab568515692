"""Pools' files outlast the address at which nginx listened when they were written."""

from __future__ import annotations

import re

from vr.files.atomic import write_atomic
from vr.files.locks import Lock
from vr.up import render
from vr.up.config import Config

_LISTEN = re.compile(r"^  listen [^;\n]+;$", re.MULTILINE)
# The balancer's own lock, and nginx's patience with its files.
_LOCK_SECONDS = 60.0
_MODE = 0o644


def listen_anew(config: Config) -> None:
    """Have all pools listen where nginx is to listen by `config`. nginx must read them again."""
    with Lock(config.run / ".nginx.lock", wait=_LOCK_SECONDS):
        for path in sorted(config.pools.glob("*.conf")):
            text = path.read_text(errors="surrogateescape")
            moved = moved_to(render.listens_at(config), text)
            if moved != text:
                write_atomic(path, moved.encode(errors="surrogateescape"), mode=_MODE)


def moved_to(address: str, pool: str) -> str:
    """The text of a pool's file, with another address (as nginx writes it) in its server."""
    return _LISTEN.sub(f"  listen {address};", pool)
