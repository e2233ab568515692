"""Every page: its address, view and name, its title, and its place in the navigation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.views import LoginView
from django.urls import reverse

from vr.server.web.record_pages import SECTIONS, Section
from vr.server.web.views import (
    action_log,
    builds,
    dashboard,
    hosts,
    notifiers,
    procs,
    records,
    swarms,
)

View = Callable[..., Any]
# The navigation's second part; what stands in it has this heading above it.
PLATFORM = "Platform"


@dataclass(frozen=True)
class Page:
    """A page that people visit. `route` and `name` are Django's, `name` within `web:`.

    `title` is what the browser's tab says, unless the page's template names its record there. An
    `icon` (of static/vr/icons.svg) puts the page into the navigation, below the heading `group`;
    of a page without one, `under` is the name of the page that is lit there instead.
    """

    route: str
    view: View
    name: str
    title: str
    icon: str = ""
    group: str = ""
    under: str = ""
    needs_login: bool = True

    @property
    def address(self) -> str:
        """Its path, for pages that need to be told nothing: those of the navigation."""
        return reverse(f"web:{self.name}")


@dataclass(frozen=True)
class Part:
    """An address that is no page of its own; `of` is the name of the page that it belongs to."""

    route: str
    view: View
    name: str
    of: str


def _pages_of(section: Section) -> tuple[Page, ...]:
    titles = (section.title, f"Add {section.one}", section.one.capitalize())
    rows = zip(records.urls_of(section), (*titles, f"Delete {section.one}"), strict=True)
    (route, view, name), title = next(rows)
    listing = Page(route, view, name, title, icon=section.icon, group=PLATFORM)
    return listing, *(Page(*row, title=title, under=listing.name) for row, title in rows)


PAGES = (
    Page("", dashboard.home, "home", "Dashboard", icon="grid"),
    Page("swarm/", swarms.edit, "swarm_add", "New swarm", icon="swarm"),
    Page("swarm/<int:pk>/", swarms.detail, "swarm", "Swarm", under="home"),
    Page(
        "swarm/<int:pk>/dispatch/<slug:trace_id>/",
        swarms.detail,
        "dispatch",
        "Dispatch",
        under="home",
    ),
    Page("swarm/<int:pk>/edit/", swarms.edit, "swarm_edit", "Edit swarm", under="home"),
    Page("swarm/<int:pk>/delete/", swarms.delete, "swarm_delete", "Delete swarm", under="home"),
    Page("proc/<str:host>/<str:name>/", procs.proc, "proc", "Proc", under="home"),
    Page("build/", builds.builds, "build_list", "Builds", icon="hammer"),
    Page("build/<int:pk>/", builds.build, "build", "Build", under="build_list"),
    Page("log/", action_log.action_log, "log", "Log", icon="list"),
    *(page for section in SECTIONS for page in _pages_of(section)),
    Page(
        "login/",
        LoginView.as_view(template_name="web/login.html", redirect_authenticated_user=True),
        "login",
        "Log in",
        needs_login=False,
    ),
)

FRAGMENTS = (
    Part("fragments/board/", dashboard.board_fragment, "board", of="home"),
    Part("fragments/board/changes/", dashboard.changes_fragment, "board_changes", of="home"),
    Part("fragments/board/swarm/<int:pk>/", dashboard.swarm_fragment, "board_swarm", of="home"),
    Part("fragments/events/", dashboard.events_fragment, "events", of="home"),
    Part("fragments/progress/<slug:trace_id>/", swarms.progress_fragment, "progress", of="swarm"),
    Part("swarm/<int:pk>/procs/", swarms.procs_fragment, "swarm_procs", of="swarm"),
    Part("swarm/<int:pk>/uptests/", swarms.uptests_fragment, "swarm_uptests", of="swarm"),
    Part("build/<int:pk>/facts/", builds.facts_fragment, "build_facts", of="build"),
    Part("proc/<str:host>/<str:name>/facts/", procs.facts_fragment, "proc_facts", of="proc"),
    Part("host/<int:pk>/machine/", hosts.machine_fragment, "host_machine", of="host"),
)
"""What is fetched anew as something changes."""

ACTIONS = (
    Part("swarm/preview/", swarms.preview, "swarm_preview", of="swarm_add"),
    Part("swarm/<int:pk>/dispatch/", swarms.dispatch, "swarm_dispatch", of="swarm"),
    Part("swarm/<int:pk>/scale/", swarms.scale, "swarm_scale", of="swarm"),
    Part("dispatch/<slug:trace_id>/cancel/", swarms.cancel, "dispatch_cancel", of="swarm"),
    Part("dispatch/<slug:trace_id>/route/", swarms.route, "dispatch_route", of="swarm"),
    Part("dispatch/<slug:trace_id>/retry/", swarms.retry, "dispatch_retry", of="swarm"),
    Part("swarm/<int:pk>/rollback/", swarms.rollback, "swarm_rollback", of="swarm"),
    Part("swarm/<int:pk>/uptest/", swarms.uptest, "swarm_uptest", of="swarm"),
    Part("host/<int:pk>/prepare/", hosts.prepare, "host_prepare", of="host"),
    Part("host/<int:pk>/check/", hosts.check, "host_check", of="host"),
    Part("notifier/<int:pk>/test/", notifiers.test, "notifier_test", of="notifier"),
    Part("build/<int:pk>/cancel/", builds.cancel, "build_cancel", of="build"),
    Part("build/upload/", builds.upload, "build_upload", of="build_list"),
    Part("proc/<str:host>/<str:name>/adopt/", procs.adopt, "proc_adopt", of="proc"),
    Part("proc/<str:host>/<str:name>/uptest/", procs.uptest, "proc_uptest", of="proc"),
    Part("proc/<str:host>/<str:name>/<slug:action>/", procs.action, "proc_action", of="proc"),
)
"""What pages POST to, beside their own addresses."""

_BY_NAME = {page.name: page for page in PAGES}
_BY_NAME |= {part.name: _BY_NAME[part.of] for part in FRAGMENTS + ACTIONS}


def page_at(name: str | None) -> Page | None:
    """The page of that name within `web:`, or to which the part of that name belongs.

    None if it is neither: another's page.
    """
    return _BY_NAME.get(name or "")


def navigation() -> list[tuple[str, list[Page]]]:
    """(heading, pages) of the navigation's parts, in order; the first has no heading."""
    parts: dict[str, list[Page]] = {}
    for page in PAGES:
        if page.icon:
            parts.setdefault(page.group, []).append(page)
    return list(parts.items())
