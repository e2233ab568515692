"""What a stager is asked for: to build as vbuild does, or to stage a framework. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from vr.specs.build import BuildSpec
from vr.stager.catalogue import Framework, named

_RESOURCES = {"memory": 512, "disk": 1024, "fds": 1024}


def staging_request(
    spec: BuildSpec,
    revision: str,
    *,
    framework: str = "",
    download_uri: str,
    upload_uri: str,
) -> dict[str, Any]:
    """The request (docs/reference/staging.md#request) to make the build that `spec` describes.

    The checkout of the commit `revision` is at `download_uri`. With a `framework` it is staged
    as that, in the app's image; otherwise a buildpack compiles it, as vbuild would.
    """
    properties = _framework(spec, framework) if framework else _vbuild(spec, revision)
    return {
        "app_id": spec.app_name,
        "download_uri": download_uri,
        "upload_uri": upload_uri,
        "properties": {"services": [], "resources": _RESOURCES, **properties},
    }


def _vbuild(spec: BuildSpec, revision: str) -> dict[str, Any]:
    values = msgspec.to_builtins(spec)
    build = {key: value for key, value in values.items() if value not in (None, [], (), {})}
    return {
        "framework_info": {"name": "vbuild", "runtimes": [], "detection": []},
        "build": {**build, "revision": revision},
    }


def _framework(spec: BuildSpec, name: str) -> dict[str, Any]:
    known = named(name) or Framework(name, "", [])
    properties: dict[str, Any] = {
        "framework_info": {
            "name": name,
            "runtimes": [{known.runtime: {"default": True}}] if known.runtime else [],
            "detection": list(known.rules),
        },
        "runtime_info": {"name": known.runtime, "executable": known.runtime},
    }
    if spec.image_url:
        properties["image"] = {
            "url": spec.image_url,
            "name": spec.image_name,
            "md5": spec.image_md5,
        }
    return properties
