"""image.yaml (docs/reference/image-yaml.md)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from vr.specs.documents import load_mapping, to_struct
from vr.specs.env import spelled_env


class ImageSpec(msgspec.Struct, frozen=True, kw_only=True):
    """An OS image to make: a base, a script to run in it as root, the new image's name.

    URLs may be paths of local files. `env` is the environment of the script.
    """

    base_image_url: str
    base_image_name: str
    new_image_name: str
    script_url: str
    base_image_md5: str | None = None
    env: dict[str, str] = {}


def load_spec(path: Path) -> ImageSpec:
    """The spec in the file `path`; raises InvalidInput with all its problems.

    Relative paths in it are taken from the caller's folder, as the original tool did, or, if
    there is no such file, from the folder of `path`.
    """
    spec = parse_spec(load_mapping(path), str(path))
    return msgspec.structs.replace(
        spec,
        base_image_url=_beside(path, spec.base_image_url),
        script_url=_beside(path, spec.script_url),
    )


def parse_spec(mapping: Mapping[str, Any], where: str) -> ImageSpec:
    """The spec in `mapping`; raises InvalidInput with all its problems."""
    return to_struct(ImageSpec, spelled_env(mapping), where, extra=_problems(mapping))


def _problems(mapping: Mapping[str, Any]) -> list[str]:
    names = [(key, mapping.get(key)) for key in ("base_image_name", "new_image_name")]
    return [
        f"{key}: {name!r} can't be the name of a file; use letters, digits, '_', '-', '.' and '+'"
        for key, name in names
        if isinstance(name, str) and not _is_file_name(name)
    ]


def _beside(path: Path, url: str) -> str:
    beside = path.parent / url
    return str(beside) if not Path(url).exists() and beside.is_file() else url


def _is_file_name(name: str) -> bool:
    plain = name.replace("_", "").replace("-", "").replace(".", "").replace("+", "")
    return plain.isascii() and plain.isalnum() and name[0] not in ".-"
