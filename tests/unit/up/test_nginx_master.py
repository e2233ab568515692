"""Where nginx listens, by the configuration that it will read."""

from __future__ import annotations

import pytest

from vr.up import render
from vr.up.config import Config
from vr.up.nginx_master import listens_at


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1"])
def test_the_address_is_read_from_the_configuration(address: str) -> None:
    config = Config.from_env({"VR_BIND": address, "VR_HTTP_PORT": "8181"})
    assert listens_at(render.nginx_conf(config)) == (address, 8181)
