"""proc.yaml: all that a runner needs to know of one proc (docs/reference/proc-yaml.md)."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from vr.errors import InvalidInput
from vr.specs.documents import load_mapping, to_struct
from vr.specs.env import env_problems, scalar_text, spell
from vr.specs.limits import LIMITS, limits_problems
from vr.specs.names import ProcName
from vr.specs.volumes import volume_problems

NOBODY = "nobody"
"""Who runs an app that asks for nobody else."""
# Below are the accounts of people and services, above what `container` gives to provisioning.
FIRST_HOST_UID, LAST_HOST_UID = 10_000, 0x7000_0000 - 1
_HOST_UIDS = f"a user id from {FIRST_HOST_UID} to {LAST_HOST_UID}"

DEFAULT_STOP_TIMEOUT = 10.0
DEFAULT_UPTEST_TIMEOUT = 60.0

_NAMING = frozenset(
    {"app_name", "version", "config_name", "release_hash", "proc_name", "proc", "cmd", "port"}
)
_CHECKSUMS = {"build_md5": 32, "image_md5": 32, "build_sha256": 64, "image_sha256": 64}
_SIZES = {"disk_watch", *(limit.name for limit in LIMITS.values() if limit.kind == "size")}
_NUMBERS = (
    "port",
    "host_uid",
    "stop_timeout",
    "uptest_timeout",
    *(key for key in LIMITS if key not in _SIZES),
)


class ProcYaml(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """One proc. Sizes are as written (`64M`), times in seconds, `cpu_limit` in CPUs.

    In `env` every value is text in YAML's spelling (`true`, `1.5`), or None for a variable that is
    not to be set. `extra` keeps the keys that we do not know.
    """

    app_name: str
    version: str
    config_name: str
    release_hash: str = ""
    proc_name: str | None = None
    cmd: str | None = None
    port: int | None = None
    host: str | None = None
    user: str | None = None
    host_uid: int | None = None
    group: str | None = None
    env: dict[str, str | None] = {}
    settings: dict[Any, Any] = {}
    build_url: str | None = None
    build_md5: str | None = None
    build_sha256: str | None = None
    image_url: str | None = None
    image_name: str | None = None
    image_md5: str | None = None
    image_sha256: str | None = None
    volumes: tuple[tuple[str, str], ...] = ()
    mem_limit: str | None = None
    memsw_limit: str | None = None
    cpu_limit: float | None = None
    pids_limit: int | None = None
    tmp_size: str | None = None
    disk_limit: str | None = None
    disk_watch: str | None = None
    log_limit: str | None = None
    nofile: int | None = None
    read_only: bool = False
    network: Literal["host", "private"] = "host"
    pilot: bool | str | dict[str, Any] | None = None
    stop_timeout: float = DEFAULT_STOP_TIMEOUT
    uptest_timeout: float = DEFAULT_UPTEST_TIMEOUT
    extra: dict[str, Any] = {}

    @property
    def name(self) -> ProcName:
        """The proc's name; without `proc_name` that part is `cmd`."""
        return ProcName(
            self.app_name,
            self.version,
            self.config_name,
            self.release_hash,
            self.proc_name or "cmd",
            self.port or 0,
        )

    def __repr__(self) -> str:
        # env and settings hold secrets, which must not reach a log by way of an error message.
        return f"<ProcYaml {self.name}>"


def load(path: Path) -> ProcYaml:
    """The proc in the file `path`; raises InvalidInput with all its problems."""
    return parse(load_mapping(path), str(path))


def load_name(path: Path) -> ProcName:
    """The name of the proc in the file `path`, be the rest of it valid or not.

    Raises InvalidInput with the problems of what makes the name.
    """
    mapping = load_mapping(path)
    return parse({key: mapping[key] for key in _NAMING & mapping.keys()}, str(path)).name


def parse(mapping: Mapping[str, Any], where: str) -> ProcYaml:
    """The proc in `mapping`; raises InvalidInput with all its problems."""
    known = {field.name for field in msgspec.structs.fields(ProcYaml)} - {"extra"}
    values = {key: value for key, value in mapping.items() if key in known}
    values["extra"] = {key: value for key, value in mapping.items() if key not in known}
    if values.get("proc_name") is None:
        values["proc_name"] = mapping.get("proc")  # the old name of the key
    _ease_sizes(values)
    problems = [
        *_ease_numbers(values),
        *_spell_env(values),
        *_known_network(values),
    ]
    proc: ProcYaml | None = None
    try:
        proc = to_struct(ProcYaml, values, where)
    except InvalidInput as error:
        problems = [*error.problems, *problems]
    problems += _contradictions(values if proc is None else msgspec.structs.asdict(proc), where)
    if proc is None or problems:
        raise InvalidInput(where, problems)
    return proc


def dump(proc: ProcYaml) -> str:
    """The proc as YAML text that `parse` reads back; what is not set is left out."""
    values = msgspec.structs.asdict(proc)
    extra = values.pop("extra")
    defaults = {
        field.name: field.default_factory() if field.default is msgspec.NODEFAULT else field.default
        for field in msgspec.structs.fields(ProcYaml)
        if not field.required
    }
    kept = {key: value for key, value in values.items() if value != defaults.get(key, object())}
    if proc.volumes:
        kept["volumes"] = [list(pair) for pair in proc.volumes]
    text: str = yaml.safe_dump({**kept, **extra}, sort_keys=False, allow_unicode=True)
    return text


def _ease_numbers(values: dict[str, Any]) -> Iterator[str]:
    """Numbers may be written in quotes, as files of the original sometimes did."""
    for key in _NUMBERS:
        if isinstance(values.get(key), str):
            try:
                number = float(values[key])
            except ValueError:
                yield f"{key}: {values.pop(key)!r} is no number"
                continue
            values[key] = int(number) if number.is_integer() else number
        if isinstance(values.get(key), bool):
            yield f"{key}: {scalar_text(values.pop(key))!r} is no number"


def _ease_sizes(values: dict[str, Any]) -> None:
    """Sizes may be plain numbers of bytes."""
    for key in _SIZES:
        if isinstance(values.get(key), int) and not isinstance(values[key], bool):
            values[key] = str(values[key])


def _known_network(values: dict[str, Any]) -> Iterator[str]:
    if values.get("network") not in (None, "host", "private"):
        yield f"network: {values.pop('network')!r} is not known; host or private is expected"


def _spell_env(values: dict[str, Any]) -> Iterator[str]:
    env = values.get("env")
    if isinstance(env, dict):
        yield from (f"env: {problem}" for problem in env_problems(env))
        values["env"] = spell(env)


def _contradictions(values: Mapping[str, Any], where: str) -> Iterator[str]:
    """What is wrong with values of the right types."""
    yield from _name_problems(values, where)
    if not values.get("proc_name") and not values.get("cmd"):
        yield "proc_name: is missing; either it or cmd is needed"
    if bool(values.get("image_url")) != bool(values.get("image_name")):
        missing = "image_name" if values.get("image_url") else "image_url"
        yield f"{missing}: is missing; an image needs both image_url and image_name"
    if values.get("build_url") and not values.get("user"):
        yield "user: is missing; the account that owns the build's files is needed"
    if values.get("host_uid") is not None and values.get("user") not in (None, NOBODY):
        yield f"host_uid: is for the user {NOBODY}; {values['user']!r} has a user id of its own"
    for key, digits in _CHECKSUMS.items():
        checksum = values.get(key)
        if isinstance(checksum, str) and not re.fullmatch(rf"([0-9a-fA-F]{{{digits}}})?", checksum):
            kind = key.rpartition("_")[2].upper()
            yield f"{key}: {checksum!r} is no {kind}; {digits} hexadecimal digits are expected"
    yield from _range_problems(values)
    # A limit of the wrong type is the struct's to name.
    limits = {key: value for key, value in values.items() if _is_readable(key, value)}
    yield from (f"{key}: {problem}" for key, problem in limits_problems(limits))
    if _is_readable("disk_watch", watched := values.get("disk_watch")):
        found = limits_problems({"disk_limit": watched})
        yield from (f"disk_watch: {problem}" for _key, problem in found)
    with contextlib.suppress(msgspec.ValidationError):
        pairs = msgspec.convert(values.get("volumes") or [], list[tuple[str, str]])
        yield from (f"volumes: {problem}" for problem in volume_problems(pairs))


def _is_readable(key: str, value: Any) -> bool:
    if key in _SIZES:
        return isinstance(value, str) and bool(value)
    return key in LIMITS and isinstance(value, int | float)


def _name_problems(values: Mapping[str, Any], where: str) -> Iterator[str]:
    keys = ("app_name", "version", "config_name", "release_hash", "proc_name")
    parts = [values.get(key) for key in keys]
    defaults = ["app", "v", "config", "", "cmd"]
    app, version, config, hash_, proc = (
        part if isinstance(part, str) and part else default
        for part, default in zip(parts, defaults, strict=True)
    )
    try:
        ProcName.checked(app, version, config, hash_, proc, 0, where=where)
    except InvalidInput as error:
        yield from error.problems


def _range_problems(values: Mapping[str, Any]) -> Iterator[str]:
    rules: dict[str, tuple[Callable[[float], bool], str]] = {
        "host_uid": (lambda n: FIRST_HOST_UID <= n <= LAST_HOST_UID, _HOST_UIDS),
        "port": (lambda n: 0 <= n <= 65535, "a port from 0 to 65535"),
        "stop_timeout": (lambda n: 0 <= n <= 3600, "seconds from 0 to 3600"),
        "uptest_timeout": (lambda n: 0 < n <= 3600, "seconds up to 3600"),
    }
    for key, (fits, expected) in rules.items():
        value = values.get(key)
        if isinstance(value, int | float) and not fits(value):
            yield f"{key}: {value:g} is out of range; {expected} is expected"
