"""Events' ids in the order of commits, on PostgreSQL, where others hand them out at the insert.

A reader that has seen one id never gets a lower one later. The trigger runs at the very end of a
transaction, so the lock that keeps commits one after another is held for that long only, however
long the transaction was.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

_MOVE = """
CREATE FUNCTION server_event_last_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock('server_event'::regclass::oid::bigint);
    UPDATE server_event
        SET id = nextval(pg_get_serial_sequence('server_event', 'id')), first_id = NEW.id
        WHERE id = NEW.id;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER server_event_last_id AFTER INSERT ON server_event
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION server_event_last_id();
"""
_LEAVE = """
DROP TRIGGER server_event_last_id ON server_event;
DROP FUNCTION server_event_last_id();
"""


def _on_postgres(statements: str) -> Any:
    def run(_: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(statements)

    return run


class Migration(migrations.Migration):
    dependencies = [("server", "0021_watch_log")]

    operations = [
        migrations.AddField(
            model_name="event",
            name="first_id",
            field=models.BigIntegerField(db_index=True, editable=False, null=True),
        ),
        migrations.RunPython(_on_postgres(_MOVE), _on_postgres(_LEAVE)),
    ]
