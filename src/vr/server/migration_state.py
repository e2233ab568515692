"""Whether the database and the code that is installed belong together."""

from __future__ import annotations

from django.db import OperationalError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

# What serves meanwhile waits for the tables, so it must not be for long.
_LONGEST_SECONDS = 20
_LOCK_SECONDS = 5


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


def rehearse() -> str:
    """Apply the pending migrations to PostgreSQL in one transaction, and take that back.

    Returns why that could not be found out, as a sentence; empty if all went well. Raises what a
    migration raises.
    """
    from psycopg import errors

    executor = MigrationExecutor(connection, progress_callback=_settle_constraints)
    targets = executor.loader.graph.leaf_nodes()
    plan = executor.migration_plan(targets)
    if lone := [str(one) for one, _ in plan if not one.atomic]:
        return f"{', '.join(lone)} can't be taken back, as it is in no transaction."
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")
                cursor.execute(f"SET LOCAL statement_timeout = '{_LONGEST_SECONDS}s'")
            executor.migrate(targets, plan)
            transaction.set_rollback(True)
    except OperationalError as error:
        if isinstance(error.__cause__, errors.LockNotAvailable):
            return f"Others held the tables for {_LOCK_SECONDS} s."
        if isinstance(error.__cause__, errors.QueryCanceled):
            return f"A step took more than {_LONGEST_SECONDS} s."
        raise
    return ""


def _settle_constraints(action: str, *_: object) -> None:
    """As at the end of the transaction that each migration really has of its own."""
    if action == "apply_success":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
