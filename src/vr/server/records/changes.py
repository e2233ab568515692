"""Saving and deleting a record: one transaction with its entry in the log, and the guard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import Model, ProtectedError

from vr.server.access.repositories import check_repository
from vr.server.access.volumes import check_volumes
from vr.server.answers import InUse
from vr.server.events.announcing import user_did
from vr.server.events.kinds import Kind
from vr.server.models.notifier import Notifier
from vr.server.models.proc_settings import ProcSettings
from vr.server.models.repository import RepositoryModel
from vr.server.notices.checking import check_notifier
from vr.server.records.addresses import address_of
from vr.server.records.guards import why_kept


def may(user: Any, action: str, record: Model) -> None:
    """Raise if `user` is not allowed to add, change or remove `record`.

    Everybody who has logged in may do everything, but for what lies on hosts: see `save`.
    """


def save(record: Model, *, user: Any, write: Callable[[], Any]) -> None:
    """Let `write` store `record`, all of it or nothing, and log that `user` did it.

    Raises InvalidInput for volumes and repositories that only admins may use, and for notifiers
    that can't be; then nothing is stored.
    """
    kind = Kind.USER_CHANGED if record.pk else Kind.USER_ADDED
    with transaction.atomic():
        may(user, kind.action, record)
        repository = _repository_of(record)
        write()
        if isinstance(record, ProcSettings):
            check_volumes(record, user)
        if isinstance(record, RepositoryModel):
            check_repository(record, repository, user)
        if isinstance(record, Notifier):
            check_notifier(record)
        _log(user, kind, record)


def delete(record: Model, *, user: Any) -> None:
    """Delete `record`, and log that `user` did it.

    Raises InUse, which says why and what to do, if something still needs it.
    """
    with transaction.atomic():
        may(user, Kind.USER_REMOVED.action, record)
        # Who changes it meanwhile waits; who begins to use it fails, as what it names is gone.
        rows = type(record)._default_manager.order_by().select_for_update()
        doomed = rows.filter(pk=record.pk).first()
        if doomed is None:
            return
        if reason := why_kept(doomed):
            raise InUse(refusal(doomed, reason))
        _log(user, Kind.USER_REMOVED, doomed)
        try:
            doomed.delete()
        except ProtectedError as error:
            users = sorted({f"{_noun(one)} {one}" for one in error.protected_objects})
            raise InUse(refusal(doomed, f"it is used by {', '.join(users)}")) from None


def refusal(record: Model, reason: str) -> str:
    """The sentence that says that `record` stays, and why."""
    return f"The {_noun(record)} {record} can't be deleted: {reason}."


def _repository_of(record: Model) -> str:
    """What is stored as the repository of `record`; empty if nothing is."""
    if not isinstance(record, RepositoryModel):
        return ""
    stored = type(record)._default_manager.filter(pk=record.pk).first()
    return stored.repo_url if stored else ""


def _log(user: Any, kind: Kind, record: Model) -> None:
    user_did(user, kind, f"{_noun(record)} {record}", resource_uri=address_of(record))


def _noun(record: Model) -> str:
    return str(record._meta.verbose_name)
