"""Addresses of the event streams, below /api/streams/."""

from __future__ import annotations

from django.urls import URLPattern, path

from vr.server.streams.build_log import build_log
from vr.server.streams.dispatch import dispatch
from vr.server.streams.events import events
from vr.server.streams.proc_changes import proc_changes
from vr.server.streams.proc_log import proc_log

urlpatterns: list[URLPattern] = [
    path("events/", events),
    path("proc_changes/", proc_changes),
    path("proc_log/<str:host>/<str:proc>/", proc_log),
    path("dispatch/<str:trace_id>/", dispatch),
    path("build_log/<str:build_id>/", build_log),
]
