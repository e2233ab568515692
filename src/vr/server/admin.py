"""Raw editing of all records, for those who know what they do.

Everyday work happens in the web pages and the API. What the engine alone writes is shown but not
edited, and what would be of no use (tokens' digests) isn't shown at all.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.http import HttpRequest

from vr.server import models
from vr.server.records import changes
from vr.server.records.admin import RecordAdmin, RecordInline

admin.site.site_header = "Velociraptor"
admin.site.site_title = "Velociraptor"
admin.site.index_title = "All records"


class ReadOnly(RecordAdmin):
    """Records that tell what happened: looked at, never changed by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(models.App)
class AppAdmin(RecordAdmin):
    list_display = ("name", "repo_url", "repo_type", "stack", "buildpack")
    list_filter = ("stack", "repo_type")
    search_fields = ("name", "repo_url")


@admin.register(models.Buildpack)
class BuildpackAdmin(RecordAdmin):
    list_display = ("order", "repo_url", "repo_type", "desc")
    list_display_links = ("repo_url",)


class ImageInline(RecordInline):
    model = models.Image
    fields = ("name", "file", "md5", "active", "created")
    readonly_fields = ("created",)


@admin.register(models.Stack)
class StackAdmin(RecordAdmin):
    list_display = ("name", "desc", "active_image")
    inlines = (ImageInline,)


@admin.register(models.Image)
class ImageAdmin(RecordAdmin):
    list_display = ("name", "stack", "active", "created")
    list_filter = ("stack", "active")
    search_fields = ("name",)


class HostInline(RecordInline):
    model = models.Host


@admin.register(models.Squad)
class SquadAdmin(RecordAdmin):
    list_display = ("name",)
    inlines = (HostInline,)


@admin.register(models.Host)
class HostAdmin(RecordAdmin):
    list_display = ("name", "squad", "active")
    list_filter = ("squad", "active")
    search_fields = ("name",)


@admin.register(models.Ingredient)
class IngredientAdmin(RecordAdmin):
    list_display = ("name",)
    search_fields = ("name",)


@admin.register(models.Swarm)
class SwarmAdmin(RecordAdmin):
    list_display = ("shortname", "squad", "size", "pool", "balancer", "release")
    list_filter = ("squad", "config_name", "proc_name")
    list_select_related = ("app", "squad", "release__build__app")
    search_fields = ("app__name", "config_name", "proc_name", "tag")
    filter_horizontal = ("config_ingredients",)
    raw_id_fields = ("release",)


@admin.register(models.Build)
class BuildAdmin(RecordAdmin):
    list_display = ("id", "app", "tag", "status", "start_time", "end_time", "error")
    list_filter = ("status", "app")
    list_select_related = ("app",)
    search_fields = ("app__name", "tag", "hash")
    readonly_fields = ("lease_owner", "lease_until")


@admin.register(models.Release)
class ReleaseAdmin(RecordAdmin):
    # Its config is encrypted in the database, so that it can't be searched there.
    list_display = ("compiled_name", "run_as", "created")
    list_select_related = ("build__app",)
    search_fields = ("hash", "build__app__name", "build__tag")
    raw_id_fields = ("build",)


class StepInline(RecordInline):
    model = models.Step
    can_delete = False


@admin.register(models.Dispatch)
class DispatchAdmin(ReadOnly):
    list_display = ("trace_id", "swarm", "tag", "size", "status", "user", "created", "ended")
    list_filter = ("status",)
    list_select_related = ("swarm__app", "user")
    search_fields = ("trace_id", "tag", "swarm__app__name")
    inlines = (StepInline,)


@admin.register(models.PortLease)
class PortLeaseAdmin(RecordAdmin):
    list_display = ("host", "port", "proc", "swarm", "created")
    list_filter = ("host",)
    list_select_related = ("host", "swarm__app")
    search_fields = ("proc", "port")


class TestResultInline(RecordInline):
    model = models.TestResult


@admin.register(models.TestRun)
class TestRunAdmin(ReadOnly):
    list_display = ("id", "dispatch", "start", "end")
    list_select_related = ("dispatch__swarm__app",)
    inlines = (TestResultInline,)


@admin.register(models.Notifier)
class NotifierAdmin(RecordAdmin):
    list_display = ("name", "url", "kinds", "app", "squad", "active")
    list_select_related = ("app", "squad")


@admin.register(models.Notice)
class NoticeAdmin(ReadOnly):
    list_display = ("id", "notifier", "title", "status", "tries", "created")
    list_filter = ("status",)
    list_select_related = ("notifier",)


@admin.register(models.Event)
class EventAdmin(ReadOnly):
    list_display = ("id", "time", "title", "tags", "trace_id")
    search_fields = ("title", "trace_id")


@admin.register(models.LogEntry)
class LogEntryAdmin(ReadOnly):
    list_display = ("time", "type", "user", "message")
    list_filter = ("type", "user")
    list_select_related = ("user",)
    search_fields = ("message",)


@admin.register(models.ApiToken)
class ApiTokenAdmin(RecordAdmin):
    """Making one shows the token, this once; only its digest is kept."""

    list_display = ("user", "name", "created")
    list_select_related = ("user",)
    fields = ("user", "name")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        changes.save(obj, user=request.user, write=lambda: self._issue(request, obj))

    def _issue(self, request: HttpRequest, obj: Any) -> None:
        token = models.ApiToken.issue(obj.user, obj.name)
        obj.pk = models.ApiToken.objects.get(user=obj.user, name=obj.name).pk
        self.message_user(request, f"The token, shown only now: {token}", level=messages.WARNING)


admin.site.unregister(User)


@admin.register(User)
class UsersAdmin(RecordAdmin, UserAdmin):
    """Django's own pages of users, guarded and logged as all are."""
