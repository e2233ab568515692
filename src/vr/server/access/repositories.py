"""Which folders of the build host a user may have built: those of VR_VOLUME_ROOTS, admins all.

Who may mount a folder into an app reads it anyway. Others are cloned by root, who reads them all.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings

from vr.errors import InvalidInput
from vr.repo.source import Source
from vr.server.models.repository import RepositoryModel
from vr.specs.volumes import lies_in_one


def check_repository(record: RepositoryModel, before: str, user: Any) -> None:
    """Raise InvalidInput unless `user` may give `record` its repository, which was `before`.

    What it was already it may stay. Without a user it is the server itself that asks, which may.
    """
    if user is None or getattr(user, "is_superuser", False) or record.repo_url == before:
        return
    local = Source.parse(record.repo_url).local_path
    if local is None or _is_open(local):
        return
    raise InvalidInput(
        f"{record._meta.verbose_name} {record}",
        [
            f"repo_url: {str(local)!r} is a folder or file of the build host that lies in none of "
            f"VR_VOLUME_ROOTS ({', '.join(settings.VOLUME_ROOTS) or 'which is empty'}); only "
            "admins may use others"
        ],
        hint="Use an address such as https:// or ssh://, a folder in one of them, or ask an admin.",
    )


def _is_open(local: Path) -> bool:
    """Whether it lies in the roots, by its name and where its links lead."""
    if not local.is_absolute() or ".." in local.parts:
        return False
    return all(lies_in_one(str(one), settings.VOLUME_ROOTS) for one in (local, local.resolve()))
