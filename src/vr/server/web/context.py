"""What every page's template knows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """`site_title` and `vr_version`."""
    return {"site_title": settings.VR_SITE_TITLE, "vr_version": settings.VR_VERSION}
