"""What a machine is, understood and judged."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from vr.errors import VelociraptorError
from vr.hosts.preparing import facts
from vr.hosts.preparing.facts import Facts

DEBIAN = """\
system=debian 12
uid=0
machine=x86_64
python=3 11 2
venv=yes
apt=/usr/bin/apt-get
systemd=yes
release=releases/4.2.0-abc
missing=lxc
missing=zstd
"""
GOOD = facts.parse(DEBIAN)


def test_lines_become_facts() -> None:
    assert (
        Facts(
            system="debian 12",
            uid=0,
            machine="x86_64",
            python=(3, 11, 2),
            has_venv=True,
            has_apt=True,
            has_systemd=True,
            release="4.2.0-abc",
            missing=("lxc", "zstd"),
        )
        == GOOD
    )
    assert GOOD.minor == "3.11"


def test_this_machine_tells_its_own() -> None:
    told = subprocess.run(["sh", "-c", facts.LOOK], capture_output=True, text=True, check=True)
    found = facts.parse(told.stdout)
    assert found.uid == 0
    assert found.python[0] == 3
    assert "lxc" not in found.missing


def test_a_good_machine_may_lack_packages() -> None:
    facts.check("web1", GOOD)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"python": ()}, "no python3"),
        ({"python": (3, 10, 12), "system": "ubuntu 22.04"}, "3.11 is the oldest"),
        ({"has_venv": False}, "lacks the module venv"),
        ({"machine": "armv7l"}, "armv7l"),
        ({"has_apt": False}, "no apt-get"),
    ],
)
def test_others_are_refused_with_what_to_do(change: dict[str, object], said: str) -> None:
    with pytest.raises(VelociraptorError, match=said) as error:
        facts.check("web1", replace(GOOD, **change))
    assert "Nothing was changed" in error.value.hint


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(VelociraptorError) as error:
        facts.check("web1", replace(GOOD, python=(3, 9, 0), machine="mips"))
    assert "3.9" in error.value.message and "mips" in error.value.message
