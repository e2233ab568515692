"""Which folders of hosts a user may give to apps: those of VR_VOLUME_ROOTS, and admins all."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

from vr.errors import InvalidInput
from vr.server.models.proc_settings import ProcSettings
from vr.specs.volumes import outside_problems


def check_volumes(wanted: ProcSettings, user: Any) -> None:
    """Raise InvalidInput unless `user` may save or deploy procs with the volumes of `wanted`.

    Without a user it is the server itself that asks, which may.
    """
    if user is None or getattr(user, "is_superuser", False):
        return
    where = f"{wanted._meta.verbose_name} {wanted}"
    try:
        pairs = [(source, target) for source, target in wanted.volumes]
    except ValidationError as error:  # they were stored with a key that is lost
        raise InvalidInput(where, [f"volumes: {one}" for one in error.messages]) from None
    if problems := outside_problems(pairs, settings.VOLUME_ROOTS):
        raise InvalidInput(
            where,
            [f"volumes: {one}" for one in problems],
            hint="Choose a folder in one of them, ask an admin, or widen VR_VOLUME_ROOTS.",
        )
