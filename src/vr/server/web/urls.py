"""The addresses of the pages, their fragments and actions. All but the login need a login."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, path

from vr.server.web.pages import ACTIONS, FRAGMENTS, PAGES

app_name = "web"

# Pages and fragments first: the action of a proc is any word.
urlpatterns: list[URLPattern] = [
    path("logout/", LogoutView.as_view(next_page="web:login"), name="logout"),
    *(
        path(one.route, login_required(one.view) if one.needs_login else one.view, name=one.name)
        for one in PAGES
    ),
    *(path(part.route, login_required(part.view), name=part.name) for part in FRAGMENTS + ACTIONS),
]
