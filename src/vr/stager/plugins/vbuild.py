"""vbuild: a checkout becomes the slug that vbuild makes of it, byte by byte.

This is how a Velociraptor server has its builds made by stagers: `properties.build` is what
build.yaml would hold, and the zip is the checkout, with its repository.
"""

from __future__ import annotations

from typing import Any

import msgspec

from vr import builder
from vr.errors import InvalidInput
from vr.files.download import local_path
from vr.repo import Checkout, Source
from vr.specs.build import BuildResult, BuildSpec, parse_spec
from vr.stager.line_log import LineLog
from vr.stager.plugins.contract import Staging, StagingFailed
from vr.stager.scripts import Startup

_WHERE = "properties.build"
_NO_WEB = "echo 'The app has no process type web: there is nothing to start.' >&2; exit 1"
_TOLD = ("buildpack_url", "buildpack_version", "image_md5", "revision", "release_data")


def stage(staging: Staging) -> Startup:
    """The command is the process type `web`, which a build need not have."""
    values = staging.properties.build
    spec = parse_spec(values, _WHERE)
    problems = [] if staging.settings.get("local") else _local_problems(spec)
    revision = values.get("revision")
    if not isinstance(revision, str):
        problems.append("revision: is missing")
    if problems:
        raise InvalidInput(_WHERE, problems)
    lines = LineLog(staging.log)
    slug = staging.droplet / "slug"
    try:
        result = builder.compile_fetched(
            spec, Checkout(staging.app.path, str(revision)), slug, log=lines.write
        )
    except builder.CompileFailed as error:
        # The whole output is in the log already.
        raise StagingFailed(error.message) from None
    finally:
        lines.finish()
    slug.rename(staging.app.path)
    return Startup(
        result.process_types.get("web") or _NO_WEB, {"HOME": "$PWD/app"}, info=_info(result)
    )


def _info(result: BuildResult) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(result)
    return {"build": {key: values[key] for key in _TOLD}}


def _local_problems(spec: BuildSpec) -> list[str]:
    """What would be read from the stager's own disk, on behalf of whoever asks."""
    problems = []
    if spec.image_url and local_path(spec.image_url) is not None:
        problems.append(f"image_url: {spec.image_url!r} is on the stager's own disk")
    for reference in (spec.buildpack_url, *spec.buildpack_urls):
        if reference and Source.parse(reference).local_path is not None:
            problems.append(f"buildpack: {reference!r} is on the stager's own disk")
    return [f"{each}, which needs plugins.vbuild.local: true there" for each in problems]
