"""dea.yml in both dialects."""

from __future__ import annotations

import pytest

from vr.dea.config import parse_config
from vr.errors import InvalidInput


def test_the_first_dialect() -> None:
    config = parse_config(
        {"mbus": "nats://x", "pid": "/p", "max_memory": 99, "runtimes": ["ruby"]}, "dea.yml"
    )
    assert (config.nats_uri, config.pid_filename, config.max_memory) == ("nats://x", "/p", 99)
    assert config.runtimes == {"ruby": "ruby"}


def test_the_second_dialect() -> None:
    config = parse_config(
        {
            "nats_uri": "nats://x",
            "resources": {"memory_mb": 8192, "num_instances": 16},
            "evacuation_delay_secs": 3,
            "runtimes": {"ruby19": "/usr/bin/ruby"},
            "bind_mounts": [{"src_path": "/etc/php"}],
            "status": {"port": 5, "user": "u", "password": "p"},
            "filer_port": 12345,
            "multi_tenant": True,
            "warden_socket": "/tmp/warden.sock",
        },
        "dea.yml",
    )
    assert (config.max_memory, config.max_instances, config.evacuation_delay) == (8192, 16, 3)
    assert config.bind_mounts[0].src_path == "/etc/php"
    assert (config.status.port, config.filer_port) == (5, 12345)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"nats_uri": "x"}, "nats_uri: must be of the form"),
        ({"runtimes": None}, "runtimes: is missing"),
        ({"max_memory": 0}, "max_memory: must be at least 1"),
        ({"first_user": 0}, "first_user: must be at least 1000"),
    ],
)
def test_problems_are_named(changes: dict[str, object], problem: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_config({"nats_uri": "nats://x", "runtimes": []} | changes, "dea.yml")
    assert any(each.startswith(problem) for each in caught.value.problems)
