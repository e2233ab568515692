"""The balancers that the settings name."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from vr.balancer import loader
from vr.balancer.base import Balancer


@lru_cache(maxsize=64)
def balancer_named(name: str) -> Balancer:
    """The balancer of that name, one for the life of the process; raises InvalidInput."""
    return loader.load(name, settings.BALANCERS)
