"""The balancers' file: its structure, and that every balancer can be made of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from vr.errors import InvalidInput
from vr.hosts.connect import ThisMachine
from vr.paths import Root
from vr.settings.balancers import balancer_problems, read_balancers

HERE = ThisMachine("web1", Root(Path("/apps")), "unix:///none.sock", Path("/usr/bin"))
DUMMY = "{BACKEND: vr.balancer.dummy.DummyBalancer}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "balancers.yaml"


def problems_of(file: Path, text: str) -> list[str]:
    file.write_text(text)
    with pytest.raises(InvalidInput) as caught:
        read_balancers(str(file))
    assert caught.value.where == str(file)
    return caught.value.problems


@pytest.mark.parametrize("text", [f"BALANCERS: {{a: {DUMMY}}}", f"a: {DUMMY}"])
def test_balancers_stand_below_their_key_or_alone(file: Path, text: str) -> None:
    file.write_text(text)
    assert list(read_balancers(str(file))) == ["a"]


def test_an_empty_file_is_no_balancer(file: Path) -> None:
    file.write_text("# none yet\n")
    assert read_balancers(str(file)) == {}


def test_what_is_no_yaml_is_told_with_its_place(file: Path) -> None:
    [problem] = problems_of(file, "BALANCERS: [a\nb: c")
    assert problem.startswith("is not YAML in line 2")


@pytest.mark.parametrize("text", ["just words", "- a\n- b", "BALANCERS: [a]", "BALANCERS: x"])
def test_another_structure_says_what_is_expected(file: Path, text: str) -> None:
    [problem] = problems_of(file, text)
    assert "expected a mapping of names to balancers" in problem


def test_every_entry_that_is_none_is_named(file: Path) -> None:
    found = problems_of(file, f"good: {DUMMY}\n1: {DUMMY}\nflat: 3\n")
    assert "the name 1 is not text" in found[0]
    assert found[1].startswith("BALANCERS, flat: expected a mapping")
    assert len(found) == 2


def test_every_balancer_that_cannot_be_made_is_named(file: Path) -> None:
    file.write_text(f"""
        good: {DUMMY}
        bare: {{}}
        gone: {{BACKEND: vr.balancer.gone.Gone}}
        other: {{BACKEND: pathlib.Path}}
        far: {{BACKEND: vr.balancer.nginx.NginxBalancer, hosts: [far], pid_file: 3}}
        odd: {{BACKEND: vr.balancer.nginx.NginxBalancer, hosts: far}}
        here: {{BACKEND: vr.balancer.nginx.NginxBalancer, hosts: [localhost, web1]}}
    """)
    found = balancer_problems(read_balancers(str(file)), HERE)
    for name, what in (
        ("bare", "BACKEND: is None"),
        ("gone", "can't be loaded"),
        ("other", "is no balancer"),
        ("far", "far is another machine"),
        ("far", "pid_file"),
        ("odd", "hosts: is 'far'"),
    ):
        assert any(one.startswith(f"BALANCERS, {name}: ") and what in one for one in found), name
    assert len(found) == 6


def test_a_file_in_another_encoding_is_told(file: Path) -> None:
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidInput, match="not text in UTF-8"):
        read_balancers(str(file))
