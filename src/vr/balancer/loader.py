"""From the BALANCERS setting to balancers (docs/reference/balancer.md#settings)."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from vr.balancer import former_names
from vr.balancer.adapted import METHODS, AdaptedBalancer
from vr.balancer.base import Balancer
from vr.balancer.several_hosts import HostsBalancer
from vr.errors import InvalidInput
from vr.hosts.connection import HostConnection
from vr.hosts.supervisor import HostUnreachable

BUNDLED = ("vr.balancer.dummy.DummyBalancer", "vr.balancer.nginx.NginxBalancer")
_HERE = ("localhost",)
_FURTHER = (
    "set_nodes",
    "get_backups",
    "delete_pool",
    "delete_pool_if_empty",
    "wait_drained",
    "address",
)

Connect = Callable[[str], HostConnection]


def load(name: str, settings: Mapping[str, Mapping[str, Any]], connect: Connect) -> Balancer:
    """The balancer that BALANCERS calls `name`; `connect` makes connections to its `hosts`.

    Raises InvalidInput for a name that isn't there (listing those that are), a BACKEND that
    can't be imported or is no balancer, and for what the backend says about its settings.
    """
    if name not in settings:
        known = ", ".join(sorted(settings)) or "none is set up"
        raise InvalidInput("BALANCERS", [f"there is no balancer {name!r}; known: {known}"])
    entry = settings[name]
    where = f"BALANCERS, {name}"
    path = entry.get("BACKEND")
    if not isinstance(path, str) or "." not in path:
        raise InvalidInput(
            where, [f"BACKEND: is {path!r}, expected a class such as {', '.join(BUNDLED)}"]
        )
    backend: Any = _import(former_names.current_path(path), where)
    config = {key: value for key, value in entry.items() if key != "BACKEND"}
    balancer: Balancer
    if issubclass(backend, HostsBalancer):
        balancer = _on_hosts(backend, config, where, connect)
    elif issubclass(backend, Balancer) and _does_more(backend):
        balancer = backend(config)
    else:
        balancer = AdaptedBalancer(config, backend)
    return balancer


def _does_more(backend: type[Balancer]) -> bool:
    """Has the class more of its own than the three methods?"""
    return any(getattr(backend, name) is not getattr(Balancer, name) for name in _FURTHER)


def _on_hosts(backend: Any, config: Mapping[str, Any], where: str, connect: Connect) -> Balancer:
    """The balancer with its hosts; raises InvalidInput with the problems of both."""
    hosts, problems = _hosts(config, connect)
    try:
        balancer: Balancer = backend(config, hosts)
    except InvalidInput as error:
        problems += error.problems
    if problems:
        raise InvalidInput(where, problems)
    return balancer


def _hosts(config: Mapping[str, Any], connect: Connect) -> tuple[list[HostConnection], list[str]]:
    """A connection to each of the hosts, one for each machine; and what is wrong with them."""
    names = config.get("hosts") or _HERE
    if not isinstance(names, list | tuple) or not all(isinstance(one, str) for one in names):
        return [], [f"hosts: is {names!r}, expected a list of host names"]
    found: dict[str, HostConnection] = {}
    problems = []
    for name in names:
        try:
            host = connect(name)
            found.setdefault(host.name, host)
        except HostUnreachable as error:
            problems.append(f"hosts: {error.message}")
    return list(found.values()), problems


def _import(path: str, where: str) -> type:
    former_names.let_them_be_imported()
    module_name, _, class_name = path.rpartition(".")
    try:
        backend = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError) as error:
        raise InvalidInput(
            where,
            [f"BACKEND: {path} can't be loaded ({error}); bundled are {', '.join(BUNDLED)}"],
        ) from None
    missing = [method for method in METHODS if not _has(backend, method)]
    if not isinstance(backend, type):
        raise InvalidInput(where, [f"BACKEND: {path} is no class"])
    if missing:
        raise InvalidInput(
            where, [f"BACKEND: {path} is no balancer, as it has no {', '.join(missing)}"]
        )
    return backend


def _has(backend: Any, method: str) -> bool:
    found = getattr(backend, method, None)
    return callable(found) and not getattr(found, "__isabstractmethod__", False)
