"""Room: what is reserved, who is offered what is left."""

from __future__ import annotations

import pytest

from vr.dea.config import parse_config
from vr.dea.instance import Instance
from vr.dea.messages import StartMessage, parse_start
from vr.dea.registry import Registry
from vr.errors import VelociraptorError


def message(mem: int = 100) -> StartMessage:
    return parse_start(
        {"droplet": "d", "sha1": "a" * 40, "executableUri": "x", "limits": {"mem": mem}}
    )


def registry() -> Registry:
    values = {"nats_uri": "nats://x", "runtimes": [], "max_memory": 250, "max_instances": 3}
    return Registry(parse_config(values, "dea.yml"))


def add(rooms: Registry, name: str) -> Instance:
    instance = Instance(name, message(), rooms.free_user(), "h")
    rooms.instances[name] = instance
    return instance


def test_memory_is_reserved_until_an_instance_is_gone() -> None:
    rooms = registry()
    first, second = add(rooms, "a"), add(rooms, "b")
    assert rooms.available_memory == 50
    first.become("STOPPED")
    assert rooms.available_memory == 50
    second.become("CRASHED")
    assert rooms.available_memory == 150


def test_no_two_instances_share_a_user() -> None:
    rooms = registry()
    assert [add(rooms, name).uid for name in "abc"] == [24001, 24002, 24003]
    del rooms.instances["b"]
    assert rooms.free_user() == 24002


@pytest.mark.parametrize(
    ("mem", "disk", "complaint"),
    [(300, 0.0, "300 MB are wanted"), (1, 96.0, "96 % full")],
)
def test_there_is_no_room(mem: int, disk: float, complaint: str) -> None:
    with pytest.raises(VelociraptorError, match=complaint):
        registry().check_room(message(mem), disk)


def test_the_emptiest_answers_first() -> None:
    rooms = registry()
    assert rooms.discover_delay("d") == 0
    add(rooms, "a")
    assert rooms.discover_delay("d") == pytest.approx(0.05)
    for name in "bc":
        add(rooms, name)
    assert rooms.discover_delay("other") < rooms.discover_delay("d") <= 0.25
