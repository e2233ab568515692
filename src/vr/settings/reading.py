"""From an environment to `Settings`: every wrong variable is named at once."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from vr.errors import InvalidInput, VelociraptorError, explain
from vr.hosts.connect import ThisMachine
from vr.paths import Root
from vr.settings.balancers import balancer_problems
from vr.settings.s3 import S3Address, s3_problems
from vr.settings.setting import Process, Setting
from vr.settings.table import TABLE, Settings

S = TypeVar("S", bound=Settings)
# How like a known variable an unknown one must be to count as a slip: 1 is the same.
_LIKENESS = 0.8
_BY_VARIABLE = {row.variable: row for row in TABLE.values()}
_KNOWN = {name: name.removeprefix("VR_") for row in TABLE.values() for name in row.variables}


def settings_or_exit(env: Mapping[str, str]) -> Settings:
    """The server's settings; else the problems go to stderr, and the process ends with code 2.

    For the one place where all of the server's processes read them. It ends the process, as the
    programs that import it (Celery, uvicorn, Django) show a traceback of any other exception.
    """
    try:
        return checked(*read(env, Process.SERVER))
    except VelociraptorError as error:
        print(explain(error), file=sys.stderr)
        raise SystemExit(error.exit_code) from None


def checked(settings: S, problems: list[str]) -> S:
    """`settings`, if there are no problems; else raises InvalidInput with them."""
    if problems:
        raise InvalidInput("environment", problems)
    return settings


def read(env: Mapping[str, str], process: Process) -> tuple[Settings, list[str]]:
    """What `process` is told by these variables, and all that is wrong with them.

    A variable that is empty counts as not given. What is wrong, and what other processes read,
    has its default, so that the caller can look for further problems. Reads the files that
    variables name.
    """
    problems = [*_slips(env)]
    values: dict[str, Any] = {}
    for name, row in TABLE.items():
        is_read = process in row.read_by
        values[name], its_problems = _value(row, env if is_read else {})
        problems += its_problems
    if process is Process.SERVER:
        if not values["default_balancer"]:
            values["default_balancer"] = next(iter(values["balancers"]), "")
        problems += _server_problems(env, values, problems)
    return Settings(**values), problems


def _value(row: Setting, env: Mapping[str, str]) -> tuple[Any, list[str]]:
    """The value, and what is wrong with it; then it is the default."""
    problems: list[str] = []
    try:
        if row.file_reader and (path := env.get(row.file_variable)):
            return row.file_reader.parse(_content(path)), []
        if text := env.get(row.variable):
            return row.reader.parse(text), []
    except InvalidInput as error:
        problems = [f"{row.variable}: {error.where}: {each}" for each in error.problems]
    except _Unreadable as error:
        problems = [f"{row.file_variable}: {error}"]
    except ValueError:
        problems = [_not_as_expected(row, env)]
    try:
        return row.reader.parse(_default(row, env)), problems
    except ValueError:
        # It follows from another variable, which is wrong itself and was named for that.
        return row.reader.parse(_default(row, {})), problems


class _Unreadable(Exception):
    """The file that a variable names can't be read."""


def _content(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except (OSError, ValueError) as error:
        if not Path(path).is_absolute():
            # Perhaps it is the secret itself, which must not be shown.
            raise _Unreadable("expected the absolute path of a file") from None
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise _Unreadable(f"{path!r} can't be read: {reason}") from None


def _not_as_expected(row: Setting, env: Mapping[str, str]) -> str:
    if row.file_reader and (path := env.get(row.file_variable)):
        return f"{row.file_variable}: {path!r} holds something else than {row.file_reader.expected}"
    if row.is_hidden:
        return f"{row.variable}: expected {row.reader.expected}"
    # Addresses may hold a user and password where nobody expects them.
    shown = re.sub(r"^.*@", "…@", env[row.variable])
    return f"{row.variable}: is {shown!r}, expected {row.reader.expected}"


def _default(row: Setting, env: Mapping[str, str]) -> str:
    def text_of(match: re.Match[str]) -> str:
        other = _BY_VARIABLE[match[1]]
        return _given(other, env) or _default(other, env)

    return re.sub(r"\{(VR_\w+)\}", text_of, row.default)


def _slips(env: Mapping[str, str]) -> Iterator[str]:
    """Variables that nobody reads and whose names are nearly those of known ones."""
    for name in sorted(env):
        if not name.startswith("VR_") or name in _KNOWN:
            continue
        stem = name.removeprefix("VR_")
        for near in difflib.get_close_matches(stem, _KNOWN.values(), n=1, cutoff=_LIKENESS):
            yield f"{name}: nothing reads it; did you mean VR_{near}?"


def _server_problems(
    env: Mapping[str, str], values: Mapping[str, Any], found: list[str]
) -> Iterator[str]:
    """What is wrong with settings of the server that depend on each other."""
    name, known = values["default_balancer"], values["balancers"]
    has_balancers = not any(problem.startswith("VR_BALANCERS_FILE") for problem in found)
    if has_balancers:
        here = ThisMachine(
            values["local_host"], Root(values["root"]), values["supervisor_url"], values["tools"]
        )
        path = env.get("VR_BALANCERS_FILE")
        for problem in balancer_problems(known, here):
            yield f"VR_BALANCERS_FILE: {path}: {problem}"
    if has_balancers and name and name not in known:
        yield (
            f"VR_DEFAULT_BALANCER: is {name!r}, expected a balancer of VR_BALANCERS_FILE: "
            f"{', '.join(sorted(known)) or 'there is none'}"
        )
    yield from s3_problems(
        S3Address(
            *(values[f"s3_{name}"] for name in ("bucket", "endpoint", "region")),
            *(values[f"s3_{name}"] for name in ("access_key", "secret_key")),
        )
    )
    if values["builder"] == "nats" and not (env.get("VR_FARM_URL") or env.get("VR_FILES_BASE_URL")):
        yield (
            "VR_FARM_URL: is not given, expected with VR_BUILDER=nats the address at which "
            "stagers reach this server"
        )


def _given(row: Setting, env: Mapping[str, str]) -> str:
    """The text that the variable, or the file that it names, has; empty if there is none."""
    if row.file_reader and (path := env.get(row.file_variable)):
        try:
            return _content(path)
        except _Unreadable:
            return ""
    return env.get(row.variable, "")
