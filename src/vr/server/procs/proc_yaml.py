"""The proc.yaml of a release's proc (docs/reference/proc-yaml.md)."""

from __future__ import annotations

from typing import Any

import yaml
from django.conf import settings

from vr.hosts.deployment import ProcFile
from vr.hosts.proc_conf import Rotation
from vr.server.files import links
from vr.server.hosts import sees_our_disk
from vr.server.models import Release
from vr.server.models.yaml_text import parse_env, parse_mapping
from vr.server.procs.uids import uid_of
from vr.specs.limits import with_defaults
from vr.specs.names import ProcName
from vr.specs.proc import NOBODY
from vr.specs.sizes import parse_size

GROUP = "nogroup"


def proc_file(release: Release, name: ProcName, host: str) -> ProcFile:
    """What to deploy on `host` for the proc `name`. Its text holds secrets."""
    text: str = yaml.safe_dump(content(release, name, host), sort_keys=False, allow_unicode=True)
    rotation = Rotation(settings.LOG_MB * 1_000_000, settings.LOG_BACKUPS)
    if limit := with_defaults(release.limits, settings.DEFAULT_LIMITS).get("log_limit"):
        rotation = rotation.kept_to(parse_size(limit))
    return ProcFile(str(name), text, runner=runner_of(release), rotation=rotation)


def runner_of(release: Release) -> str:
    """The command that runs procs of the release: without an image they run on the host's own
    system."""
    return "vrun_precise" if release.build.image is None else "vrun"


def content(release: Release, name: ProcName, host: str) -> dict[str, Any]:
    """The keys and values; those without a value are left out."""
    build, image = release.build, release.build.image
    is_here = sees_our_disk(host)
    config = parse_mapping(release.config_yaml)
    limits = with_defaults(release.limits, settings.DEFAULT_LIMITS)
    values = {
        "app_name": name.app,
        "version": name.version,
        "config_name": name.config,
        "release_hash": name.hash,
        "proc_name": name.proc,
        "cmd": build.process_types.get(name.proc),
        "host": host,
        "port": name.port,
        "user": release.run_as,
        "group": GROUP,
        # Another account is named for volumes that belong to it, and keeps its own id.
        "host_uid": uid_of(build.app) if release.run_as == NOBODY else None,
        "env": {**settings.DISCOVERY, **parse_env(release.env_yaml)},
        "settings": config,
        # Of our own keys this is the one that an app's config may hold.
        "pilot": config.get("pilot"),
        "volumes": release.volumes,
        **limits,
        "disk_watch": None if limits.get("disk_limit") else settings.PROC_DISK,
        "build_url": links.url_for_host(build.file, sees_our_disk=is_here),
        "build_md5": build.file_md5,
        "app_repo_url": build.app.repo_url,
        "app_repo_type": build.app.repo_type,
        "buildpack_url": build.buildpack_url,
        "buildpack_version": build.buildpack_version,
    }
    if image is not None:
        values |= {
            "image_url": links.url_for_host(image.file, sees_our_disk=is_here),
            "image_name": image.name,
            "image_md5": image.md5,
        }
    return {key: value for key, value in values.items() if value not in (None, "", [], {})}
