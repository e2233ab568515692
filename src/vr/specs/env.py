"""Environments of procs: which names and values can be set, and how values are spelled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def env_problems(env: Mapping[Any, Any]) -> list[str]:
    """What is wrong with the variables, one sentence each. Values are never told."""
    return [problem for name, value in env.items() if (problem := _problem(name, value))]


def spell(env: Mapping[Any, Any]) -> dict[str, str | None]:
    """The variables that can be set, as text in YAML's spelling; None is not to be set."""
    return {
        name: None if value is None else scalar_text(value)
        for name, value in env.items()
        if not _problem(name, value)
    }


def scalar_text(value: Any) -> str:
    """A YAML scalar as YAML spells it: true, 1.5, 2024-01-31."""
    if isinstance(value, str):
        return value
    text: str = yaml.safe_dump(value, default_flow_style=True, width=float("inf"))
    return text.removesuffix("...\n").rstrip("\n")


def spelled_env(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """`mapping` with the scalars of its `env` as text in YAML's spelling; null is left out."""
    env = mapping.get("env")
    if not isinstance(env, dict):
        return dict(mapping)
    scalars = (str, int, float, bool)
    spelled = {
        name: scalar_text(value) if isinstance(value, scalars) else value
        for name, value in env.items()
        if value is not None
    }
    return {**mapping, "env": spelled}


def name_problem(name: Any) -> str | None:
    """Why `name` can't be the name of a variable, as a sentence; None if it can."""
    if isinstance(name, str) and _IDENTIFIER.fullmatch(name):
        return None
    return (
        f"{name!r} can't be the name of a variable; "
        "letters, digits and underscores are allowed, not beginning with a digit"
    )


def _problem(name: Any, value: Any) -> str | None:
    if problem := name_problem(name):
        return problem
    if isinstance(value, dict | list | bytes | set):
        return f"{name} is a {type(value).__name__}; text, a number or true/false is needed"
    if isinstance(value, str) and "\0" in value:
        return f"{name} holds a NUL character, which no environment can hold"
    return None
