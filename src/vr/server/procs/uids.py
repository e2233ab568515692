"""Which user id an app's procs have on hosts: one of its own, given once."""

from __future__ import annotations

from django.conf import settings
from django.db import IntegrityError, transaction

from vr.errors import VelociraptorError
from vr.server.models import App, AppUid

_ATTEMPTS = 20
"""More than workers that may give away ids at one moment."""


def uid_of(app: App) -> int:
    """The app's user id; the first free one of VR_HOST_UIDS if it has none yet.

    Raises VelociraptorError when all have been given away.
    """
    for _ in range(_ATTEMPTS):
        if own := AppUid.objects.filter(app=app).first():
            return own.uid
        try:
            with transaction.atomic():
                return AppUid.objects.create(uid=_first_free(), app=app).uid
        except IntegrityError:
            continue  # another worker took this id, or gave this app one
    raise VelociraptorError(f"{app} got no user id, as others took each first.", hint="Try again.")


def _first_free() -> int:
    ids = settings.HOST_UIDS
    taken = set(AppUid.objects.filter(uid__range=(ids.start, ids.stop - 1)).values_list("uid"))
    for uid in ids:
        if (uid,) not in taken:
            return uid
    raise VelociraptorError(
        f"All user ids from {ids.start} to {ids.stop - 1} belong to apps, some of them deleted.",
        hint="Widen VR_HOST_UIDS.",
    )
