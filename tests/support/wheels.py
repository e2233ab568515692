"""Wheels for tests that should not wait for a server of packages: this environment's own."""

from __future__ import annotations

import io
import zipfile
from importlib.metadata import distribution
from pathlib import Path

_LEFT_OUT = {"__pycache__", "bin", "INSTALLER", "REQUESTED", "direct_url.json"}


def wheels(*names: str) -> dict[str, bytes]:
    """Installed pure Python packages, packed again as they came but for translations; by file."""
    return dict(_wheel(name) for name in names)


def _wheel(name: str) -> tuple[str, bytes]:
    installed = distribution(name)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in installed.files or []:
            translation = "locale" in file.parts[:-2]
            if _LEFT_OUT.isdisjoint(file.parts) and not translation:
                archive.write(Path(str(file.locate())), str(file))
    file_name = f"{name.lower()}-{installed.version}-py3-none-any.whl"
    return file_name, buffer.getvalue()
