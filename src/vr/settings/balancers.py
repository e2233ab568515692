"""The balancers that a server knows, from their file: all of it is checked when it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from vr.balancer import loader
from vr.errors import InvalidInput
from vr.hosts.connect import ThisMachine, connect_from_settings
from vr.settings.readers import Reader

Balancers = dict[str, dict[str, Any]]

NONE: Balancers = {"default": {"BACKEND": "vr.balancer.dummy.DummyBalancer"}}


def read_balancers(path: str) -> Balancers:
    """What BALANCERS says in the YAML file at `path`, or the whole file without that key.

    Raises InvalidInput with every problem of the file's form; the balancers themselves are for
    `balancer_problems`.
    """
    try:
        loaded = yaml.safe_load(Path(path).read_text()) or {}
    except OSError as error:
        raise InvalidInput(path, [f"can't be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise InvalidInput(path, ["is not text in UTF-8"]) from None
    except yaml.YAMLError as error:
        raise InvalidInput(path, [_yaml_problem(error)]) from None
    entries = loaded.get("BALANCERS", loaded) if isinstance(loaded, dict) else loaded
    if not isinstance(entries, dict):
        raise InvalidInput(path, ["BALANCERS: expected a mapping of names to balancers"])
    problems = [problem for name in entries for problem in _entry_problems(name, entries[name])]
    if problems:
        raise InvalidInput(path, problems)
    return entries


def balancer_problems(entries: Balancers, here: ThisMachine) -> list[str]:
    """Why balancers can't be made; `here` is the machine that reaches their hosts.

    Each is made once, so that a BACKEND that can't be loaded, doesn't take its settings or has
    hosts that can't be reached is found. Nothing connects.
    """
    return [problem for name in entries for problem in _made_problems(name, entries, here)]


def _entry_problems(name: object, entry: object) -> list[str]:
    if not isinstance(name, str):
        return [f"BALANCERS: the name {name!r} is not text; quote it"]
    if not isinstance(entry, dict):
        return [f"BALANCERS, {name}: expected a mapping with BACKEND and its settings"]
    return []


def _made_problems(name: str, entries: Balancers, here: ThisMachine) -> list[str]:
    try:
        loader.load(name, entries, lambda host: connect_from_settings(host, here))
    except InvalidInput as error:
        return [f"BALANCERS, {name}: {problem}" for problem in error.problems]
    except Exception as error:  # a BACKEND may be anybody's code
        return [f"BALANCERS, {name}: {type(error).__name__}: {error}"]
    return []


def _yaml_problem(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return f"is not YAML{where}: {getattr(error, 'problem', None) or 'it can not be read'}"


BALANCERS = Reader("a YAML file with BALANCERS", read_balancers)
