"""build.yaml and build_result.yaml (docs/reference/build-yaml.md)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from vr.specs.documents import load_mapping, parse_mapping, to_struct
from vr.specs.env import name_problem, spelled_env
from vr.specs.names import part_problem, tag_problem

# What published buildpacks expect to run on, unless the stack says otherwise.
HEROKU_STACK = "heroku-24"


class BuildSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What to build, in which image, with which buildpacks.

    `revision` is the full hash of the commit, where `version` may have moved on.
    `buildpack_url` wins over `buildpack_urls`, which are tried in order; with neither, the
    bundled buildpacks are. `env` holds build-time variables for the buildpack's ENV_DIR.
    """

    app_name: str
    app_repo_url: str
    app_repo_type: Literal["git", "hg"]
    version: str
    revision: str = ""
    buildpack_url: str | None = None
    buildpack_urls: tuple[str, ...] = ()
    image_url: str | None = None
    image_name: str | None = None
    image_md5: str | None = None
    heroku_stack: str = HEROKU_STACK
    env: dict[str, str] = {}


class BuildResult(BuildSpec, frozen=True, kw_only=True):
    """A finished build: the spec with what was really used; can be built again.

    `buildpack_url` ends in `#revision`; `revision` is what was built;
    `release_data` is what the buildpack's `bin/release` said; `process_types` are the Procfile's
    commands and, for names that it lacks, the buildpack's defaults.
    """

    buildpack_version: str
    build_md5: str
    release_data: dict[str, Any] = {}
    process_types: dict[str, str] = {}


def load_spec(path: Path) -> BuildSpec:
    """The spec in the file `path`; raises InvalidInput with all its problems."""
    return parse_spec(load_mapping(path), str(path))


def parse_spec(mapping: Mapping[str, Any], where: str) -> BuildSpec:
    """The spec in `mapping`; raises InvalidInput with all its problems."""
    return to_struct(BuildSpec, spelled_env(mapping), where, extra=_problems(mapping))


def parse_result(text: bytes | str, where: str) -> BuildResult:
    """The result in the YAML `text`; raises InvalidInput with all its problems."""
    mapping = parse_mapping(text, where)
    return to_struct(BuildResult, spelled_env(mapping), where, extra=_problems(mapping))


def dump_result(result: BuildResult) -> str:
    """build_result.yaml: keys in the order of the struct, those without value left out."""
    values = msgspec.to_builtins(result)
    kept = {key: value for key, value in values.items() if value not in (None, [], {}, ())}
    text: str = yaml.safe_dump(kept, sort_keys=False, allow_unicode=True, width=1000)
    return text


def _problems(mapping: Mapping[str, Any]) -> list[str]:
    """What the types of the struct can't say."""
    found: list[str | None] = []
    if isinstance(name := mapping.get("app_name"), str):
        found.append(part_problem("app_name", name))
    if isinstance(version := mapping.get("version"), str):
        found.append(tag_problem("version", version))
    if isinstance(url := mapping.get("app_repo_url"), str):
        found.append(_url_problem("app_repo_url", url))
    if mapping.get("image_url") and not mapping.get("image_name"):
        found.append("image_name: is missing, but image_url is given")
    if isinstance(name := mapping.get("image_name"), str) and ("/" in name or name in {".", ".."}):
        found.append(f"image_name: {name!r} can't be the name of a folder")
    if isinstance(env := mapping.get("env"), dict):
        found += [f"env: {problem}" for name in env if (problem := name_problem(name))]
    return [problem for problem in found if problem]


def _url_problem(key: str, url: str) -> str | None:
    if not url.strip():
        return f"{key}: is empty, but a repository's URL or path is expected"
    if url.startswith("-") or not url.isprintable():
        return f"{key}: {url!r} is no repository's URL or path"
    return None
