"""Names that settings and classes of former versions use, and what they mean today."""

from __future__ import annotations

import sys
from types import ModuleType

# Where the original and its later versions kept balancers.
_FORMER_PACKAGES = ("vr.common.balancer", "vr.server.balancer")


def current_path(path: str) -> str:
    """The dotted path of today for one of former versions."""
    for package in _FORMER_PACKAGES:
        if path.startswith(f"{package}."):
            return "vr.balancer" + path.removeprefix(package)
    return path


def let_them_be_imported() -> None:
    """Let `from vr.common.balancer import Balancer` work, with which classes of users begin."""
    import vr.balancer

    parent = ModuleType("vr.common", "What others import from here is elsewhere now.")
    parent.__path__ = []
    sys.modules.setdefault(parent.__name__, parent)
    for package in _FORMER_PACKAGES:
        sys.modules.setdefault(package, vr.balancer)
        sys.modules.setdefault(f"{package}.base", vr.balancer.base)
