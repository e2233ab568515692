"""Configurations: what they mean, and what is said of wrong ones."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vr.pilot.config import ConsulSettings, EtcdSettings
from vr.pilot.errors import ConfigError
from vr.pilot.interfaces import Address
from vr.pilot.jsontext import parse_json
from vr.pilot.load import load, read_source
from vr.pilot.read_config import ContainerFacts, read_config

ADDRESSES = [Address.parse("eth0", "10.2.0.1"), Address.parse("lo", "127.0.0.1")]
CONSUL = {"consul": "consul:8500"}
SERVICE = {"name": "app", "port": 80, "poll": 10, "ttl": 30}

README = {
    "consul": "consul:8500",
    "onStart": "/opt/containerpilot/onStart-script.sh  a",
    "logging": {"level": "INFO", "format": "default", "output": "stdout"},
    "stopTimeout": 5,
    "preStop": "/opt/containerpilot/preStop-script.sh",
    "postStop": ["/opt/containerpilot/postStop-script.sh", "an argument"],
    "services": [
        {
            "name": "app",
            "port": 80,
            "health": ["/usr/bin/curl", "--fail", "-s", "http://localhost/app"],
            "interfaces": ["eth0", "eth1[1]", "192.168.0.0/16", "inet"],
            "poll": 10,
            "ttl": 30,
            "tags": ["tag1"],
        }
    ],
    "backends": [{"name": "nginx", "poll": 30, "onChange": "/opt/containerpilot/reload-app.sh"}],
    "telemetry": {
        "port": 9090,
        "sensors": [
            {
                "name": "metric_id",
                "help": "help text",
                "type": "counter",
                "poll": 5,
                "check": ["/bin/sensor.sh"],
            }
        ],
    },
}


def read(document):
    return read_config(document, ContainerFacts("web1", ADDRESSES, lambda text: text))


def problems(document):
    with pytest.raises(ConfigError) as caught:
        read(document)
    return list(caught.value.problems)


def test_the_readmes_example():
    config = read(README)
    assert config.discovery == ConsulSettings(False, "consul", 8500)
    assert config.pre_start == ("/opt/containerpilot/onStart-script.sh", "", "a")
    assert config.warnings == ("DEPRECATION WARNING: use `preStart` instead of `onStart`",)
    (app,) = config.services
    assert (app.record.id, app.record.address, app.record.port) == ("app-web1", "10.2.0.1", 80)
    assert (app.record.ttl, app.record.tags, app.poll, app.timeout) == (30, ("tag1",), 10, 10.0)
    assert config.telemetry.service.record.id == "containerpilot-web1"
    assert config.exported() == {
        "CONTAINERPILOT_APP_IP": "10.2.0.1",
        "CONTAINERPILOT_CONTAINERPILOT_IP": "10.2.0.1",
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("consul:8500", ConsulSettings(False, "consul", 8500)),
        ("http://consul:8500", ConsulSettings(False, "consul", 8500)),
        ("https://consul:8501/", ConsulSettings(True, "consul", 8501)),
        ("https://consul", ConsulSettings(True, "consul", 443)),
        ("[fd00::1]:8500", ConsulSettings(False, "fd00::1", 8500)),
        ({"address": "c:1", "scheme": "https", "token": "t"}, ConsulSettings(True, "c", 1, "t")),
        ({}, ConsulSettings(False, "127.0.0.1", 8500)),
    ],
)
def test_consuls_address(value, expected):
    assert read({"consul": value}).discovery == expected


def test_etcds_endpoints():
    assert read({"etcd": {"endpoints": "http://etcd:4001"}}).discovery == EtcdSettings(
        ((False, "etcd", 4001),), "/containerpilot", 2
    )
    settings = {"endpoints": ["https://a:1", "b"], "prefix": "/p", "api": "v3"}
    assert read({"etcd": settings}).discovery == EtcdSettings(
        ((True, "a", 1), (False, "b", 2379)), "/p", 3
    )


def test_commands_are_cut_at_single_spaces_and_lists_taken_as_they_are():
    config = read({**CONSUL, "preStart": "  a 'b c' ", "preStop": ["a b", ""], "postStop": ""})
    assert config.pre_start == ("a", "'b", "c'")
    assert config.pre_stop == ("a b", "")
    assert config.post_stop is None


def test_case_of_keys_numbers_as_strings_and_durations():
    service = {"NAME": "app", "Port": "81", "poll": 3, "TTL": 9, "timeout": "1m30s"}
    task = {"name": "t", "command": "x", "frequency": "1500ms"}
    config = read({"CONSUL": "c:1", "Services": [service], "tasks": [task]})
    (app,) = config.services
    assert (app.record.port, app.poll, app.record.ttl, app.timeout) == (81, 3, 9, 90.0)
    assert (config.tasks[0].frequency, config.tasks[0].timeout) == (1.5, 1.5)


@pytest.mark.parametrize(("value", "expected"), [(0, 5), (None, 5), (-1, -1), (7, 7)])
def test_stop_timeout(value, expected):
    assert read({**CONSUL, "stopTimeout": value}).stop_timeout == expected


@pytest.mark.parametrize(
    ("value", "expected"), [("never", 0), (None, 0), ("unlimited", None), (3, 3), ("4", 4)]
)
def test_restarts(value, expected):
    config = read({**CONSUL, "coprocesses": [{"command": "x", "restarts": value}]})
    assert config.coprocesses[0].restarts == expected


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ([], "Could not parse configuration: expected an object, got []"),
        ({}, "No discovery backend defined"),
        ({"consul": ""}, "No discovery backend defined"),
        ({**CONSUL, "etcd": {"endpoints": "x"}}, "More than one discovery backend defined"),
        ({"etcd": {}}, "etcd.endpoints: Must provide etcd endpoints"),
        ({"consul": "a:b:c"}, "consul: expected the agent's address as host:port"),
        ({**CONSUL, "sevices": []}, "Unknown config keys: [sevices] (did you mean services?)"),
        (
            {**CONSUL, "preStart": 5},
            "preStart: Could not parse `preStart`: "
            "Command argument must be a string or an array, got 5",
        ),
        ({**CONSUL, "stopTimeout": "soon"}, "stopTimeout: Could not parse configuration: expected"),
        ({**CONSUL, "services": {}}, "services: Service configuration error: expected a list"),
        ({**CONSUL, "services": [3]}, "services[0]: Service configuration error: expected an obj"),
        ({**CONSUL, "services": [{**SERVICE, "name": ""}]}, "service must have a `name`"),
        (
            {**CONSUL, "services": [{**SERVICE, "poll": 0}]},
            "services[0].poll: `poll` must be > 0 in service app: got 0",
        ),
        ({**CONSUL, "services": [{**SERVICE, "ttl": -1}]}, "`ttl` must be > 0 in service app"),
        ({**CONSUL, "services": [{**SERVICE, "port": 0}]}, "`port` must be > 0 in service app"),
        ({**CONSUL, "services": [{**SERVICE, "port": 70000}]}, "`port` must be at most 65535"),
        (
            {**CONSUL, "services": [{**SERVICE, "health": [1]}]},
            "Could not parse `health` in service app: Command argument must be",
        ),
        ({**CONSUL, "services": [{**SERVICE, "interfaces": 3}]}, "must be a string or an array"),
        (
            {**CONSUL, "services": [{**SERVICE, "interfaces": "!"}]},
            "Unable to parse interface spec",
        ),
        ({**CONSUL, "services": [SERVICE, SERVICE]}, "services[1].name: `name` must be unique"),
        ({**CONSUL, "backends": [{"poll": 1, "onChange": "x"}]}, "backend must have a `name`"),
        (
            {**CONSUL, "backends": [{"name": "b", "poll": 1, "onChange": ""}]},
            "backends[0].onChange: `onChange` is required in backend b",
        ),
        (
            {**CONSUL, "backends": [{"name": "b", "poll": 1, "onChange": 5}]},
            "Could not parse `onChange` in backend b",
        ),
        ({**CONSUL, "logging": {"level": "LOUD"}}, "logging.level: Unknown log level 'LOUD'"),
        ({**CONSUL, "logging": {"format": "xml"}}, "Unknown log format 'xml'"),
        ({**CONSUL, "logging": {"output": "file"}}, "Unknown output type 'file'"),
        (
            {**CONSUL, "telemetry": {"sensors": [{"name": "a", "type": "timer"}]}},
            "Invalid sensor type: timer",
        ),
        (
            {**CONSUL, "coprocesses": [{"command": "x", "restarts": -1}]},
            'Invalid \'restarts\' field -1: accepts positive integers, "unlimited" or "never"',
        ),
        ({**CONSUL, "tasks": [{"command": "x"}]}, "tasks[0].frequency: `frequency` is required"),
    ],
)
def test_a_problem_names_path_value_and_expectation(document, expected):
    assert any(expected in problem for problem in problems(document)), problems(document)


def test_all_problems_come_at_once_in_order():
    found = problems({"preStop": {}, "services": [{}], "backends": [{}]})
    paths = [problem.split(":")[0] for problem in found]
    assert paths == [
        "preStop",
        "No discovery backend defined",
        "backends[0].name",
        "backends[0].onChange",
        "backends[0].poll",
        "services[0].name",
        "services[0].poll",
        "services[0].ttl",
        "services[0].port",
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [("<>", "[1:1]"), ('{\n    "test": ,\n}', "[2:13]"), ("{\n\n\n\n    a: 1\n}", "[5:5]")],
)
def test_a_syntax_error_shows_its_place(text, place):
    with pytest.raises(ConfigError) as caught:
        parse_json(text)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(f"Parse error at line:col {place}: ")
    line, column = map(int, place.strip("[]").split(":"))
    assert lines[-2] == f"{line:5d}: {text.splitlines()[line - 1]}"
    assert lines[-1].index("^") == 6 + column


def test_a_missing_file_is_named():
    with pytest.raises(ConfigError, match="open /no/such: no such file or directory"):
        read_source("file:///no/such")
    with pytest.raises(ConfigError, match="-config flag is required"):
        read_source("")


def test_a_value_that_breaks_the_json_is_named_but_not_shown():
    with pytest.raises(ConfigError) as caught:
        load('{"consul": "{{.API_TOKEN}}"}', {"API_TOKEN": 'abc"\ndef'})
    text = str(caught.value)
    assert "the value of API_TOKEN contains a quote" in text
    assert "{{json .API_TOKEN}}" in text
    assert "abc" not in text
    assert "def" not in text


def test_secrets_are_masked_in_problems_and_dumps():
    environ = {"DB_PASSWORD": "hunter22"}
    with pytest.raises(ConfigError) as caught:
        load('{"consul": {"address": "{{.DB_PASSWORD}}:x"}}', environ)
    assert "hunter22" not in str(caught.value)
    text = '{"consul": {"address": "c:1", "token": "tt"}, "preStart": "x {{.DB_PASSWORD}}"}'
    shown = load(text, environ).shown
    assert "hunter22" not in shown
    assert '"token": "***"' in shown


KEYS = st.sampled_from(
    [
        *("consul", "etcd", "preStart", "services", "backends", "telemetry", "tasks", "name"),
        *("coprocesses", "logging", "port", "poll", "ttl", "health", "interfaces", "sensors"),
        *("check", "type", "help", "frequency", "restarts", "endpoints", "api", "stopTimeout"),
        *("onChange", "tag", "tags", "timeout", "command", "level", "Services", "unknown"),
    ]
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["1s", "lo", "inet", "true", "consul:8500", "never", "gauge", "3"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=20,
)


DOCUMENTS = st.dictionaries(KEYS, JSON, max_size=8)
TEXTS = st.text(max_size=80) | JSON.map(json.dumps).map(lambda text: text[:-1])


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS, TEXTS)
def test_anything_is_read_or_refused_with_reasons(document, text):
    read_or_refuse(document, text)


@pytest.mark.scale
@settings(max_examples=20_000, deadline=None)
@given(DOCUMENTS, TEXTS)
def test_twenty_thousand_configurations(document, text):
    read_or_refuse(document, text)


def read_or_refuse(document, text):
    document.setdefault("consul", "c:1")
    try:
        config = read(document)
    except ConfigError as error:
        assert error.problems
        assert all(problem.strip() for problem in error.problems)
    else:
        assert all(service.poll > 0 and service.record.ttl > 0 for service in config.services)
    try:
        load("{" + text, {"A": "x"})
    except ConfigError as error:
        assert str(error)
