"""Whether a notifier can be what it is to be: asked at every door, before it is stored."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings

from vr.errors import InvalidInput
from vr.server.models import Notifier
from vr.server.notices.choosing import expected, unknown, words
from vr.server.notices.networks import is_permitted


def check_notifier(notifier: Notifier) -> None:
    """Raise InvalidInput with all that is wrong with its events and its address.

    Where names lead is seen as something is sent, not here: they may lead elsewhere by then.
    """
    problems = []
    if wrong := unknown(notifier.kinds):
        problems.append(f"kinds: {', '.join(wrong)} is none of {expected()}")
    if not words(notifier.kinds):
        problems.append(f"kinds: is empty, expected some of {expected()}")
    if notifier.is_webhook and (host := _forbidden_host(notifier.stored_url)):
        problems.append(
            f"url: {host} is an address that is not of the internet, and lies in none of "
            "VR_NOTICE_NETWORKS; an admin of this server may add its network there"
        )
    if problems:
        raise InvalidInput(f"notifier {notifier.name}", problems)


def _forbidden_host(url: str) -> str:
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return "" if is_permitted("127.0.0.1", settings.NOTICE_NETWORKS) else host
    try:
        ip_address(host)
    except ValueError:
        return ""
    return "" if is_permitted(host, settings.NOTICE_NETWORKS) else host
