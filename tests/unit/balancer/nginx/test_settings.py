"""What an nginx balancer takes, and where its pools answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vr.balancer.nginx.balancer import NginxBalancer
from vr.balancer.nginx.settings import NginxSettings
from vr.errors import InvalidInput


def test_defaults_are_debians() -> None:
    settings = NginxSettings.checked({})
    assert settings.include_dir == settings.lock_dir == Path("/etc/nginx/sites-enabled")
    assert settings.reload_cmd == ("/etc/init.d/nginx", "reload")
    assert settings.site is None


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(InvalidInput) as error:
        NginxSettings.checked({"include_dir": 3, "pid_file": " ", "test_cmd": "nginx 'oops"})
    assert [problem.partition(":")[0] for problem in error.value.problems] == [
        "include_dir",
        "pid_file",
        "test_cmd",
    ]


@pytest.mark.parametrize(
    ("config", "pool", "url"),
    [
        ({"listen": 8080, "domain": "localhost"}, "shop", "http://shop.localhost:8080/"),
        (
            {"listen": "0.0.0.0:80", "domain": "apps.example.org"},
            "Shop",
            "http://shop.apps.example.org/",
        ),
        ({"listen": "[::1]:8081"}, "shop", "http://shop.localhost:8081/"),
        ({"listen": "8082 http2"}, "shop", "http://shop.localhost:8082/"),
        ({"include_dir": "/etc/nginx/pools"}, "shop", ""),
        ({"listen": 8080}, "", ""),
    ],
)
def test_a_pool_has_an_address_if_each_gets_a_server(
    config: dict[str, Any], pool: str, url: str
) -> None:
    assert NginxBalancer(config, []).address(pool) == url
