"""`manage schema`: what the database lacks, and what it has that this code does not know."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand

from vr.server import migration_state


class Command(BaseCommand):
    """For `vr up`, which asks before it changes anything."""

    help = "Print the pending and the unknown migrations as JSON. Changes nothing."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        state = {"pending": migration_state.pending(), "unknown": migration_state.unknown()}
        self.stdout.write(json.dumps(state))
