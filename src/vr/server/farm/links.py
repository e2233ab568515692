"""Addresses that a stager is given: for the app's files, the image, and the droplet's way back.

Signed, and good for one attempt at one build: what a stager brings after that finds no folder.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core import signing

from vr.errors import VelociraptorError
from vr.server import filestore

DROPLET = "droplet.tgz"

_SALT = "vr.farm.droplet"
_GRACE_SECONDS = 600


def download(name: str) -> str:
    """Where a stager gets the file `name` of the store."""
    return f"{_base()}{filestore.signed_path(name)}"


def upload(folder: str) -> str:
    """Where a stager may put the droplet of the attempt that works in `folder` of the store."""
    return f"{_base()}/files/droplet/{signing.dumps(folder, salt=_SALT)}/{DROPLET}"


def folder_of(signature: str) -> Path:
    """The folder behind a signed address; raises django.core.signing.BadSignature."""
    name = signing.loads(signature, salt=_SALT, max_age=int(settings.FARM_SECONDS) + _GRACE_SECONDS)
    return filestore.path_of(name)


def _base() -> str:
    if not settings.FARM_URL:
        raise VelociraptorError(
            "Stagers don't know where this server is.",
            hint="Set VR_FARM_URL to the address at which they reach it.",
        )
    return str(settings.FARM_URL).rstrip("/")
