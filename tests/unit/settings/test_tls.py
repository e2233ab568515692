"""TLS to Redis and RabbitMQ: certificates are checked unless an address says otherwise."""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from vr.settings.tls import rabbitmq_tls, redis_address

AUTHORITY = Path("/etc/ssl/our ca.pem")


@pytest.mark.parametrize(
    "url", ["redis://:p%40ss@host/0", "unix:///run/r.sock", "amqps://host/", "sentinel://a;b"]
)
def test_other_addresses_stay_as_they_are(url: str) -> None:
    assert redis_address(url, AUTHORITY) == url


def test_the_certificate_of_redis_is_checked() -> None:
    assert redis_address("rediss://vr:p%40ss@host:1/0", None) == (
        "rediss://vr:p%40ss@host:1/0?ssl_cert_reqs=required"
    )
    url = redis_address("rediss://host/0", AUTHORITY)
    assert parse_qs(urlsplit(url).query)["ssl_ca_certs"] == [str(AUTHORITY)]


def test_what_the_address_says_stays() -> None:
    url = redis_address("rediss://host/0?ssl_cert_reqs=none&ssl_ca_certs=/other.pem", AUTHORITY)
    assert parse_qs(urlsplit(url).query) == {
        "ssl_cert_reqs": ["none"],
        "ssl_ca_certs": ["/other.pem"],
    }


def test_the_certificate_of_rabbitmq_is_checked_and_must_be_for_its_name() -> None:
    assert rabbitmq_tls("amqp://host/", AUTHORITY) is None
    assert rabbitmq_tls("rediss://host/", AUTHORITY) is None
    assert rabbitmq_tls("amqps://vr:x@rabbit:5671/", AUTHORITY) == {
        "cert_reqs": ssl.CERT_REQUIRED,
        "ca_certs": str(AUTHORITY),
        "server_hostname": "rabbit",
    }
