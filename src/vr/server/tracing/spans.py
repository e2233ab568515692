"""A dispatch's rows as spans, in the JSON of OTLP. Pure.

Ids follow from the dispatch's own trace id, so that what is sent twice is the same trace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from vr import __version__

_OK, _ERROR = 1, 2
_INTERNAL = 1


@dataclass(frozen=True)
class Span:
    """Something that began and ended; `error` is why it failed, empty if it did not."""

    name: str
    began: datetime
    ended: datetime
    error: str = ""
    is_good: bool = True
    attributes: Mapping[str, str | int] = field(default_factory=dict)


def request(traces: Iterable[tuple[str, Span, Iterable[Span]]], site: str) -> dict[str, Any]:
    """What an OTLP endpoint is sent of `traces`: each its id (32 hex digits), the span of the
    dispatch, and those of its steps. `site` tells installations apart."""
    spans: list[dict[str, Any]] = []
    for trace_id, whole, steps in traces:
        root = _span_id(trace_id, "")
        spans.append(_encoded(trace_id, root, "", whole))
        spans += (_encoded(trace_id, _span_id(trace_id, one.name), root, one) for one in steps)
    resource = {
        "service.name": "velociraptor",
        "service.version": __version__,
        "service.namespace": site,
    }
    scope = {"name": "vr.server.swarming", "version": __version__}
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes(resource)},
                "scopeSpans": [{"scope": scope, "spans": spans}],
            }
        ]
    }


def _encoded(trace_id: str, span_id: str, parent: str, span: Span) -> dict[str, Any]:
    code = _ERROR if span.error or not span.is_good else _OK
    found: dict[str, Any] = {
        "traceId": trace_id,
        "spanId": span_id,
        "name": span.name,
        "kind": _INTERNAL,
        "startTimeUnixNano": _nanoseconds(span.began),
        "endTimeUnixNano": _nanoseconds(max(span.began, span.ended)),
        "attributes": _attributes(span.attributes),
        "status": {"code": code, **({"message": span.error} if span.error else {})},
    }
    return {**found, "parentSpanId": parent} if parent else found


def _attributes(values: Mapping[str, str | int]) -> list[dict[str, Any]]:
    return [
        {
            "key": key,
            "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value},
        }
        for key, value in values.items()
    ]


def _span_id(trace_id: str, name: str) -> str:
    return hashlib.sha256(f"{trace_id}/{name}".encode()).hexdigest()[:16]


def _nanoseconds(moment: datetime) -> str:
    # Whole microseconds first: a float has too few digits.
    return str(round(moment.timestamp() * 1_000_000) * 1000)
