"""The HTTP API, version 1 (reference: api-v1.md)."""

from __future__ import annotations

from ninja import NinjaAPI

api = NinjaAPI(title="Velociraptor", version="1")
