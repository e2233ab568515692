"""The `consul` or `etcd` part of a configuration (docs/reference/pilot.md)."""

from __future__ import annotations

from vr.pilot.config import ConsulSettings, EtcdSettings
from vr.pilot.endpoints import parse_endpoint
from vr.pilot.shape import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Union

    from vr.pilot.shape import Section

ETCD_PREFIX = "/containerpilot"
_CONSUL_PORT, _ETCD_PORT = 8500, 2379


def read_discovery(top: Section) -> Union[ConsulSettings, EtcdSettings, None]:
    """Exactly one of the two; None if there is a problem, which has been noted."""
    consul, etcd = top.raw("consul"), top.raw("etcd")
    # As in 2.0, an empty address counts as absent.
    if consul == "":
        consul = None
    if (consul is None) == (etcd is None):
        found = "No" if consul is None else "More than one"
        top.problems.add("", f"{found} discovery backend defined: expected `consul` or `etcd`")
        return None
    return _etcd(top) if consul is None else _consul(top, consul)


def _consul(top: Section, value: Any) -> ConsulSettings | None:
    token, key, section = "", "consul", top
    if isinstance(value, dict):
        inner = top.section("consul", ("address", "scheme", "token"))
        assert inner is not None
        section, key, token = inner, "address", inner.text("token")
        scheme = inner.text("scheme")
        value = inner.raw("address") or f"127.0.0.1:{_CONSUL_PORT}"
        if scheme not in ("", "http", "https"):
            inner.problem("scheme", f"expected http or https, got {shown(scheme)}")
        if isinstance(value, str) and scheme and "://" not in value:
            value = f"{scheme}://{value}"
    if any(not " " < character < "\x7f" for character in token):
        section.problem("token", "expected letters, digits and signs only")
    try:
        return ConsulSettings(*parse_endpoint(value, None), token=token)
    except (ValueError, TypeError, AttributeError):
        expected = "host:port, http://host:port or https://host:port"
        section.problem(key, f"expected the agent's address as {expected}, got {shown(value)}")
        return None


def _etcd(top: Section) -> EtcdSettings | None:
    section = top.section("etcd", ("endpoints", "prefix", "api"))
    if section is None:
        return None
    raw = section.raw("endpoints")
    texts = [raw] if isinstance(raw, str) and raw else raw or []
    if not texts:
        section.problem("endpoints", "Must provide etcd endpoints, such as http://etcd:2379")
    endpoints = []
    for text in texts if isinstance(texts, list) else [texts]:
        try:
            endpoints.append(parse_endpoint(text, _ETCD_PORT))
        except (ValueError, TypeError, AttributeError):
            section.problem("endpoints", f"expected http://host:port, got {shown(text)}")
    api = str(section.raw("api") or "2").lower().lstrip("v")
    if api not in ("2", "3"):
        section.problem("api", f'expected "v2" or "v3", got {shown(section.raw("api"))}')
    prefix = section.text("prefix") or ETCD_PREFIX
    return EtcdSettings(tuple(endpoints), prefix, 3 if api == "3" else 2)
