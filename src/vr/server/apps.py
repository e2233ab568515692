"""Django's view of the server."""

from django.apps import AppConfig

from vr.text.plurals import plural


class ServerConfig(AppConfig):
    name = "vr.server"
    label = "server"
    verbose_name = "Velociraptor"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from vr.server.notices import queueing
        from vr.server.patterns import replace_sqlite_function

        queueing.connect()
        replace_sqlite_function()
        # Django adds an "s" to every name.
        for model in self.get_models():
            model._meta.verbose_name_plural = plural(str(model._meta.verbose_name))
