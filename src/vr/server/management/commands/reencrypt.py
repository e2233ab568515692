"""`manage reencrypt`: bring what is encrypted at rest to the present key; safe to repeat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction
from django.db.models.functions import Cast

from vr.server.models.fields import EncryptedTextField, Undecryptable, is_encrypted_now

_ROWS_AT_ONCE = 200


class Command(BaseCommand):
    """Each batch of rows is one transaction: a run that is killed may be repeated.

    Fails, after all other rows were done, with the names of those that no known key can read.
    """

    help = "Encrypt with VR_SECRET_KEY what VR_SECRET_KEY_FALLBACKS encrypted."

    def handle(self, *args: Any, **options: Any) -> None:
        written, unreadable = 0, []
        for model, field in encrypted_fields():
            last: Any = 0
            while rows := _rows_after(model, last):
                last = rows[-1]
                done, failed = _rewrite(model, field, rows)
                written += done
                unreadable += failed
        self.stdout.write(f"{written} values were encrypted anew")
        if unreadable:
            lines = "".join(f"\n  - {name}" for name in unreadable)
            raise CommandError(
                f"{len(unreadable)} values can't be read with VR_SECRET_KEY or any of "
                f"VR_SECRET_KEY_FALLBACKS, and stay as they are:{lines}"
            )


def encrypted_fields() -> Iterator[tuple[type[models.Model], str]]:
    """Every encrypted field of every model: the model, and the field's name."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedTextField):
                yield model, field.name


def _rows_after(model: type[models.Model], last: Any) -> list[Any]:
    rows = model._default_manager.order_by("pk").filter(pk__gt=last)
    return list(rows.values_list("pk", flat=True)[:_ROWS_AT_ONCE])


def _rewrite(model: type[models.Model], name: str, rows: list[Any]) -> tuple[int, list[str]]:
    """Encrypt `name` of these rows anew; returns how many were, and those that can't be read."""
    written, unreadable = 0, []
    field = model._meta.get_field(name)
    with transaction.atomic():
        # Locked, so that what a user saves meanwhile is not overwritten with what was there.
        locked = model._default_manager.select_for_update().filter(pk__in=rows)
        # The cast shows what the database holds, as a field of ours would decrypt it.
        stored = locked.values_list("pk", Cast(name, models.TextField()))
        for pk, text in stored.order_by("pk"):
            if not text or is_encrypted_now(text):
                continue
            plain = field.from_db_value(text, None, None)  # type: ignore[union-attr]
            if isinstance(plain, Undecryptable):
                unreadable.append(f"{model._meta.label} {pk}: {name}")
            else:
                model._default_manager.filter(pk=pk).update(**{name: plain})
                written += 1
    return written, unreadable
