"""From the BALANCERS setting to balancers (docs/reference/balancer.md#settings)."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from vr.balancer.base import Balancer
from vr.errors import InvalidInput

# Where the original and its later versions kept them, in settings that still say so.
_FORMER_PACKAGES = ("vr.common.balancer.", "vr.server.balancer.")
BUNDLED = ("vr.balancer.dummy.DummyBalancer", "vr.balancer.nginx.NginxBalancer")


def load(name: str, settings: Mapping[str, Mapping[str, Any]]) -> Balancer:
    """The balancer that BALANCERS calls `name`.

    Raises InvalidInput for a name that isn't there (listing those that are), a BACKEND that
    can't be imported or is no balancer, and for what the backend says about its settings.
    """
    if name not in settings:
        known = ", ".join(sorted(settings)) or "none is set up"
        raise InvalidInput("BALANCERS", [f"there is no balancer {name!r}; known: {known}"])
    config = settings[name]
    where = f"BALANCERS, {name}"
    path = config.get("BACKEND")
    if not isinstance(path, str) or "." not in path:
        raise InvalidInput(
            where, [f"BACKEND: is {path!r}, expected a class such as {', '.join(BUNDLED)}"]
        )
    backend = _import(current_path(path), where)
    return backend({key: value for key, value in config.items() if key != "BACKEND"})


def current_path(path: str) -> str:
    """The dotted path of today for one of former versions."""
    for package in _FORMER_PACKAGES:
        if path.startswith(package):
            return "vr.balancer." + path.removeprefix(package)
    return path


def _import(path: str, where: str) -> type[Balancer]:
    module_name, _, class_name = path.rpartition(".")
    try:
        backend = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError) as error:
        raise InvalidInput(
            where,
            [f"BACKEND: {path} can't be loaded ({error}); bundled are {', '.join(BUNDLED)}"],
        ) from None
    if not (isinstance(backend, type) and issubclass(backend, Balancer)):
        raise InvalidInput(where, [f"BACKEND: {path} is not a Balancer"])
    return backend
