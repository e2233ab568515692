"""The log's links lead to where the API shows a record."""

from __future__ import annotations

import pytest

from vr.server.records.addresses import address_of
from vr.server.resources import TABLE


@pytest.mark.parametrize(
    "resource", [one for one in TABLE if not one.read_only], ids=lambda one: one.name
)
def test_a_record_has_the_address_of_its_resource(resource: object) -> None:
    record = resource.model(pk=7)  # type: ignore[attr-defined]
    if hasattr(record, "name") and resource.key == "name":  # type: ignore[attr-defined]
        record.name = "a/b"
    assert address_of(record) == resource.uri(record)  # type: ignore[attr-defined]
