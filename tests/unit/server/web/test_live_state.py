"""Where a pool answers."""

from __future__ import annotations

from typing import Any

import pytest

from vr.server.web.live_state import pool_url

BALANCERS: dict[str, dict[str, Any]] = {
    "own": {"listen": 8080, "domain": "localhost"},
    "standard": {"listen": "0.0.0.0:80", "domain": "apps.example.org"},
    "brief": {"listen": "[::1]:8081"},
    "bare": {"include_dir": "/etc/nginx/pools"},
}


@pytest.mark.parametrize(
    ("pool", "balancer", "url"),
    [
        ("shop", "own", "http://shop.localhost:8080/"),
        ("shop", "standard", "http://shop.apps.example.org/"),
        ("shop", "brief", "http://shop.localhost:8081/"),
        ("shop", "bare", ""),
        ("shop", "gone", ""),
        ("", "own", ""),
    ],
)
def test_a_pool_has_an_address_if_its_balancer_gives_one(
    pool: str, balancer: str, url: str
) -> None:
    assert pool_url(pool, balancer, BALANCERS) == url
