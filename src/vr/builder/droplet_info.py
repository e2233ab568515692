"""staging_info.yml: what a droplet says of itself (docs/reference/droplet.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from vr.errors import InvalidInput
from vr.specs.documents import parse_mapping, to_struct

INFO_FILE = "staging_info.yml"
BUILDPACK, VBUILD = "buildpack", "vbuild"
"""The frameworks of droplets that a buildpack made: as a stager, and exactly as vbuild runs it."""

_TEXTS = tuple(("build", "release_data", key) for key in ("config_vars", "default_process_types"))
_RUNTIME = re.compile(r"[A-Za-z][A-Za-z0-9._+-]{0,63}")


Url = Annotated[str, msgspec.Meta(max_length=300)]
Version = Annotated[str, msgspec.Meta(max_length=64)]


class _Release(msgspec.Struct, frozen=True):
    """The keys of `bin/release` that count; others may hold anything."""

    config_vars: dict[str, str] = {}
    default_process_types: dict[str, str] = {}


class BuildInfo(msgspec.Struct, frozen=True):
    """What a stager tells of the buildpack that it ran, under the names of vbuild's own result."""

    buildpack_url: Url = ""
    buildpack_version: Version = ""
    release_data: dict[str, Any] = {}


class DropletInfo(msgspec.Struct, frozen=True):
    """Unknown keys, of other stagers, count for nothing."""

    framework: str = ""
    runtime: str = ""
    start_command: str = ""
    build: BuildInfo | None = None

    @property
    def is_slug(self) -> bool:
        """Whether `app/` alone is a build."""
        return self.framework in {BUILDPACK, VBUILD}


def parse_info(text: str, runtime: str = "") -> DropletInfo:
    """The information in the YAML `text`; `runtime`, if given, wins. Raises InvalidInput.

    No text at all says nothing. The second generation's stagers always ran a buildpack, and
    named it in `detected_buildpack`.
    """
    data = parse_mapping(text, INFO_FILE, as_typed=_TEXTS) if text.strip() else {}
    known = {key: data[key] for key in DropletInfo.__struct_fields__ if data.get(key) is not None}
    if "framework" not in known and data.get("detected_buildpack"):
        known["framework"] = BUILDPACK
    if runtime:
        known["runtime"] = runtime
    name = known.get("runtime")
    problems = []
    if isinstance(name, str) and name and not _RUNTIME.fullmatch(name):
        problems.append(f"runtime: {name[:40]!r} is no runtime's name, such as ruby or node")
    return to_struct(DropletInfo, known, INFO_FILE, extra=problems + _release_problems(known))


def _release_problems(known: Mapping[str, Any]) -> list[str]:
    build = known.get("build")
    release = build.get("release_data") if isinstance(build, dict) else None
    if not isinstance(release, dict):
        return []
    try:
        to_struct(_Release, release, INFO_FILE)
    except InvalidInput as error:
        return [f"build.release_data.{problem}" for problem in error.problems]
    return []
