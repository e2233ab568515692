"""staging_info.yml: what a droplet says of itself (reference: cloudfoundry.md, section 6)."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from vr.specs.documents import parse_mapping, to_struct

INFO_FILE = "staging_info.yml"
BUILDPACK, VBUILD = "buildpack", "vbuild"
"""The frameworks of droplets that a buildpack made: as a stager, and exactly as vbuild runs it."""

_RUNTIME = re.compile(r"[A-Za-z][A-Za-z0-9._+-]{0,63}")


class BuildInfo(msgspec.Struct, frozen=True):
    """What a stager tells of the buildpack that it ran, under the names of vbuild's own result."""

    buildpack_url: str = ""
    buildpack_version: str = ""
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
    data = parse_mapping(text, INFO_FILE) if text.strip() else {}
    known = {key: data[key] for key in DropletInfo.__struct_fields__ if data.get(key) is not None}
    if "framework" not in known and data.get("detected_buildpack"):
        known["framework"] = BUILDPACK
    if runtime:
        known["runtime"] = runtime
    name = known.get("runtime")
    problems = []
    if isinstance(name, str) and name and not _RUNTIME.fullmatch(name):
        problems.append(f"runtime: {name[:40]!r} is no runtime's name, such as ruby or node")
    return to_struct(DropletInfo, known, INFO_FILE, extra=problems)
