"""List, add, edit and delete for every section of the table in `sections`."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import Model, QuerySet
from django.forms import ModelForm, modelform_factory
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.generic import CreateView, DeleteView, ListView, UpdateView

from vr.errors import InvalidInput
from vr.server.answers import InUse
from vr.server.models import Host
from vr.server.records import changes
from vr.server.records.guards import why_kept
from vr.server.web.chips import HostGroup, by_host
from vr.server.web.live_state import read_hosts
from vr.server.web.record_pages import Section
from vr.server.web.views.hosts import machine_of
from vr.server.web.widgets import formfield


class _OfSection:
    """What all views share: the section, and how its records are found and addressed."""

    section: ClassVar[Section]
    request: HttpRequest
    kwargs: dict[str, Any]
    template_name: Any

    def get_queryset(self) -> QuerySet[Model]:
        found = self.section.model._default_manager.all()
        return found.prefetch_related(*self.section.prefetch)

    def get_object(self, queryset: Any = None) -> Model:
        return get_object_or_404(self.get_queryset(), **{self.section.key: self.kwargs["key"]})

    def get_success_url(self) -> str:
        return self.section.url

    def address(self, page: str, record: Model) -> str:
        """The address of a record's page: "" its own, "_delete" the question."""
        key = getattr(record, self.section.key)
        return reverse(f"web:{self.section.slug}{page}", args=[key])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(section=self.section, **kwargs)  # type: ignore[misc,no-any-return]


class _WithForm(_OfSection):
    """What adding and editing share: the record's form, its outcome and who is told."""

    template_name: Any = "web/record_form.html"

    def get_form_class(self) -> Any:
        section = self.section
        return modelform_factory(
            section.model,
            fields=section.fields,
            labels=section.labels,
            formfield_callback=formfield,
        )

    def get_form(self, form_class: Any = None) -> ModelForm:
        form: ModelForm = super().get_form(form_class)  # type: ignore[misc]
        for name, label in self.section.empty_labels.items():
            form.fields[name].empty_label = label  # type: ignore[attr-defined]
        return form

    def form_invalid(self, form: ModelForm) -> HttpResponse:
        context = self.get_context_data(form=form)
        return render(self.request, self.template_name, context, status=422)

    def form_valid(self, form: ModelForm) -> HttpResponse:
        saved = form.instance
        try:
            changes.save(saved, user=self.request.user, write=form.save)
        except InvalidInput as error:
            for problem in error.problems:
                form.add_error(None, problem)
            return self.form_invalid(form)
        messages.success(self.request, f"The {self.section.one} {saved} is saved.")
        return HttpResponseRedirect(self.get_success_url())


class Records(_OfSection, ListView):
    """All records of a section."""

    template_name = "web/records.html"
    paginate_by = 50

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        context["headings"] = [heading for heading, _ in self.section.columns]
        context["rows"] = [
            (
                self.address("", record),
                [show(record) for _, show in self.section.columns],
            )
            for record in context["object_list"]
        ]
        return context


class Add(_WithForm, CreateView):
    """The form of a new record."""


class Edit(_WithForm, UpdateView):
    """The form of a record, with what belongs to it."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # A form that failed has written to its instance; what is shown comes from the database.
        stored = self.get_object()
        related = [(heading, _links(of(stored))) for heading, of in self.section.related]
        delete_url = self.address("_delete", stored)
        return super().get_context_data(
            related=related,
            stored=stored,
            delete_url=delete_url,
            groups=self._groups(stored),
            panel=self.section.panel,
            **(machine_of(stored) if isinstance(stored, Host) else {}),
            **kwargs,
        )

    def _groups(self, stored: Model) -> tuple[HostGroup, ...]:
        """The hosts of the record with their procs as last pushed; none for most sections."""
        if not self.section.hosts:
            return ()
        return by_host(read_hosts(self.section.hosts(stored)).states.values(), time.time())


class Delete(_OfSection, DeleteView):
    """Ask, then delete; a record that others need stays, and they are named."""

    template_name = "web/record_delete.html"

    def form_valid(self, form: Any) -> HttpResponse:
        name = str(self.object)
        try:
            changes.delete(self.object, user=self.request.user)
        except InUse as error:
            context = self.get_context_data(obstacle=str(error))
            return render(self.request, self.template_name, context, status=409)
        messages.success(self.request, f"The {self.section.one} {name} is gone.")
        return HttpResponseRedirect(self.get_success_url())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kept = why_kept(self.object)
        kwargs.setdefault("obstacle", changes.refusal(self.object, kept) if kept else "")
        return super().get_context_data(back_url=self.address("", self.object), **kwargs)


def _links(objects: Any) -> list[tuple[str, str]]:
    """(text, address) of each object; no address for those without a page."""
    return [(str(thing), _address(thing)) for thing in objects]


def _address(thing: Model) -> str:
    kind = type(thing)._meta.model_name
    if kind == "app":
        return reverse("web:app", args=[thing.name])  # type: ignore[attr-defined]
    if kind in {"swarm", "host", "squad"}:
        return reverse(f"web:{kind}", args=[thing.pk])
    return ""


def urls_of(section: Section) -> list[tuple[str, Any, str]]:
    """(route, view, name) of the section's four pages."""
    slug = section.slug
    key = "<str:key>" if section.key == "name" else "<int:key>"

    def view(kind: Any) -> Any:
        made: Any = type(f"{kind.__name__}{slug.title()}", (kind,), {"section": section})
        return made.as_view()

    return [
        (f"{slug}/", view(Records), f"{slug}_list"),
        (f"{slug}/add/", view(Add), f"{slug}_add"),
        (f"{slug}/{key}/", view(Edit), slug),
        (f"{slug}/{key}/delete/", view(Delete), f"{slug}_delete"),
    ]
