"""TLS to Redis and the broker: their certificate is always checked, unless the address says
otherwise."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

_REDIS = "rediss"
_RABBITMQ = "amqps"


def redis_address(url: str, authority: PurePath | None) -> str:
    """`url` as redis-py and Celery read it: a `rediss://` one says how its certificate is checked.

    `authority` is the file of the certificates that may have signed it; None: the system's. What
    the address says itself (`?ssl_ca_certs=…`, `?ssl_cert_reqs=none`) stays. Without this Celery
    would take any certificate.
    """
    parts = urlsplit(url)
    if parts.scheme != _REDIS:
        return url
    told = dict(parse_qsl(parts.query))
    told.setdefault("ssl_cert_reqs", "required")
    if authority is not None:
        told.setdefault("ssl_ca_certs", str(authority))
    before, _, _ = url.partition("?")
    return f"{before}?{urlencode(told, safe='/')}"


def rabbitmq_tls(url: str, authority: PurePath | None) -> Mapping[str, Any] | None:
    """What Celery needs to know of the TLS of an `amqps://` address; None for others."""
    parts = urlsplit(url)
    if parts.scheme != _RABBITMQ:
        return None
    return {
        "cert_reqs": ssl.CERT_REQUIRED,
        "ca_certs": None if authority is None else str(authority),
        "server_hostname": parts.hostname,
    }
