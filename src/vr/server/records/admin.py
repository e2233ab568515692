"""Pages of the admin that save and delete as all others do: with the guard, and in the log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import BaseInlineFormSet
from django.forms.formsets import DELETION_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from vr.errors import InvalidInput
from vr.server.answers import InUse
from vr.server.records import changes
from vr.server.records.guards import why_kept


class RecordFormSet(BaseInlineFormSet):
    """Records beside the one that they belong to; what others need is not taken out."""

    def clean(self) -> None:
        super().clean()
        doomed = [
            one.instance
            for one in self.initial_forms
            if getattr(one, "cleaned_data", {}).get(DELETION_FIELD_NAME)
        ]
        refusals = [changes.refusal(one, why) for one in doomed if (why := why_kept(one))]
        if refusals:
            raise ValidationError(refusals)


class RecordInline(admin.TabularInline):
    """Records beside the one that they belong to."""

    formset = RecordFormSet
    extra = 0


class RecordAdmin(admin.ModelAdmin):
    """Pages of one model."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        changes.save(obj, user=request.user, write=obj.save)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.save(commit=False)
        for gone in formset.deleted_objects:
            changes.delete(gone, user=request.user)
        for changed in (*formset.new_objects, *(one for one, _ in formset.changed_objects)):
            changes.save(changed, user=request.user, write=changed.save)
        formset.save_m2m()

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What the question before deleting shows; what is kept makes it no question."""
        doomed, counts, not_allowed, kept = super().get_deleted_objects(objs, request)
        refusals = [changes.refusal(one, why) for one in objs if (why := why_kept(one))]
        return doomed, counts, not_allowed, [*kept, *refusals]

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.delete_queryset(request, [obj])

    def delete_queryset(self, request: HttpRequest, queryset: Iterable[Any]) -> None:
        """All of them or none."""
        with transaction.atomic():
            for one in queryset:
                changes.delete(one, user=request.user)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().delete_view(request, *args, **kwargs)
        except InUse as error:
            return self._refused(request, error)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changelist_view(request, *args, **kwargs)
        except InUse as error:
            return self._refused(request, error)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except (InUse, InvalidInput) as error:
            return self._refused(request, error)

    def _refused(self, request: HttpRequest, error: InUse | InvalidInput) -> HttpResponse:
        """Something began to need a record after the question was asked, or the user may not have
        what was asked for."""
        self.message_user(request, str(error), level=messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())
