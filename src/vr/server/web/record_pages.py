"""The platform's records that have simple pages: what each section lists and lets people edit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.urls import reverse

from vr.server.models import (
    App,
    Buildpack,
    Host,
    Ingredient,
    NoticeStatus,
    Notifier,
    Squad,
    Stack,
)
from vr.server.web.wording import listed, without_credentials

Show = Callable[[Any], str]


@dataclass(frozen=True)
class Section:
    """A kind of record: `columns` are (heading, how to show it), the first links to the record.

    `key` is the field that addresses a record; `empty` says what it is for and what to do when
    there is none. `related` lists (heading, objects of a record) to show beside its form;
    `empty_labels` say what no choice means; `hosts` names the hosts whose procs to show there.
    `panel` is a template beside the form, whose context the section's view makes.
    """

    slug: str
    title: str
    one: str
    model: type[models.Model]
    fields: tuple[str, ...]
    columns: tuple[tuple[str, Show], ...]
    about: str
    empty: str
    key: str = "pk"
    related: tuple[tuple[str, Callable[[Any], Any]], ...] = ()
    prefetch: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    empty_labels: dict[str, str] = field(default_factory=dict)
    icon: str = "list"
    hosts: Callable[[Any], list[str]] | None = None
    panel: str = ""

    @property
    def url(self) -> str:
        return reverse(f"web:{self.slug}_list")

    @property
    def add_url(self) -> str:
        return reverse(f"web:{self.slug}_add")


def _activity(host: Host) -> str:
    state = "yes" if host.active else "no"
    draining = ", draining" if host.draining else ""
    return f"{state}{draining}{', disk full' if host.disk_full_since else ''}"


def _of_notifier(notifier: Notifier) -> str:
    return listed(str(one) for one in (notifier.app, notifier.squad) if one) or "all"


def _waiting(notifier: Notifier) -> str:
    return str(notifier.notices.filter(status=NoticeStatus.WAITING).count())


def _names(manager: Any) -> str:
    return listed(str(thing) for thing in manager.all()) or "—"


SECTIONS = (
    Section(
        slug="app",
        icon="app",
        title="Apps",
        one="app",
        model=App,
        key="name",
        fields=("name", "repo_url", "repo_type", "buildpack", "framework", "stack"),
        columns=(
            ("Name", lambda app: app.name),
            ("Repository", lambda app: without_credentials(app.repo_url)),
            ("Stack", lambda app: str(app.stack or "—")),
            ("Swarms", lambda app: _names(app.swarms)),
        ),
        prefetch=("stack", "swarms__app"),
        about="An app is a repository with code, and what builds it.",
        empty="No apps yet. Add the first one: a name and the address of its repository.",
        related=(("Swarms", lambda app: app.swarms.select_related("app")),),
        labels={"repo_url": "Repository", "repo_type": "Kind of repository"},
        empty_labels={"buildpack": "The first that detects it", "stack": "None"},
    ),
    Section(
        slug="squad",
        icon="squad",
        title="Squads",
        one="squad",
        model=Squad,
        fields=("name", "rescue_after"),
        columns=(
            ("Name", lambda squad: squad.name),
            ("Hosts", lambda squad: _names(squad.hosts)),
            ("Swarms", lambda squad: _names(squad.swarms)),
            (
                "Rescue after",
                lambda squad: f"{squad.rescue_after} s" if squad.rescue_after else "—",
            ),
        ),
        prefetch=("hosts", "swarms__app"),
        about="A squad is a group of identically provisioned hosts that swarms spread over.",
        empty="No squads yet. Add one, then put hosts into it.",
        hosts=lambda squad: [host.name for host in squad.hosts.all()],
        related=(
            ("Hosts", lambda squad: squad.hosts.all()),
            ("Swarms", lambda squad: squad.swarms.select_related("app")),
        ),
    ),
    Section(
        slug="host",
        icon="server",
        title="Hosts",
        one="host",
        model=Host,
        fields=("name", "active", "draining", "squad", "address", "ssh_user", "ssh_port"),
        columns=(
            ("Name", lambda host: host.name),
            ("Squad", lambda host: str(host.squad or "—")),
            ("Active", _activity),
            ("Software", lambda host: host.release or "—"),
        ),
        prefetch=("squad",),
        about="A host is a machine that runs procs under its own Supervisor.",
        empty_labels={"squad": "None"},
        labels={"ssh_user": "SSH user", "ssh_port": "SSH port"},
        hosts=lambda host: [host.name],
        panel="web/parts/host_machine.html",
        empty="No hosts yet. `vr up` adds this machine; others are added here, then prepared.",
    ),
    Section(
        slug="stack",
        icon="layers",
        title="Stacks",
        one="stack",
        model=Stack,
        fields=("name", "desc", "base_image_url", "provisioning_script", "heroku_stack"),
        columns=(
            ("Name", lambda stack: stack.name),
            ("Description", lambda stack: stack.desc or "—"),
            (
                "Active image",
                lambda stack: next((i.name for i in stack.images.all() if i.active), "—"),
            ),
        ),
        prefetch=("images",),
        about="A stack is the operating system that apps are built in and run in.",
        empty="No stacks yet. `vr up` makes one of this machine's own distribution.",
        related=(
            ("Images", lambda stack: stack.images.all()),
            ("Apps", lambda stack: stack.app_set.all()),
        ),
        labels={
            "desc": "Description",
            "base_image_url": "Base image",
            "heroku_stack": "Name for buildpacks",
        },
    ),
    Section(
        slug="buildpack",
        icon="box",
        title="Buildpacks",
        one="buildpack",
        model=Buildpack,
        fields=("repo_url", "repo_type", "desc", "order"),
        columns=(
            ("Repository", lambda pack: without_credentials(pack.repo_url)),
            ("Order", lambda pack: str(pack.order)),
            ("Description", lambda pack: pack.desc or "—"),
        ),
        about="A buildpack turns a repository into something that runs; detection tries each "
        "in order.",
        empty="No buildpacks yet. Add a Heroku buildpack by its repository.",
        related=(("Apps that name it", lambda pack: pack.app_set.all()),),
        labels={"repo_url": "Repository", "repo_type": "Kind of repository", "desc": "Description"},
    ),
    Section(
        slug="ingredient",
        icon="flask",
        title="Ingredients",
        one="ingredient",
        model=Ingredient,
        fields=("name", "config_yaml", "env_yaml"),
        columns=(
            ("Name", lambda ingredient: ingredient.name),
            ("Swarms", lambda ingredient: _names(ingredient.swarms)),
        ),
        prefetch=("swarms__app",),
        about="An ingredient is config that several swarms share.",
        empty="No ingredients yet. Put config here that more than one swarm needs.",
        related=(("Swarms", lambda ingredient: ingredient.swarms.select_related("app")),),
    ),
    Section(
        slug="notifier",
        icon="out",
        title="Notifiers",
        one="notifier",
        model=Notifier,
        fields=("name", "url", "secret", "kinds", "app", "squad", "active"),
        columns=(
            ("Name", lambda notifier: notifier.name),
            ("Address", lambda notifier: notifier.url),
            ("Events", lambda notifier: notifier.kinds),
            ("Of", _of_notifier),
            ("Waiting", _waiting),
        ),
        prefetch=("app", "squad"),
        about="A notifier tells a chat, a mailbox or a webhook of events.",
        empty="No notifiers yet. Add one to hear of failures where you are.",
        panel="web/parts/notifier_test.html",
        related=(("Last notices", lambda notifier: notifier.notices.all()[:10]),),
        empty_labels={"app": "All apps", "squad": "All squads"},
    ),
)
