"""What a host is told of the server's Redis, whose certificate is signed by one's own authority."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import redis

from support.redis_server import tls_redis_server
from support.tls import certificate
from vr.hosts.preparing import layout
from vr.server.hosting import running
from vr.server.models import Host


def test_the_authority_goes_along_and_with_it_the_address_is_good(
    settings: Any, tmp_path: Path
) -> None:
    tls = certificate(tmp_path, "localhost")
    with tls_redis_server(tmp_path / "redis", "rawr", tls) as url:
        settings.HOSTS_REDIS_URL = url
        settings.TLS_AUTHORITY = tls[0]
        settings.FILES_BASE_URL = "http://127.0.0.1:8000"

        told = running._setup(Host(name="atlas"))

        # As the host has it, but for the folder.
        brought = tmp_path / "brought.pem"
        brought.write_text(told.redis_authority)
        there = told.redis_url.replace(str(layout.REDIS_AUTHORITY), str(brought))
        assert there != told.redis_url
        connection = redis.Redis.from_url(there)
        assert connection.ping()
        connection.close()
        with pytest.raises(redis.RedisError):
            redis.Redis.from_url(url).ping()


def test_without_an_authority_the_system_s_is_gone_by(settings: Any) -> None:
    settings.HOSTS_REDIS_URL = "rediss://vr:rawr@redis.example.org/0"
    settings.TLS_AUTHORITY = None
    settings.FILES_BASE_URL = "http://127.0.0.1:8000"

    told = running._setup(Host(name="atlas"))

    assert told.redis_authority == ""
    assert told.redis_url == "rediss://vr:rawr@redis.example.org/0?ssl_cert_reqs=required"
