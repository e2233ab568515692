"""What is sent to Consul and etcd, and what their answers mean."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr.pilot.config import Record
from vr.pilot.discovery import consul, etcd2, etcd3
from vr.pilot.discovery.base import Instance, changed
from vr.pilot.errors import DiscoveryError
from vr.pilot.httpwire import Response

RECORD = Record("app-web1", "app", "10.0.0.1", 80, 30)
A, B = Instance("a", "10.0.0.1", 1), Instance("b", "10.0.0.2", 2)


def test_consuls_registration_carries_its_check_and_leaves_out_what_is_empty():
    assert consul.registration(RECORD) == {
        "ID": "app-web1",
        "Name": "app",
        "Port": 80,
        "Address": "10.0.0.1",
        "Check": {
            "CheckID": "app-web1",
            "Name": "app-web1",
            "Notes": "TTL for app set by containerpilot",
            "TTL": "30s",
        },
    }
    extras = RECORD._replace(tags=("x",), enable_tag_override=True, deregister_after="90m")
    body = consul.registration(extras)
    assert (body["Tags"], body["EnableTagOverride"]) == (["x"], True)
    assert body["Check"]["DeregisterCriticalServiceAfter"] == "90m"


def test_consuls_answers():
    entry = {"Node": {"Address": "10.9.9.9"}, "Service": {"ID": "a", "Address": "", "Port": 5}}
    assert consul.parse_instances(json.dumps([entry]).encode()) == [Instance("a", "10.9.9.9", 5)]
    gone = Response(500, b'CheckID "x" does not have associated TTL', True)
    assert consul.unknown_check(gone)
    assert not consul.unknown_check(Response(500, b"rpc error", True))
    assert consul.unexpected(gone) == (
        'Unexpected response code: 500 (CheckID "x" does not have associated TTL)'
    )


def test_etcds_keys():
    assert etcd2.key_path("/containerpilot", "a b", "a/b") == "/v2/keys/containerpilot/a%20b/a%2Fb"
    value = {"id": "app-web1", "name": "app", "address": "10.0.0.1", "port": 80}
    assert etcd2.service_value(RECORD) == value
    assert etcd2.service_value(RECORD._replace(tags=("x",))) == {**value, "tags": ["x"]}
    assert etcd3.after_prefix("/containerpilot/app/") == "/containerpilot/app0"


def test_leaves_of_an_etcd_directory_are_filtered_by_tag():
    blue = json.dumps({"id": "a", "address": "x", "port": 1, "tags": ["blue"]})
    plain = json.dumps({"id": "b", "address": "x", "port": 1, "tags": None})
    nodes = [{"nodes": [{"value": value}]} for value in (blue, plain, "no json")]
    body = json.dumps({"node": {"nodes": nodes}}).encode()
    assert etcd2.leaf_values(body, "") == [blue, plain, "no json"]
    # What is no JSON has no tags either: it is passed on to be reported.
    assert etcd2.leaf_values(body, "blue") == [blue, "no json"]
    assert etcd2.parse_service("no json") is None


@given(st.binary(max_size=60) | st.sampled_from([b"[]", b"{}", b"[{}]", b"[[]]", b"null", b"[1]"]))
def test_strange_answers_are_errors_and_never_crash(body):
    for parse in (consul.parse_instances, lambda body: etcd2.leaf_values(body, "x")):
        try:
            assert isinstance(parse(body), list)
        except DiscoveryError as error:
            assert str(error).startswith("the answer is not")
    assert etcd2.error_code(Response(404, body, True)) == 0


def test_values_of_etcd3_are_base64():
    kvs = [{"value": base64.b64encode(b"x").decode()}]
    assert etcd3.values(kvs) == ["x"]
    assert not etcd3.lease_lives({"result": {"ID": "1"}})
    assert etcd3.lease_lives({"result": {"ID": "1", "TTL": "5"}})


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ([], [], False),
        ([], [A], True),
        ([A, B], [B, A], False),
        ([A], [A._replace(id="z")], False),
        ([A], [A._replace(port=9)], True),
        ([A], [A._replace(address="10.0.0.9")], True),
        ([A, B], [A], True),
    ],
)
def test_only_count_address_and_port_are_changes(before, now, expected):
    assert changed(before, now) is expected
