"""What kind of address a notifier has."""

from __future__ import annotations

from urllib.parse import urlsplit

WEBHOOK = "webhook"


def service_of(url: str) -> str:
    """What sends to the address: WEBHOOK, or the name of Apprise's service; empty if nothing does.

    Some services' own addresses of webhooks are known to Apprise; others are one's own.
    """
    # It is large, and only who changes a notifier needs it.
    import apprise

    service = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    if service is not None:
        return str(service.service_name)[:100]
    try:
        parts = urlsplit(url)
        is_webhook = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return ""
    return WEBHOOK if is_webhook else ""
