"""Addresses of files in the store: what hosts are told, and what people click.

Links over HTTP are signed and expire: hosts fetch builds and images with a plain GET and no login,
so the signature is the permission (docs/reference/http-api.md#files). Those into a bucket are
signed by its service, and lead there.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core import signing

from vr.errors import VelociraptorError
from vr.server.files import store

_SALT = "vr.files"
LINK_SECONDS = 24 * 3600


def url_for_host(name: str, *, sees_our_disk: bool = True) -> str:
    """What a host downloads: the file itself on one machine, else a signed link.

    Raises VelociraptorError for a host elsewhere if there is no address to fetch from.
    """
    if store.in_bucket():
        return link(name)
    if sees_our_disk:
        return str(store.path_of(name))
    if not settings.FILES_BASE_URL:
        raise VelociraptorError(
            "Hosts other than this machine fetch builds from the server, and VR_FILES_BASE_URL "
            "does not say where it answers them.",
            hint="Set it to the server's address as hosts see it, such as http://10.0.0.1:8000",
        )
    return absolute(name, settings.FILES_BASE_URL.rstrip("/"))


def link(name: str) -> str:
    """A link that is good for a day: a path of this server, or a whole address in the bucket."""
    if store.in_bucket():
        from vr.server.files.bucket import bucket

        return bucket().link(name, LINK_SECONDS)
    return signed_path(name)


def absolute(name: str, base: str) -> str:
    """The same as a whole address; `base` is this server's, without a slash at its end."""
    found = link(name)
    return f"{base}{found}" if found.startswith("/") else found


def signed_path(name: str) -> str:
    """The path of a link to this server that is good for a day."""
    return f"/files/{signing.dumps(name, salt=_SALT)}/{Path(name).name}"


def name_from_signature(signature: str) -> str:
    """The name behind a signed link; raises django.core.signing.BadSignature."""
    name: str = signing.loads(signature, salt=_SALT, max_age=LINK_SECONDS)
    return name
