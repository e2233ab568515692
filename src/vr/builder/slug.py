"""From the compiled app to the slug: what is left out, what it runs, the tarball."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vr.builder import slugignore
from vr.builder.untrusted import read_text
from vr.errors import InvalidInput
from vr.specs import procfile
from vr.specs.env import env_problems, scalar_text
from vr.specs.yaml_reader import BadYaml, read_yaml

_REPOSITORIES = {".git", ".hg"}


def parse_release(text: str) -> dict[str, Any]:
    """What `bin/release` said (docs/reference/buildpack.md#binrelease); nothing at all is `{}`.

    Values of `config_vars` are text as it was typed. Raises InvalidInput, also for variables
    that no host could set.
    """
    where = "the output of the buildpack's bin/release"
    try:
        data = read_yaml(text, as_typed=[("config_vars",), ("default_process_types",)])
    except BadYaml as error:
        raise InvalidInput(where, [f"is not valid YAML: {error}"]) from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise InvalidInput(where, [f"must be a mapping, but is a {type(data).__name__}"])
    if isinstance(env := data.get("config_vars"), dict) and (problems := env_problems(env)):
        raise InvalidInput(where, [f"config_vars: {problem}" for problem in problems])
    known: dict[str, Any] = {}
    for key in ("config_vars", "default_process_types"):
        if isinstance(values := data.get(key), dict):
            known[key] = {
                str(name): scalar_text(value) for name, value in values.items() if value is not None
            }
    return {**{str(key): value for key, value in data.items() if value}, **known}


def process_types(app: Path, release: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """Commands by name, the Procfile's before the buildpack's defaults, and warnings.

    Raises InvalidInput with every line of the Procfile that is wrong.
    """
    parsed = procfile.parse(read_text(app / "Procfile") or "")
    if parsed.problems:
        raise InvalidInput("Procfile", parsed.problems)
    defaults: dict[str, str] = release.get("default_process_types") or {}
    commands = {**defaults, **parsed.commands}
    warnings = list(parsed.warnings)
    if not commands:
        warnings.append("no process types: add a Procfile, or give each swarm a command")
    return commands, warnings


def clean(app: Path) -> int:
    """Remove repositories at any depth and what .slugignore names; returns how many entries.

    After compiling, so that build-only files can be left out too.
    """
    patterns = slugignore.parse(read_text(app / ".slugignore") or "")
    removed = slugignore.remove_ignored(app, patterns)
    for folder in _repositories(app):
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder)
        else:
            folder.unlink()
    return len(removed)


def _repositories(app: Path) -> list[Path]:
    # Submodules and editable installs have theirs further down.
    found = []
    for folder, folders, files in os.walk(app):
        found += [Path(folder, name) for name in (*folders, *files) if name in _REPOSITORIES]
        folders[:] = [name for name in folders if name not in _REPOSITORIES]
    return found
