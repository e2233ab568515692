"""The `telemetry` part of a configuration (docs/reference/pilot.md#telemetry)."""

from __future__ import annotations

import re

from vr.pilot.config import Record, Sensor, Service, Telemetry
from vr.pilot.metrics import OWN_METRICS
from vr.pilot.shape import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from vr.pilot.shape import Section

KEYS = ("port", "interfaces", "tags", "sensors")
_SENSOR_KEYS = (*("namespace", "subsystem", "name", "help", "type", "poll", "check", "timeout"),)
SERVICE_NAME = "containerpilot"
PORT, POLL, TTL = 9090, 5, 15
KINDS = ("counter", "gauge", "histogram", "summary")


def read_telemetry(
    section: Section, address_of: Callable[[Section], str], hostname: str
) -> Telemetry:
    """`address_of` chooses the address of a section's `interfaces`."""
    # 0 counts as absent, as in Go.
    port = section.positive("port", " in telemetry", most=65535) if section.raw("port") else PORT
    address = address_of(section)
    record = Record(
        id=f"{SERVICE_NAME}-{hostname}",
        name=SERVICE_NAME,
        address=address,
        port=port,
        ttl=TTL,
        tags=section.texts("tags"),
    )
    sensors: list[Sensor] = []
    for inner in section.sections("sensors", _SENSOR_KEYS, "Sensor"):
        sensor = _sensor(inner)
        if any(sensor.metric == other.metric for other in sensors):
            inner.problem("name", f"Sensor configuration error: {sensor.metric} is defined twice")
        sensors.append(sensor)
    return Telemetry(address, port, Service(record, None, POLL, float(POLL)), tuple(sensors))


def _sensor(section: Section) -> Sensor:
    name = section.text("name")
    if not name:
        section.problem("name", "sensor must have a `name`")
    metric = "_".join(filter(None, (section.text("namespace"), section.text("subsystem"), name)))
    where = f" in sensor {name}"
    if name and not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_:]*", metric, re.ASCII):
        section.problem(
            "name", f"{shown(metric)} is no name of a metric, expected letters, digits, _ and :"
        )
    if metric in OWN_METRICS:
        section.problem("name", f"{shown(metric)} is kept for the pilot's own metrics")
    help = section.text("help")
    if not help:
        section.problem("help", f"`help` is required{where}")
    kind = section.text("type").lower()
    if kind not in KINDS:
        got = section.raw("type")
        expected = ", ".join(KINDS)
        section.problem("type", f"Invalid sensor type: {got}, expected one of {expected}")
    poll = section.positive("poll", where)
    check = section.command("check", where)
    if check is None and section.raw("check") in (None, "", []):
        section.problem("check", f"`check` is required{where}")
    timeout = section.seconds("timeout", float(poll)) or 1.0
    return Sensor(metric, help, kind, check or (), poll, timeout)
