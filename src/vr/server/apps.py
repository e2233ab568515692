"""Django's view of the server."""

from django.apps import AppConfig


class ServerConfig(AppConfig):
    name = "vr.server"
    label = "server"
    verbose_name = "Velociraptor"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from vr.server.patterns import replace_sqlite_function

        replace_sqlite_function()
