"""The reference names all that there is: each key, field, message and signal of a format."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from vr.agent.rpc import VelociraptorRPC
from vr.balancer.base import Balancer
from vr.builder.environment import DEFAULT_PASSED, script_environment
from vr.dea import messages as dea_messages
from vr.dea.config import DeaConfig
from vr.events.procs import proc_object
from vr.pilot import read_config, read_discovery, read_jobs, read_telemetry
from vr.pilot.metrics import OWN_METRICS
from vr.pilot.template.functions import FUNCTIONS
from vr.server.resources import TABLE
from vr.server.streams.urls import urlpatterns
from vr.specs.build import BuildResult, BuildSpec
from vr.specs.image import ImageSpec
from vr.specs.limits import LIMITS
from vr.specs.proc import ProcYaml
from vr.stager import request
from vr.stager.config import StagerConfig
from vr.stager.plugins.registry import BUNDLED
from vr.stager.task import DONE, STEPS

REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "reference"


def fields(*structs: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for each in structs for field in msgspec.structs.fields(each)}


def told(page: str) -> str:
    """The page's text."""
    return (REFERENCE / page).read_text(encoding="utf-8")


def named(page: str) -> set[str]:
    """What the page sets as code: whole spans, and the words in them."""
    spans = re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", told(page), flags=re.S | re.M))
    words = {word for span in spans for word in re.findall(r"[\w$-]+", span)}
    return {*spans, *words}


def rows(page: str) -> set[str]:
    """What stands as code in the first column of the page's tables."""
    cells = re.findall(r"^\| ([^|]*) \|", told(page), re.MULTILINE)
    spans = {span for cell in cells for span in re.findall(r"`([^`]+)`", cell)}
    return {*spans, *(span.split(".")[0] for span in spans)}


PROC = proc_object("host", {"name": "shop"})
ENVIRONMENT = script_environment(
    BuildSpec(app_name="a", app_repo_url="u", app_repo_type="git", version="v"), "r", {}
)
DEA_SUBJECTS = {
    *("dea.start", "dea.advertise", "dea.discover", "dea.<id>.start", "dea.stop", "dea.update"),
    *("dea.find.droplet", "dea.status", "droplet.status", "dea.locate", "healthmanager.start"),
    *("dea.heartbeat", "droplet.exited", "router.register", "router.unregister", "router.start"),
}


@pytest.mark.parametrize(
    ("page", "things"),
    [
        ("proc-yaml.md", fields(ProcYaml) - {"extra"}),
        ("build-yaml.md", fields(BuildSpec, BuildResult)),
        ("image-yaml.md", fields(ImageSpec)),
        ("buildpack.md", set(ENVIRONMENT)),
        ("staging.md", fields(StagerConfig, request.StagingRequest, request.Properties)),
        ("dea.md", fields(DeaConfig, dea_messages.StartMessage)),
        ("dea.md", DEA_SUBJECTS - {"dea.locate", "healthmanager.start", "router.start"}),
        ("pilot.md", set(read_config._KEYS) - {"onStart"}),
        ("pilot.md", {*read_config._SERVICE_KEYS, *read_config._BACKEND_KEYS}),
        ("pilot.md", {*read_jobs.TASK_KEYS, *read_jobs.COPROCESS_KEYS}),
        ("host-messages.md", set(PROC)),
    ],
)
def test_every_key_has_a_row(page: str, things: set[str]) -> None:
    assert sorted(things - rows(page)) == []


@pytest.mark.parametrize(
    ("page", "things"),
    [
        ("buildpack.md", set(DEFAULT_PASSED)),
        ("staging.md", fields(request.Resources, request.RuntimeInfo, request.FrameworkInfo)),
        ("staging.md", set(BUNDLED)),
        ("dea.md", {*fields(dea_messages.Filter, dea_messages.Limits), *DEA_SUBJECTS}),
        ("pilot.md", {"onStart", *read_telemetry.KEYS, *read_telemetry._SENSOR_KEYS}),
        ("pilot.md", set(FUNCTIONS)),
    ],
)
def test_every_word_of_a_format_is_named(page: str, things: set[str]) -> None:
    assert sorted(things - named(page)) == []


@pytest.mark.parametrize("resource", TABLE, ids=lambda resource: resource.name)
def test_every_resource_has_its_row_with_all_fields_and_search_keys(resource: Any) -> None:
    name = re.escape(resource.name)
    row = re.search(rf"^\| \*?`{name}`\*? \|(.*)\|(.*)\|$", told("http-api.md"), re.MULTILINE)
    assert row, f"{resource.name} has no row"
    fields = set(re.findall(r"`(\w+)`", row[1]))
    if re.search(r"\blimits\b", row[1]):
        # One sentence below the table names them.
        fields |= {name for name in LIMITS if f"`{name}`" in told("http-api.md")}
    assert {field.name for field in resource.fields} <= fields
    assert set(resource.filters) == set(re.findall(r"\w+", row[2]))
    if not resource.read_only:
        starred = set(re.findall(r"\*`(\w+)`\*", row[1]))
        assert starred == {field.name for field in resource.fields if not field.writable}


@pytest.mark.parametrize("pattern", urlpatterns, ids=str)
def test_every_stream_has_its_heading(pattern: Any) -> None:
    name = str(pattern.pattern).split("/")[0]
    assert f"\n## {name}\n" in told("streams.md")


@pytest.mark.parametrize("metric", OWN_METRICS)
def test_every_metric_is_named(metric: str) -> None:
    assert metric.removeprefix("process_") in named("pilot.md")


@pytest.mark.parametrize("kind", [VelociraptorRPC, Balancer])
def test_every_method_is_named(kind: type) -> None:
    page = "balancer.md" if kind is Balancer else "host-messages.md"
    methods = {name for name in vars(kind) if not name.startswith("_")}
    assert methods - named(page) == set()


def test_every_step_of_a_staging_is_told_with_its_error() -> None:
    page = told("staging.md")
    assert [step for step in STEPS if f"| {step[0]} | {step[1]} |" not in page] == []
    assert f"`{DONE}`" in page


def test_the_defaults_told_are_those_of_the_code() -> None:
    page = told("pilot.md")
    assert f"| {read_config.DEFAULT_STOP_TIMEOUT} |" in page
    assert f"`{read_discovery.ETCD_PREFIX}`" in page
    dea = msgspec.structs.fields(DeaConfig)
    numbers = {field.name: field.default for field in dea if isinstance(field.default, int)}
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\| ([^|]*) \|", told("dea.md"), re.MULTILINE)
    shown = {name: default for name, default in rows if name in numbers and default.isdigit()}
    assert {name: int(default) for name, default in shown.items()} == {
        name: numbers[name] for name in shown
    }
    assert len(shown) >= 6
