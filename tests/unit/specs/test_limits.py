"""Limits: what each may be, and how they bound one another."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from vr.container.spec import DEFAULT_PIDS, DEFAULT_TMP_SIZE
from vr.specs.limits import DEFAULTS, LIMITS, limits_problems, parse_limits, with_defaults
from vr.specs.proc import ProcYaml
from vr.specs.sizes import show_size


def problems(**values: Any) -> list[str]:
    return [f"{name}: {sentence}" for name, sentence in limits_problems(values)]


def test_every_limit_is_a_key_of_proc_yaml() -> None:
    assert LIMITS.keys() <= {field.name for field in msgspec.structs.fields(ProcYaml)}


@pytest.mark.parametrize("limit", LIMITS.values(), ids=LIMITS)
def test_the_example_of_a_limit_can_be_set(limit: Any) -> None:
    convert = {"size": str, "number": float, "whole": int}[limit.kind]
    assert problems(**{limit.name: convert(limit.example)}) == []


def test_no_limit_is_no_problem() -> None:
    assert problems(mem_limit="", memsw_limit=None) == []


@pytest.mark.parametrize("size", ["4M", "1.5G", "1T", "64mb", "268435456"])
def test_sizes_are_read_as_people_write_them(size: str) -> None:
    assert problems(mem_limit=size) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"mem_limit": "lots"}, "mem_limit: 'lots' is no size"),
        ({"mem_limit": "1K"}, "mem_limit: 1K is too little"),
        ({"mem_limit": "9" * 400}, "larger than any disk"),
        ({"disk_limit": "1M"}, "disk_limit: 1M is too little"),
        ({"mem_limit": "1.5G", "memsw_limit": "1G"}, "memsw_limit: 1G is RAM and swap together"),
        ({"cpu_limit": 0}, "cpu_limit: 0 is out of range"),
        ({"cpu_limit": float("nan")}, "cpu_limit: nan is out of range"),
        ({"cpu_limit": "1"}, "cpu_limit: '1' is no number"),
        ({"pids_limit": 1}, "pids_limit: 1 is out of range"),
        ({"pids_limit": 4.5}, "pids_limit: 4.5 is no whole number"),
        ({"nofile": 2**40}, "nofile: 1.09951e+12 is out of range"),
    ],
)
def test_each_problem_names_its_limit(values: dict[str, Any], expected: str) -> None:
    (problem,) = problems(**values)
    assert expected in problem


def test_all_problems_are_told_at_once() -> None:
    assert len(problems(mem_limit="x", disk_limit="1M", pids_limit=0)) == 3


def test_limits_are_read_from_text_as_proc_yaml_has_them() -> None:
    assert parse_limits(" mem_limit=1G, cpu_limit=0.5,pids_limit=200 ") == {
        "mem_limit": "1G",
        "cpu_limit": 0.5,
        "pids_limit": 200,
    }
    assert parse_limits("") == {}


@pytest.mark.parametrize(
    "text", ["x=1", "mem_limit", "mem_limit=1G,mem_limit=2G", "pids_limit=1.5", "nofile=2"]
)
def test_text_that_no_limits_are_in_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_limits(text)


def test_memory_processes_and_cpus_are_bounded_by_default() -> None:
    assert {"mem_limit", "pids_limit", "cpu_limit", "tmp_size"} <= parse_limits(DEFAULTS).keys()


def test_what_is_set_comes_before_the_defaults() -> None:
    limits = with_defaults({"pids_limit": 5}, {"pids_limit": 9, "mem_limit": "1G"})
    assert limits == {"pids_limit": 5, "mem_limit": "1G"}


@pytest.mark.parametrize("own", [{"mem_limit": "64M"}, {"memsw_limit": "64M"}])
def test_no_default_contradicts_a_limit_of_memory(own: dict[str, str]) -> None:
    merged = with_defaults(own, {"mem_limit": "1G", "memsw_limit": "32M", "nofile": 99})
    assert merged == {**own, "nofile": 99}
    assert list(limits_problems(merged)) == []


@pytest.mark.parametrize(
    ("name", "least", "below"),
    [
        ("mem_limit", "4M", "4095K"),
        ("memsw_limit", "4M", "4095K"),
        ("disk_limit", "8M", "8191K"),
    ],
)
def test_sizes_have_a_least(name: str, least: str, below: str) -> None:
    assert problems(**{name: least}) == []
    told = f"{name}: {below} is too little for any process; at least {least} is expected"
    assert problems(**{name: below}) == [told]


@pytest.mark.parametrize(
    ("name", "least", "below", "most", "above", "expected"),
    [
        ("cpu_limit", 0.01, 0.009, 4096, 4097, "a number of CPUs from 0.01"),
        ("pids_limit", 4, 3, 2**31 - 1, 2**31, "a number of processes from 4 to 2147483647"),
        ("nofile", 16, 15, 2**31 - 1, 2**31, "a number of descriptors from 16 to 2147483647"),
    ],
)
def test_numbers_have_a_least_and_a_most(
    name: str, least: float, below: float, most: float, above: float, expected: str
) -> None:
    assert problems(**{name: least}) == problems(**{name: most}) == []
    for value in (below, above):
        told = f"{name}: {value:g} is out of range; {expected} is expected"
        assert problems(**{name: value}) == [told]
    assert problems(**{name: True}) == [f"{name}: True is no number"]


def test_tmp_may_be_of_no_size_at_all() -> None:
    assert problems(tmp_size="0") == []


def test_what_holds_without_a_limit_is_told_as_it_is() -> None:
    told = {name: limit.unset for name, limit in LIMITS.items()}
    assert told.pop("pids_limit") == str(DEFAULT_PIDS)
    assert told.pop("tmp_size") == show_size(DEFAULT_TMP_SIZE)
    assert told.pop("nofile") == "what the host allows"
    assert told.pop("disk_limit") == "VR_PROC_DISK"
    assert told.pop("log_limit") == "VR_LOG_MB and VR_LOG_BACKUPS"
    assert set(told.values()) == {"no limit"}


def test_ram_and_swap_together_may_be_as_much_as_ram() -> None:
    assert problems(mem_limit="64M", memsw_limit="64M") == []
    assert problems(mem_limit="64M", memsw_limit="63M") == [
        "memsw_limit: 63M is RAM and swap together, so it can't be less than mem_limit, 64M"
    ]
