"""What setup decided, kept for the commands that start containers of the same proc later."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from vr.container.spec import Container
from vr.errors import VelociraptorError
from vr.files.atomic import write_atomic
from vr.paths import ProcPaths

_FILE = "setup.json"


def save(paths: ProcPaths, container: Container) -> None:
    data = msgspec.json.encode(container, enc_hook=_encode)
    write_atomic(paths.folder / _FILE, data, mode=0o600)


def load(paths: ProcPaths, proc_yaml: Path) -> Container:
    """The container that setup made; raises VelociraptorError if setup is missing or unfinished."""
    try:
        data = (paths.folder / _FILE).read_bytes()
        container = msgspec.json.decode(data, type=Container, dec_hook=_decode)
    except (FileNotFoundError, msgspec.MsgspecError):
        container = None
    if container is None or not paths.launcher.exists():
        raise VelociraptorError(
            f"{paths.folder.name} is not set up on this host.", hint=f"Run: vrun setup {proc_yaml}"
        )
    return container


def watched_disk(paths: ProcPaths) -> tuple[Path, int] | None:
    """The proc's writable layer and how many bytes of it somebody must watch; None if the file
    system does, or nothing is set up."""
    try:
        values = json.loads((paths.folder / _FILE).read_bytes())
        limit = values["limits"]["watched_disk"]
        return (Path(values["upper"]), int(limit)) if limit else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def layers_in_use(procs: Path) -> set[Path]:
    """The layers of all procs in the folder `procs`, set up or in the middle of another setup.

    Raises VelociraptorError if a record can't be read: who knows what it would name.
    """
    layers: set[Path] = set()
    for file in procs.glob(f"*/{_FILE}"):
        try:
            layers |= {Path(lower) for lower in json.loads(file.read_bytes())["lowers"]}
        except FileNotFoundError:
            continue  # torn down just now
        except (ValueError, KeyError, TypeError):
            raise VelociraptorError(
                f"{file} is damaged, so the layers that it uses are not known.",
                hint="Run vrun setup or vrun teardown for this proc.",
            ) from None
    return layers


def _encode(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(type(value))


def _decode(kind: type, value: Any) -> Any:
    return kind(value) if issubclass(kind, Path) else value
