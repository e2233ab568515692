"""Limits of a proc: the one table of them, and what each may be.

proc.yaml, the server's models and forms, the API and the options of `vr` are all made from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vr.specs.sizes import parse_size

Kind = Literal["size", "number", "whole"]


@dataclass(frozen=True)
class Limit:
    """A key of proc.yaml that bounds what a proc may use.

    A `size` is text such as 64M, a `number` may have a fraction, a `whole` one may not. `least`
    and `most` are bytes of a size, else the number itself; `expected` says both in words.
    `unset` is what holds without it; `example` is what a form suggests.
    """

    name: str
    kind: Kind
    label: str
    help: str
    unset: str
    example: str
    least: float
    expected: str
    most: float = float("inf")


_TABLE = (
    Limit(
        name="mem_limit",
        kind="size",
        label="Memory limit",
        help="Memory of one proc, such as 256M or 1G.",
        unset="no limit",
        example="512M",
        least=4 << 20,
        expected="at least 4M",
    ),
    Limit(
        name="memsw_limit",
        kind="size",
        label="Memory + swap",
        help="Memory and swap of one proc together, such as 1G.",
        unset="no limit",
        example="1G",
        least=4 << 20,
        expected="at least 4M",
    ),
    Limit(
        name="cpu_limit",
        kind="number",
        label="CPUs",
        help="CPUs of one proc, such as 0.5 or 2.",
        unset="no limit",
        example="1.5",
        least=0.01,
        most=4096,
        expected="a number of CPUs from 0.01",
    ),
    Limit(
        name="pids_limit",
        kind="whole",
        label="Processes",
        help="Processes and threads of one proc, such as 200.",
        unset="1024",
        example="200",
        least=4,
        most=2**31 - 1,
        expected="a number of processes from 4 to 2147483647",
    ),
    Limit(
        name="disk_limit",
        kind="size",
        label="Disk limit",
        help="What one proc may write outside its volumes, such as 512M.",
        unset="VR_PROC_DISK",
        example="512M",
        least=8 << 20,
        expected="at least 8M",
    ),
    Limit(
        name="tmp_size",
        kind="size",
        label="Space in /tmp",
        help="The size of one proc's /tmp, such as 64M.",
        unset="64M",
        example="64M",
        least=0,
        expected="a size",
    ),
    Limit(
        name="log_limit",
        kind="size",
        label="Log",
        help="How much is kept of one proc's log, with what was rotated, such as 100M.",
        unset="VR_LOG_MB and VR_LOG_BACKUPS",
        example="100M",
        least=1 << 20,
        expected="at least 1M",
    ),
    Limit(
        name="nofile",
        kind="whole",
        label="Open files",
        help="Open files of each process, such as 4096.",
        unset="what the host allows",
        example="4096",
        least=16,
        most=2**31 - 1,
        expected="a number of descriptors from 16 to 2147483647",
    ),
)
LIMITS: dict[str, Limit] = {one.name: one for one in _TABLE}

_MEMORY = {"mem_limit", "memsw_limit"}
DEFAULTS = "mem_limit=1G,memsw_limit=1G,cpu_limit=2,pids_limit=512,tmp_size=64M"
"""What holds for the procs of a server that sets no limits, as `parse_limits` reads it."""
DISK_WATCH = "4G"
"""What a proc without a `disk_limit` may write; its host looks how much that is."""
BUILD_DEFAULTS = "mem_limit=4G,memsw_limit=4G,cpu_limit=4,pids_limit=2048,disk_limit=20G"
"""What holds for builds, and for scripts that make images, as `parse_limits_or_none` reads it."""
BUILD_SECONDS, FETCH_SECONDS = 3600.0, 600.0
"""How long either may take."""


def limits_problems(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with the limits among `values`: (name, sentence) of each problem.

    Sizes are text, the others numbers; None and empty text mean that there is no such limit.
    """
    sizes: dict[str, int] = {}
    for name, limit in LIMITS.items():
        value = values.get(name)
        if value is None or value == "":
            continue
        if limit.kind != "size":
            yield from ((name, one) for one in _number_problems(limit, value))
            continue
        try:
            sizes[name] = parse_size(str(value))
        except ValueError as error:
            yield name, str(error)
            continue
        if sizes[name] < limit.least:
            yield name, f"{value} is too little for any process; {limit.expected} is expected"
    memory, both = sizes.get("mem_limit"), sizes.get("memsw_limit")
    if memory and both and both < memory:
        sentence = (
            f"{values['memsw_limit']} is RAM and swap together, "
            f"so it can't be less than mem_limit, {values['mem_limit']}"
        )
        yield "memsw_limit", sentence


def parse_limits(text: str) -> dict[str, Any]:
    """Limits from a text such as `mem_limit=1G,cpu_limit=2`, typed as in proc.yaml.

    Raises ValueError for a limit that there is none of, or that may not be what it is.
    """
    found: dict[str, Any] = {}
    for pair in filter(None, (word.strip() for word in text.split(","))):
        name, _, value = (part.strip() for part in pair.partition("="))
        if name not in LIMITS or name in found or not value:
            raise ValueError(f"{pair!r} is no limit")
        kind = LIMITS[name].kind
        found[name] = value if kind == "size" else int(value) if kind == "whole" else float(value)
    if problems := [sentence for _name, sentence in limits_problems(found)]:
        raise ValueError(problems[0])
    return found


def parse_limits_or_none(text: str) -> dict[str, Any]:
    """As `parse_limits`, but `none` is for none."""
    return {} if text.strip() == "none" else parse_limits(text)


def with_defaults(limits: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """`limits` with the `defaults` of those that are not set.

    Memory with and without swap are one: who sets either gets no default of the other, which
    could contradict it.
    """
    memory = set() if _MEMORY.isdisjoint(limits) else _MEMORY
    return {**{name: one for name, one in defaults.items() if name not in memory}, **limits}


def _number_problems(limit: Limit, value: Any) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield f"{value!r} is no number"
    elif limit.kind == "whole" and not isinstance(value, int):
        yield f"{value:g} is no whole number"
    elif not limit.least <= value <= limit.most:
        yield f"{value:g} is out of range; {limit.expected} is expected"
