"""What every page's template knows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from vr.server.web.sections import SECTIONS


def site(request: HttpRequest) -> dict[str, Any]:
    """`site_title`, `vr_version`, and the `sections` of the navigation."""
    return {
        "site_title": settings.VR_SITE_TITLE,
        "vr_version": settings.VR_VERSION,
        "sections": SECTIONS,
    }
