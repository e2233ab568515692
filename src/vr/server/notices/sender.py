"""Sends one notice, in a process of its own:

    python -m vr.server.notices.sender < request.json

What an endpoint does (answer never, drip, redirect to where it must not) costs this process, which
ends by itself after a while. It connects to no address but those that `networks` permits. Secrets
come by stdin, so that no list of processes shows them. It answers with a sentence on stderr and 1
if it failed; nothing of Django is imported here.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import logging
import re
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from vr.server.notices.networks import is_permitted

SECONDS = 30
_SOCKET_SECONDS = 8.0
_MOST_READ = 2048
SIGNATURE = "X-Velociraptor-Signature"
TIMESTAMP = "X-Velociraptor-Timestamp"
DELIVERY = "X-Velociraptor-Delivery"


class NotSent(Exception):
    """Why, in a sentence without secrets."""


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What `X-Velociraptor-Signature` is of a body that is sent at `timestamp`."""
    signed = timestamp.encode() + b"." + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def main() -> int:
    signal.alarm(SECONDS)
    request = json.load(sys.stdin)
    _guard(request.get("networks", ()))
    try:
        if request["is_webhook"]:
            _post(request)
        else:
            _apprise(request)
    except NotSent as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _post(request: Mapping[str, Any]) -> None:
    body = json.dumps(request["data"], ensure_ascii=False).encode()
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Velociraptor",
        DELIVERY: str(request["delivery"]),
        TIMESTAMP: timestamp,
    }
    if request["secret"]:
        headers[SIGNATURE] = signature(request["secret"], timestamp, body)
    try:
        status = _status(request["url"], body, headers)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotSent(f"It can't be reached: {error or type(error).__name__}") from None
    if not 200 <= status < 300:
        hint = "; redirects are not followed" if 300 <= status < 400 else ""
        raise NotSent(f"It answered with status {status}{hint}.")


def _status(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_SOCKET_SECONDS)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", path, body=body, headers=dict(headers))
        answer = connection.getresponse()
        answer.read(_MOST_READ)
        return answer.status
    finally:
        connection.close()


def _apprise(request: Mapping[str, Any]) -> None:
    # It is large: webhooks need none of it.
    import apprise

    service = apprise.Apprise.instantiate(request["url"], suppress_exceptions=True)
    if service is None:
        raise NotSent("Apprise does not know this address.")
    said = _Said()
    kind = "failure" if request["is_bad"] else "info"
    sent = service.notify(title=request["title"], body=request["body"], notify_type=kind)
    if not sent:
        raise NotSent(f"Apprise could not send it. {said.last}".strip())


class _Said:
    """The last that Apprise logged, with what looks like a secret cut out."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        handler = logging.Handler()
        handler.emit = lambda record: self._lines.append(record.getMessage())  # type: ignore[method-assign]
        logging.getLogger("apprise").addHandler(handler)

    @property
    def last(self) -> str:
        line = self._lines[-1] if self._lines else ""
        return re.sub(r"[^\s'\"]{20,}", "***", line)[:300]


def _guard(networks: Sequence[str]) -> None:
    """From now on this process reaches permitted addresses only, whoever connects."""

    def check(address: Any) -> None:
        if not isinstance(address, tuple) or not is_permitted(str(address[0]), networks):
            shown = address[0] if isinstance(address, tuple) else "a socket"
            raise OSError(f"{shown} is in none of the networks that VR_NOTICE_NETWORKS allows")

    def guarded(name: str) -> Any:
        ours = getattr(socket.socket, name)

        def call(self: socket.socket, *args: Any) -> Any:
            # UDP for names is what resolvers do in C; what Python sends comes by here.
            check(args[-1])
            return ours(self, *args)

        return call

    for name in ("connect", "connect_ex", "sendto"):
        setattr(socket.socket, name, guarded(name))


if __name__ == "__main__":
    sys.exit(main())
