"""What a stager is asked for. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from vr.specs.build import BuildSpec

_MEMORY_MB = 512


def staging_request(
    spec: BuildSpec, revision: str, *, download_uri: str, upload_uri: str
) -> dict[str, Any]:
    """The request (cloudfoundry.md, section 3) to build `spec`, whose checkout of the commit
    `revision` is at `download_uri`."""
    values = msgspec.to_builtins(spec)
    build = {key: value for key, value in values.items() if value not in (None, [], (), {})}
    return {
        "app_id": spec.app_name,
        "download_uri": download_uri,
        "upload_uri": upload_uri,
        "properties": {
            "services": [],
            "framework_info": {"name": "vbuild", "runtimes": [], "detection": []},
            "runtime_info": {"name": "", "executable": "", "version": ""},
            "resources": {"memory": _MEMORY_MB, "disk": 1024, "fds": 1024},
            "build": {**build, "revision": revision},
        },
    }
