"""stager.yml."""

from __future__ import annotations

import pytest
import yaml

from vr.errors import InvalidInput
from vr.stager.config import DEVELOPMENT, parse_config

DOCUMENTED = """
logging:
  level: debug2
pid_filename: /tmp/staging-apps-in-cloudfoundry/stager/stager.pid
nats_uri: nats://127.0.0.1:4222
max_staging_duration: 120
max_active_tasks: 10
queues: ['staging']
secure: false
"""


def test_the_seeds_configuration_is_taken_as_it_is() -> None:
    config = parse_config(yaml.safe_load(DOCUMENTED), "stager.yml")
    assert (config.max_active_tasks, config.queues, config.secure) == (10, ("staging",), False)


def test_without_a_file_there_is_one_for_development() -> None:
    assert parse_config(DEVELOPMENT, "x").nats_uri == "nats://127.0.0.1:4222"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"nats_uri": None}, "nats_uri: is missing"),
        ({"nats_uri": "http://x"}, "nats_uri: must be of the form"),
        ({"logging": None}, "logging: is missing"),
        ({"logging": {"level": "chatty"}}, "logging.level: 'chatty' is none of"),
        ({"max_active_tasks": 0}, "max_active_tasks: must be at least 1"),
        ({"max_active_tasks": "ten"}, "max_active_tasks: "),
        ({"max_queued_tasks": -1}, "max_queued_tasks: must not be negative"),
        ({"queues": []}, "queues: must name at least one"),
        ({"queues": ["a b"]}, "queues: 'a b' is no NATS subject"),
        ({"queues": ["a.>"]}, "queues: 'a.>' is no NATS subject"),
        ({"users": {"first": 0}}, "users.first: must be at least 1000"),
    ],
)
def test_problems_are_named(changes: dict[str, object], problem: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_config(yaml.safe_load(DOCUMENTED) | changes, "stager.yml")
    assert any(each.startswith(problem) for each in caught.value.problems)
