"""Whether the database and the code that is installed belong together."""

from __future__ import annotations

from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def pending() -> tuple[str, ...]:
    """The migrations that the database lacks, in their order."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return tuple(f"{migration.app_label}.{migration.name}" for migration, _ in plan)


def unknown() -> tuple[str, ...]:
    """The migrations that the database has and this code does not: it was of a later version.

    Those of apps that aren't installed any more don't count: they are in nobody's way.
    """
    loader = MigrationExecutor(connection).loader
    return tuple(
        sorted(
            f"{app}.{name}"
            for app, name in loader.applied_migrations
            if app in loader.migrated_apps and (app, name) not in loader.disk_migrations
        )
    )
