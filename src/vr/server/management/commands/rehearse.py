"""`manage rehearse`: try the pending migrations, and take them back."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from vr.server import migration_state


class Command(BaseCommand):
    """For `vr up`, which tries before it stops anything."""

    help = "Try the pending migrations in a transaction that is taken back (PostgreSQL only)."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(migration_state.rehearse())
