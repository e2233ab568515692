"""`vstager stage` and `vstager plugin`: from a folder to a droplet, over the bus or without it."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from vr.bus.connection import connect
from vr.bus.documents import mapping
from vr.errors import VelociraptorError
from vr.files.checksums import file_md5
from vr.files.zip_folder import zip_folder
from vr.specs.documents import load_mapping
from vr.stager.app_folder import AppFolder
from vr.stager.assemble import assemble
from vr.stager.catalogue import Framework, detect, named
from vr.stager.client import StagingReply, request_staging
from vr.stager.endpoints import endpoints
from vr.stager.plugins.registry import known, plugin_for
from vr.stager.request import new_task_id, parse_properties
from vr.stager.task_log import log_line

_SKIPPED = {".git", ".hg", "__pycache__", "node_modules"}


class NotStaged(VelociraptorError):
    """A stager answered with an error."""


def stage_folder(
    app: Path,
    droplet: Path,
    *,
    nats_uri: str,
    queue: str,
    properties: dict[str, Any],
    timeout: float,
    host: str = "127.0.0.1",
    say: Callable[[str], None],
) -> None:
    """Have the folder `app` staged by whoever serves `queue`; leave the result at `droplet`.

    `say` gets the log's lines as they come. Raises NotStaged with the stager's error.
    """
    # A file without a name: nothing of it stays, however this ends.
    with tempfile.TemporaryFile() as unnamed:
        app_zip = Path(f"/proc/self/fd/{unnamed.fileno()}")
        zip_folder(app, app_zip, skipped=_SKIPPED)
        with endpoints(app_zip, droplet, host=host) as urls:
            request = {
                "app_id": app.resolve().name,
                "download_uri": urls.download_uri,
                "upload_uri": urls.upload_uri,
                "properties": properties,
            }
            reply = asyncio.run(_request(nats_uri, queue, request, timeout, say))
    if reply.error:
        raise NotStaged(" ".join(reply.error.split()))
    say(f"{droplet}: {droplet.stat().st_size} bytes, md5 {file_md5(droplet)}")


def properties_for(
    app: Path,
    framework: str | None,
    *,
    command: str | None = None,
    buildpack: str | None = None,
    memory: int = 512,
) -> dict[str, Any]:
    """A request's properties for the folder: the framework named, or the one that is detected.

    Raises VelociraptorError if none is.
    """
    chosen = _framework(app, framework, bool(buildpack), bool(command))
    properties: dict[str, Any] = {
        "services": [],
        "framework_info": {
            "name": chosen.name,
            "runtimes": [{chosen.runtime: {"default": True}}] if chosen.runtime else [],
            "detection": list(chosen.rules),
        },
        "runtime_info": {"name": chosen.runtime, "executable": chosen.runtime},
        "resources": {"memory": memory, "disk": 1024, "fds": 1024},
    }
    if command:
        properties["meta"] = {"command": command}
    if buildpack:
        properties["buildpack"] = buildpack
    return properties


def run_plugin(framework: str, config: Path, say: Callable[[str], None]) -> None:
    """Stage `source_dir` into `dest_dir` as the YAML file says, without any service.

    Its keys: docs/reference/staging.md#plugins-alone. `$PLATFORM_CONFIG` may name a second file,
    with settings of plugins. Commands run directly, as the caller or as `secure_user` {uid, gid}:
    only for apps that one trusts.
    """
    from vr.stager.host_commands import HostCommands

    keys = load_mapping(config)
    source, target = (Path(str(keys.get(key, ""))) for key in ("source_dir", "dest_dir"))
    missing = [str(path) for path in (source, target) if not path.is_dir()]
    environment = keys.get("environment")
    if missing or not isinstance(environment, dict):
        wrong = f"no folder {missing[0]!r}" if missing else "environment must be a mapping"
        raise VelociraptorError(f"Invalid arguments for staging: {config}: {wrong}.")
    uid, gid = _secure_user(keys.get("secure_user"), config)
    platform = os.environ.get("PLATFORM_CONFIG")
    assemble(
        plugin_for(framework),
        source,
        target,
        parse_properties(environment, str(config), prefix="environment."),
        commands=HostCommands(target / "app", say, uid, gid),
        owner=uid,
        log=say,
        settings=load_mapping(Path(platform)) if platform else {},
    )


def _secure_user(values: Any, config: Path) -> tuple[int, int]:
    if values is None:
        return os.getuid(), os.getgid()
    wanted = [mapping(values).get(key) for key in ("uid", "gid")]
    uid, gid = (each if isinstance(each, int) and each > 0 else None for each in wanted)
    if uid is None or gid is None:
        raise VelociraptorError(
            f"Invalid arguments for staging: {config}: secure_user must have a uid and a gid.",
            hint="Give them as numbers above 0.",
        )
    return uid, gid


async def _request(
    nats_uri: str, queue: str, request: dict[str, Any], timeout: float, say: Callable[[str], None]
) -> StagingReply:
    log = logging.getLogger("vcap.stager.client")
    client = await connect(nats_uri, name="vstager stage", log=log, patience=1)
    try:
        return await request_staging(
            client,
            queue,
            {**request, "task_id": new_task_id()},
            timeout=timeout,
            on_line=lambda line: say(log_line(line, datetime.now()).rstrip("\n")),
        )
    finally:
        await client.close()


def _framework(app: Path, name: str | None, has_buildpack: bool, has_command: bool) -> Framework:
    if name:
        return named(name) or Framework(name, "", [])
    if has_buildpack:
        return Framework("buildpack", "", [])
    found = detect(AppFolder(app))
    if found is None and has_command:
        return Framework("standalone", "", [])
    if found is None:
        raise VelociraptorError(
            f"{app} looks like none of the frameworks.",
            hint=f"Name one with --framework: {known()}.",
        )
    return found
