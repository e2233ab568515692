"""The addresses of the pages. All but the login need a login."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import URLPattern, path

from vr.server.web.sections import SECTIONS
from vr.server.web.views import builds, dashboard, log, procs, records, swarms

app_name = "web"

_PAGES: list[tuple[str, Any, str]] = [
    ("", dashboard.home, "home"),
    ("fragments/board/", dashboard.board_fragment, "board"),
    ("fragments/events/", dashboard.events_fragment, "events"),
    ("swarm/", swarms.edit, "swarm_add"),
    ("swarm/preview/", swarms.preview, "swarm_preview"),
    ("swarm/<int:pk>/", swarms.detail, "swarm"),
    ("swarm/<int:pk>/edit/", swarms.edit, "swarm_edit"),
    ("swarm/<int:pk>/delete/", swarms.delete, "swarm_delete"),
    ("swarm/<int:pk>/dispatch/", swarms.dispatch, "swarm_dispatch"),
    ("swarm/<int:pk>/scale/", swarms.scale, "swarm_scale"),
    ("swarm/<int:pk>/rollback/", swarms.rollback, "swarm_rollback"),
    ("swarm/<int:pk>/procs/", swarms.procs_fragment, "swarm_procs"),
    ("swarm/<int:pk>/dispatch/<slug:trace_id>/", swarms.detail, "dispatch"),
    ("fragments/progress/<slug:trace_id>/", swarms.progress_fragment, "progress"),
    ("build/", builds.builds, "build_list"),
    ("build/upload/", builds.upload, "build_upload"),
    ("build/<int:pk>/", builds.build, "build"),
    ("build/<int:pk>/facts/", builds.facts_fragment, "build_facts"),
    ("proc/<str:host>/<str:name>/", procs.proc, "proc"),
    ("proc/<str:host>/<str:name>/facts/", procs.facts_fragment, "proc_facts"),
    ("proc/<str:host>/<str:name>/<slug:action>/", procs.action, "proc_action"),
    ("log/", log.log, "log"),
    *(page for section in SECTIONS for page in records.urls_of(section)),
]

urlpatterns: list[URLPattern] = [
    path(
        "login/",
        LoginView.as_view(template_name="web/login.html", redirect_authenticated_user=True),
        name="login",
    ),
    path("logout/", LogoutView.as_view(next_page="web:login"), name="logout"),
    *(path(route, login_required(view), name=name) for route, view, name in _PAGES),
]
