"""What every page's template knows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from vr.server.web.pages import navigation, page_at


def site(request: HttpRequest) -> dict[str, Any]:
    """`site_title`, `vr_version`, the `navigation`, and the Page that is visited as `this_page`."""
    match = request.resolver_match
    is_ours = match is not None and match.namespace == "web"
    return {
        "site_title": settings.VR_SITE_TITLE,
        "vr_version": settings.VR_VERSION,
        "navigation": navigation(),
        "this_page": page_at(match.url_name) if match and is_ours else None,
    }
