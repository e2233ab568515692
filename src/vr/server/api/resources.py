"""The table of resources: what the API shows and lets be changed (api-v1.md 3 and 4)."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User

from vr.server import models
from vr.server.api import procs
from vr.server.api.dispatches import latest_uri, seconds_of, steps_of
from vr.server.api.fields import (
    Answering,
    Computed,
    Flag,
    Integer,
    Link,
    Links,
    Mapping,
    Moment,
    StoredFile,
    Text,
    Volumes,
    find_linked,
    yaml_text,
)
from vr.server.api.filters import Through
from vr.server.api.guards import (
    app_guard,
    build_guard,
    host_guard,
    release_guard,
    squad_guard,
    stack_guard,
    swarm_guard,
)
from vr.server.api.resource import Resource


def _procs_uri(source: Any, answering: Answering) -> str:
    resource = HOSTS if isinstance(source, models.Host) else SWARMS
    return f"{resource.uri(source)}procs/"


BUILDPACKS: Resource = Resource(
    name="buildpacks",
    noun="buildpack",
    model=models.Buildpack,
    label="repo_url",
    fields=(
        Text(name="repo_url"),
        Text(name="repo_type"),
        Text(name="desc", nullable=True),
        Integer(name="order"),
    ),
    filters={"repo_url": "repo_url", "repo_type": "repo_type"},
    order=("order", "id"),
)

STACKS: Resource = Resource(
    name="stacks",
    noun="stack",
    model=models.Stack,
    key="name",
    fields=(
        Text(name="name"),
        Text(name="desc"),
        Text(name="base_image_url", nullable=True),
        Text(name="heroku_stack"),
        Text(name="provisioning_script"),
        Computed(
            name="active_image",
            value=lambda stack, _: image.name if (image := stack.active_image) else None,
        ),
    ),
    filters={"name": "name", "id": "id"},
    order=("name",),
    guard=stack_guard,
)

IMAGES: Resource = Resource(
    name="images",
    noun="image",
    model=models.Image,
    label="name",
    fields=(
        Text(name="name"),
        Link(name="stack", to=lambda: STACKS),
        StoredFile(name="file"),
        Text(name="md5", nullable=True),
        Flag(name="active"),
        Moment(name="created"),
    ),
    filters={"name": "name", "active": "active", "stack": Through(lambda: STACKS)},
    order=("-id",),
    select=("stack",),
    read_only=True,
)

APPS: Resource = Resource(
    name="apps",
    noun="app",
    model=models.App,
    key="name",
    fields=(
        Text(name="name"),
        Text(name="repo_url"),
        Text(name="repo_type"),
        Link(name="buildpack", to=lambda: BUILDPACKS),
        Link(name="stack", to=lambda: STACKS),
        # The original rewrote schemes here from the server's hgrc; nothing of ours does.
        Computed(name="resolved_url", value=lambda app, _: app.repo_url),
    ),
    filters={
        "id": "id",
        "name": "name",
        "buildpack": Through(lambda: BUILDPACKS),
        "stack": Through(lambda: STACKS),
    },
    order=("name",),
    select=("buildpack", "stack"),
    guard=app_guard,
)

HOSTS: Resource = Resource(
    name="hosts",
    noun="host",
    model=models.Host,
    key="name",
    fields=(
        Text(name="name"),
        Flag(name="active"),
        Link(name="squad", to=lambda: SQUADS),
        Computed(name="procs_uri", value=_procs_uri),
        Computed(name="procs", value=procs.of_host, shape="array"),
        Computed(name="heard_from", value=procs.heard_from, shape="object"),
    ),
    filters={"name": "name", "active": "active"},
    order=("name",),
    select=("squad",),
    guard=host_guard,
)

SQUADS: Resource = Resource(
    name="squads",
    noun="squad",
    model=models.Squad,
    key="name",
    fields=(Text(name="name"), Links(name="hosts", to=lambda: HOSTS, full=True)),
    filters={"name": "name", "hosts": Through(lambda: HOSTS)},
    order=("name",),
    prefetch=("hosts__squad",),
    guard=squad_guard,
)

INGREDIENTS: Resource = Resource(
    name="ingredients",
    noun="ingredient",
    model=models.Ingredient,
    label="name",
    fields=(
        Text(name="name"),
        Mapping(name="config_yaml"),
        Mapping(name="env_yaml"),
        Computed(
            name="swarms",
            value=lambda ingredient, _: [SWARMS.uri(one) for one in ingredient.swarms.all()],
            shape="array",
        ),
    ),
    filters={"name": "name"},
    order=("name",),
    prefetch=("swarms",),
)

BUILDS: Resource = Resource(
    name="builds",
    noun="build",
    model=models.Build,
    fields=(
        Link(name="app", to=lambda: APPS),
        Text(name="tag"),
        Text(name="status", writable=False),
        StoredFile(name="file"),
        StoredFile(name="compile_log"),
        Text(name="file_md5", nullable=True, writable=False),
        Text(name="hash", nullable=True, writable=False),
        Text(name="error", writable=False),
        Moment(name="start_time"),
        Moment(name="end_time"),
        Mapping(name="env_yaml"),
        Text(name="buildpack_url", nullable=True, writable=False),
        Text(name="buildpack_version", nullable=True, writable=False),
        Text(name="revision", nullable=True, writable=False),
        Link(name="image", to=lambda: IMAGES, writable=False),
    ),
    filters={"app": Through(lambda: APPS), "tag": "tag", "status": "status"},
    order=("-id",),
    select=("app", "image"),
    guard=build_guard,
)


def _name_by_content(release: models.Release) -> None:
    """A release gets its hash once its build is done; until then it has none."""
    if release.build.is_usable:
        release.hash = release.compute_hash()


RELEASES: Resource = Resource(
    name="releases",
    noun="release",
    model=models.Release,
    fields=(
        Link(name="build", to=lambda: BUILDS),
        Mapping(name="config_yaml"),
        Mapping(name="env_yaml"),
        Volumes(name="volumes"),
        Text(name="run_as"),
        Text(name="mem_limit", nullable=True),
        Text(name="memsw_limit", nullable=True),
        Text(name="hash", nullable=True, writable=False),
        Computed(name="compiled_name", value=lambda release, _: release.compiled_name),
        Moment(name="created"),
    ),
    filters={"build": Through(lambda: BUILDS)},
    order=("-id",),
    select=("build__app", "build__image"),
    guard=release_guard,
    finish=_name_by_content,
)


def _version_of_release(data: dict[str, Any]) -> dict[str, Any]:
    """A swarm that is given a release, and no version, takes that release's tag."""
    if "version" not in data and data.get("release"):
        try:
            data["version"] = find_linked(RELEASES, data["release"]).build.tag
        except ValueError as error:
            raise ValueError(f"release: {error}") from None
    return data


SWARMS: Resource = Resource(
    name="swarms",
    noun="swarm",
    model=models.Swarm,
    fields=(
        Link(name="app", to=lambda: APPS),
        Link(name="squad", to=lambda: SQUADS),
        Text(name="version", attribute="tag"),
        Link(name="release", to=lambda: RELEASES, writable=False),
        Text(name="config_name"),
        Text(name="proc_name"),
        Integer(name="size"),
        Text(name="pool", nullable=True),
        Text(name="balancer", nullable=True),
        Mapping(name="config_yaml"),
        Mapping(name="env_yaml"),
        Volumes(name="volumes", attribute="volumes_yaml"),
        Text(name="run_as"),
        Text(name="mem_limit", nullable=True),
        Text(name="memsw_limit", nullable=True),
        Links(name="config_ingredients", to=lambda: INGREDIENTS),
        Computed(name="name", value=lambda swarm, _: swarm.name),
        Computed(name="shortname", value=lambda swarm, _: swarm.shortname),
        Computed(name="app_name", value=lambda swarm, _: swarm.app.name),
        Computed(name="squad_name", value=lambda swarm, _: swarm.squad.name),
        Computed(
            name="compiled_config", value=lambda swarm, _: swarm.compiled_config(), shape="object"
        ),
        Computed(name="compiled_env", value=lambda swarm, _: swarm.compiled_env(), shape="object"),
        Computed(name="dispatch", value=latest_uri),
        Computed(name="procs_uri", value=_procs_uri),
        Computed(name="procs", value=procs.of_swarm, shape="array"),
    ),
    filters={
        "app": Through(lambda: APPS),
        "squad": Through(lambda: SQUADS),
        "proc_name": "proc_name",
        "config_name": "config_name",
        "pool": "pool",
    },
    order=("app__name", "config_name", "proc_name"),
    select=("app", "squad", "release"),
    prefetch=("config_ingredients",),
    guard=swarm_guard,
    prepare=_version_of_release,
)

DISPATCHES: Resource = Resource(
    name="dispatches",
    noun="dispatch",
    model=models.Dispatch,
    key="trace_id",
    fields=(
        Text(name="trace_id"),
        Text(name="status"),
        Text(name="version", attribute="tag"),
        Integer(name="size"),
        Text(name="error"),
        Text(name="output"),
        Computed(name="name", value=lambda dispatch, _: dispatch.swarm.name),
        Link(name="swarm", to=lambda: SWARMS),
        Link(name="build", to=lambda: BUILDS),
        Link(name="release", to=lambda: RELEASES),
        Link(name="previous_release", to=lambda: RELEASES),
        Computed(
            name="user",
            value=lambda dispatch, _: dispatch.user.get_username() if dispatch.user else None,
        ),
        Moment(name="created"),
        Moment(name="started"),
        Moment(name="ended"),
        Computed(name="seconds", value=lambda dispatch, _: seconds_of(dispatch), shape="number"),
        Computed(name="steps", value=lambda dispatch, _: steps_of(dispatch), shape="array"),
    ),
    filters={"swarm": Through(lambda: SWARMS), "status": "status", "tag": "tag"},
    order=("-id",),
    select=("swarm__app", "release", "previous_release", "build", "user"),
    prefetch=("steps",),
    read_only=True,
)

TEST_RESULTS: Resource = Resource(
    name="testresults",
    noun="test result",
    model=models.TestResult,
    fields=(
        Link(name="testrun", to=lambda: TEST_RUNS),
        Moment(name="time"),
        Text(name="hostname"),
        Text(name="procname"),
        Flag(name="passed"),
        Computed(name="testcount", value=lambda result, _: result.testcount, shape="integer"),
        Computed(name="results", value=lambda result, _: yaml_text(result.results)),
    ),
    select=("testrun",),
    read_only=True,
)

TEST_RUNS: Resource = Resource(
    name="testruns",
    noun="test run",
    model=models.TestRun,
    fields=(
        Moment(name="start"),
        Moment(name="end"),
        Links(name="testresults", to=lambda: TEST_RESULTS, full=True),
    ),
    order=("-id",),
    prefetch=("testresults__testrun",),
    read_only=True,
)

USERS: Resource = Resource(
    name="user",
    noun="user",
    model=User,
    label="username",
    fields=(
        Text(name="username"),
        Text(name="first_name"),
        Text(name="last_name"),
        Moment(name="date_joined"),
        Moment(name="last_login"),
        Computed(name="profile", value=lambda user, _: None, shape="object"),
    ),
    filters={"username": "username"},
    read_only=True,
)

LOGS: Resource = Resource(
    name="logs",
    noun="log entry",
    model=models.LogEntry,
    fields=(
        Text(name="type"),
        Moment(name="time"),
        Text(name="message"),
        Computed(
            name="user",
            value=lambda entry, answering: (
                USERS.dump(entry.user, answering) if entry.user else None
            ),
            shape="object",
        ),
    ),
    filters={"type": "type", "time": "time", "message": "message", "user": Through(lambda: USERS)},
    order=("-id",),
    select=("user",),
    read_only=True,
)

EVENTS: Resource = Resource(
    name="events",
    noun="event",
    model=models.Event,
    fields=(
        Moment(name="time"),
        Text(name="title"),
        Text(name="message"),
        Computed(name="tags", value=lambda event, _: event.tags, shape="array"),
        Text(name="swarm_id", attribute="trace_id", nullable=True),
        Text(name="about", attribute="resource_uri", nullable=True),
    ),
    filters={"swarm_id": "trace_id", "time": "time", "title": "title"},
    order=("-id",),
    read_only=True,
)

TABLE: tuple[Resource, ...] = (
    APPS,
    BUILDPACKS,
    BUILDS,
    DISPATCHES,
    EVENTS,
    HOSTS,
    IMAGES,
    INGREDIENTS,
    LOGS,
    RELEASES,
    SQUADS,
    STACKS,
    SWARMS,
    TEST_RESULTS,
    TEST_RUNS,
    USERS,
)
