"""The store of builds, images and logs: names to files, and links for hosts and people.

One machine keeps it in a folder that its hosts see too. Links over HTTP are signed and expire
(docs/reference/http-api.md#files).
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from django.conf import settings
from django.core import signing

_SALT = "vr.files"
LINK_SECONDS = 24 * 3600


def path_of(name: str) -> Path:
    """Where the file `name` (such as `builds/shop-v1-<md5>.tar.gz`) lies.

    Raises ValueError for a name that points outside of the store.
    """
    root = Path(settings.FILES_ROOT)
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()):
        raise ValueError(f"{name!r} is not a name in the file store")
    return path


def put(name: str, source: Path) -> None:
    """Copy `source` into the store under `name`, complete or not at all."""
    target = path_of(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".put-") as beside:
        part = Path(beside) / target.name
        shutil.copyfile(source, part)
        part.rename(target)


def url_for_host(name: str) -> str:
    """What a host downloads: the file itself on one machine, else a signed link."""
    if not settings.FILES_BASE_URL:
        return str(path_of(name))
    return f"{settings.FILES_BASE_URL.rstrip('/')}{signed_path(name)}"


def signed_path(name: str) -> str:
    """The path of a link that is good for a day."""
    return f"/files/{signing.dumps(name, salt=_SALT)}/{Path(name).name}"


def name_from_signature(signature: str) -> str:
    """The name behind a signed link; raises django.core.signing.BadSignature."""
    name: str = signing.loads(signature, salt=_SALT, max_age=LINK_SECONDS)
    return name
