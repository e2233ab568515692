"""Addresses of the event streams, below /api/streams/."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
