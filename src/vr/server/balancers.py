"""The balancers that the settings name."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings

from vr.balancer import loader
from vr.balancer.base import Balancer
from vr.errors import InvalidInput
from vr.server.hosts import connect_from_settings


@lru_cache(maxsize=64)
def balancer_named(name: str) -> Balancer:
    """The balancer of that name, one for the life of the process; raises InvalidInput."""
    return loader.load(name, settings.BALANCERS, connect_from_settings)


def pool_url(balancer: str, pool: str) -> str:
    """Where a pool answers, if its balancer gives every pool an address; else empty."""
    try:
        return balancer_named(balancer).address(pool)
    except InvalidInput:
        return ""  # whoever routes there is told


def our_name_of(balancer: str, pool: str) -> str:
    """The host name of the pages if the pool would answer by it, else empty: browsers would send
    the app our users' sessions."""
    name = urlsplit(pool_url(balancer, pool)).hostname or ""
    return name if name in settings.UI_HOST_NAMES else ""
