"""Addresses that a stager is given: for the app's files, the image, and the droplet's way back.

Those of an attempt at a build hold a signature as their password, since stagers log addresses
without credentials. They are good for one attempt: what is brought after that finds no folder.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from django.conf import settings
from django.core import signing

from vr.errors import VelociraptorError
from vr.server.files import store
from vr.server.files.links import absolute

APP, DROPLET = "app.zip", "droplet.tgz"
PREFIX = "/files/farm/"

_SALT = "vr.farm"
_USER = "attempt"
_GRACE_SECONDS = 600


def download(name: str) -> str:
    """Where a stager gets the file `name` of the store: an image."""
    return absolute(name, _base())


def attempt(folder: str, file: str) -> str:
    """Where a stager gets the APP, or brings the DROPLET, of the attempt whose folder in the file
    store is called `folder`."""
    parts = urlsplit(_base())
    password = quote(signing.dumps(folder, salt=_SALT), safe="")
    place = f"{_USER}:{password}@{parts.netloc}"
    return urlunsplit(parts._replace(netloc=place, path=f"{parts.path}{PREFIX}{file}"))


def folder_of(authorization: str) -> Path:
    """The folder that the header of a request to such an address means.

    Raises django.core.signing.BadSignature, and SignatureExpired, which is one.
    """
    scheme, _, credentials = authorization.partition(" ")
    try:
        user, _, signature = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user = signature = ""
    if (scheme.lower(), user) != ("basic", _USER):
        raise signing.BadSignature("no signature")
    most = int(settings.FARM_SECONDS) + _GRACE_SECONDS
    return store.path_of(signing.loads(signature, salt=_SALT, max_age=most))


def _base() -> str:
    if not settings.FARM_URL:
        raise VelociraptorError(
            "Stagers don't know where this server is.",
            hint="Set VR_FARM_URL to the address at which they reach it.",
        )
    return str(settings.FARM_URL).rstrip("/")
