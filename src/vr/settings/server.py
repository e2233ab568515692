"""Settings of the server's processes, which `vr up` sets or hands on, and a fleet sets itself."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vr.settings.balancers import BALANCERS, NONE, Balancers
from vr.settings.readers import (
    ADDRESS,
    BROKER_URL,
    BUCKET,
    DATABASE,
    EXISTING_FILE,
    FLAG,
    HTTP_URL,
    KEY,
    LIMITS,
    LINES,
    NETWORKS,
    ORIGINS,
    PAIRS,
    PATH,
    PROC_DISK,
    REDIS_URL,
    SIZE,
    SUPERVISOR_URL,
    TEXT,
    UIDS,
    URL_FOLDER,
    WORDS,
    one_of,
    optional,
    seconds,
    whole,
)
from vr.settings.setting import Process, setting
from vr.specs.accounts import DEFAULT_HOST_UIDS
from vr.specs.limits import DEFAULTS, DISK_WATCH

_UP = {Process.UP}
_SERVER = {Process.SERVER}
_TOOLS = {Process.TOOLS}
# What `vr up` checks, and hands on to the server.
_BOTH = _UP | _SERVER
_DAY = 86400


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """What the web processes, workers, beat and management commands are told."""

    secret_key: str = setting(
        "VR_SECRET_KEY",
        KEY,
        "insecure-only-for-tests-and-tools",
        shown="for tests and tools only",
        meaning=(
            "signs sessions and links, and encrypts config at rest. Losing it loses the config; "
            "see [a new key](#a-new-key)"
        ),
        read_by=_SERVER,
        is_hidden=True,
        file_reader=KEY,
    )
    secret_key_fallbacks: tuple[str, ...] = setting(
        "VR_SECRET_KEY_FALLBACKS",
        WORDS,
        "",
        meaning=(
            "former keys, separated by commas; in the file, one a line. "
            "What they signed and encrypted can still be read"
        ),
        read_by=_SERVER,
        is_hidden=True,
        file_reader=LINES,
    )
    database: dict[str, Any] = setting(
        "VR_DATABASE_URL",
        DATABASE,
        "sqlite:///{VR_HOME}/velociraptor.sqlite3",
        shown="SQLite in `VR_HOME`",
        meaning="`postgres://user:password@host/name`; see [fleet mode](fleet.md#postgresql)",
        read_by=_BOTH,
        is_hidden=True,
        file_reader=DATABASE,
    )
    redis_url: str = setting(
        "VR_REDIS_URL",
        REDIS_URL,
        "redis://localhost:6379/0",
        meaning="events, the last state of procs; also the queue unless `VR_BROKER_URL` is set",
        read_by=_SERVER,
        is_hidden=True,
        file_reader=REDIS_URL,
    )
    hosts_redis_url: str = setting(
        "VR_HOSTS_REDIS_URL",
        REDIS_URL,
        "{VR_REDIS_URL}",
        shown="as `VR_REDIS_URL`",
        meaning="the same Redis as other hosts reach it, to tell of their procs",
        read_by=_BOTH,
        is_hidden=True,
        file_reader=REDIS_URL,
    )
    broker_url: str = setting(
        "VR_BROKER_URL",
        BROKER_URL,
        "{VR_REDIS_URL}",
        shown="as `VR_REDIS_URL`",
        meaning="the queue, such as `amqp://user:password@host/`",
        read_by=_BOTH,
        is_hidden=True,
        file_reader=BROKER_URL,
    )
    tls_authority: Path | None = setting(
        "VR_TLS_AUTHORITY",
        optional(EXISTING_FILE, None),
        "",
        shown="the system's",
        meaning=(
            "file of the certificates (PEM) that signed those of Redis (`rediss://`), RabbitMQ "
            "(`amqps://`) and the file store"
        ),
        read_by=_BOTH,
    )
    files: Path = setting(
        "VR_FILES",
        PATH,
        "{VR_HOME}/files",
        meaning="builds, images, logs",
        read_by=_BOTH,
    )
    s3_bucket: str = setting(
        "VR_S3_BUCKET",
        optional(BUCKET, ""),
        "",
        shown="none: files lie in `VR_FILES`",
        meaning="the bucket that builds, images and logs lie in; see [fleet mode](fleet.md#files)",
        read_by=_BOTH,
    )
    s3_endpoint: str = setting(
        "VR_S3_ENDPOINT",
        optional(HTTP_URL, ""),
        "",
        shown="Amazon's",
        meaning="address of the S3-compatible service; hosts and browsers reach it by it, too",
        read_by=_BOTH,
    )
    s3_region: str = setting(
        "VR_S3_REGION",
        ADDRESS,
        "us-east-1",
        meaning="its region",
        read_by=_BOTH,
    )
    s3_access_key: str = setting(
        "VR_S3_ACCESS_KEY",
        TEXT,
        "",
        shown="what Amazon's tools find",
        meaning="who we are there",
        read_by=_BOTH,
    )
    s3_secret_key: str = setting(
        "VR_S3_SECRET_KEY",
        TEXT,
        "",
        shown="what Amazon's tools find",
        meaning="the key's secret",
        read_by=_BOTH,
        is_hidden=True,
        file_reader=KEY,
    )
    files_base_url: str = setting(
        "VR_FILES_BASE_URL",
        optional(HTTP_URL, ""),
        "",
        meaning="where hosts download them; empty: hosts see the folder itself",
        read_by=_BOTH,
    )
    accel_prefix: str = setting(
        "VR_ACCEL_PREFIX",
        optional(URL_FOLDER, ""),
        "",
        meaning=(
            "where an nginx in front of the server has the [file store](api.md#files) to itself, "
            "such as `/stored/`; empty: there is none"
        ),
        read_by=_BOTH,
    )
    static: Path = setting(
        "VR_STATIC",
        PATH,
        "{VR_HOME}/static",
        meaning="where `manage collectstatic` puts the pages' style sheets and scripts",
        read_by=_BOTH,
    )
    upload_mb: int = setting(
        "VR_UPLOAD_MB",
        whole(1, 1 << 20),
        "1024",
        meaning="the largest droplet that may be uploaded, or brought by a stager",
        read_by=_BOTH,
    )
    largest_swarm: int = setting(
        "VR_LARGEST_SWARM",
        whole(1, 60_000),
        "1000",
        meaning="the most procs that a swarm may have",
        read_by=_BOTH,
    )
    host_uids: range = setting(
        "VR_HOST_UIDS",
        UIDS,
        DEFAULT_HOST_UIDS,
        meaning=(
            "user ids on hosts, one for each app whose `run_as` is `nobody`; none is given twice, "
            "so no account and no container of others may have them"
        ),
        read_by=_BOTH,
    )
    default_limits: dict[str, Any] = setting(
        "VR_DEFAULT_LIMITS",
        LIMITS,
        DEFAULTS,
        meaning=(
            "limits of new procs whose swarms don't set them, by the keys of proc.yaml; `none` for "
            "none. `disk_limit` needs loop devices on hosts"
        ),
        read_by=_BOTH,
    )
    proc_disk: str | None = setting(
        "VR_PROC_DISK",
        PROC_DISK,
        DISK_WATCH,
        meaning=(
            "what a new proc without a `disk_limit` may write outside its volumes; `none`: as much "
            "as there is. Its host looks every few seconds, and stops one that wrote more"
        ),
        read_by=_BOTH,
    )
    free_disk: int = setting(
        "VR_FREE_DISK",
        SIZE,
        "1G",
        meaning=(
            "hosts with less disk left, where they keep their procs, get no new ones; `0`: all do"
        ),
        read_by=_BOTH,
    )
    runtimes: dict[str, str] = setting(
        "VR_RUNTIMES",
        PAIRS,
        "",
        meaning=(
            "what the runtimes of [droplets](stager.md#droplets-in-velociraptor) are called in "
            "images, if not by their names: `ruby=/opt/ruby/bin/ruby,…`"
        ),
        read_by=_BOTH,
    )
    nats_queue: str = setting(
        "VR_NATS_QUEUE",
        ADDRESS,
        "staging",
        meaning="the queue that the stagers serve",
        read_by=_BOTH,
    )
    farm_seconds: int = setting(
        "VR_FARM_SECONDS",
        whole(1, _DAY),
        "3600",
        meaning="how long a build by the farm may wait and take",
        read_by=_BOTH,
    )
    balancers: Balancers = setting(
        "VR_BALANCERS_FILE",
        optional(BALANCERS, NONE),
        "",
        shown="the dummy balancer",
        meaning="YAML with `BALANCERS`; see [balancers](balancers.md)",
        read_by=_SERVER,
    )
    default_balancer: str = setting(
        "VR_DEFAULT_BALANCER",
        TEXT,
        "",
        shown="the first one",
        meaning="what forms offer first",
        read_by=_SERVER,
    )
    supervisor_url: str = setting(
        "VR_SUPERVISOR_URL",
        SUPERVISOR_URL,
        "unix://{VR_HOME}/run/supervisor.sock",
        meaning="the local host's Supervisor",
        read_by=_SERVER,
    )
    tools: Path = setting(
        "VR_TOOLS",
        PATH,
        str(Path(sys.executable).parent),
        shown="beside the worker's Python",
        meaning="folder of `vrun` and `vrun_precise` on the local host",
        read_by=_BOTH,
    )
    start_seconds: float = setting(
        "VR_START_SECONDS",
        seconds(1, _DAY),
        "60",
        meaning="how long a new proc may take until it is ready",
        read_by=_BOTH,
    )
    settle_seconds: int = setting(
        "VR_SETTLE_SECONDS",
        whole(0, _DAY),
        "10",
        meaning=(
            "how long new procs must stay up, routed, before old ones go, for swarms that don't "
            "say; 0: not at all"
        ),
        read_by=_BOTH,
    )
    hold_seconds: int = setting(
        "VR_HOLD_SECONDS",
        whole(60, 30 * _DAY),
        "86400",
        meaning=(
            "how long a version that is swarmed with `--hold` waits for `vr route`, before it is "
            "removed again"
        ),
        read_by=_BOTH,
    )
    canary_seconds: int = setting(
        "VR_CANARY_SECONDS",
        whole(1, _DAY),
        "60",
        meaning="how long the procs of `--canary` are tried, for dispatches that don't say",
        read_by=_BOTH,
    )
    metrics_access: str = setting(
        "VR_METRICS_ACCESS",
        one_of("token", "loopback", "off"),
        "token",
        meaning=(
            "who may read [/metrics](reference/metrics.md): users of the API; or also whoever asks "
            "on this machine, apps without a network of their own included; or nobody"
        ),
        read_by=_BOTH,
    )
    otlp_endpoint: str = setting(
        "VR_OTLP_ENDPOINT",
        optional(HTTP_URL, ""),
        "",
        meaning=(
            "an OpenTelemetry collector, such as `http://127.0.0.1:4318`, that gets a "
            "[trace of each dispatch](operations.md#traces); empty: none does"
        ),
        read_by=_BOTH,
    )
    otlp_headers: dict[str, str] = setting(
        "VR_OTLP_HEADERS",
        PAIRS,
        "",
        meaning="headers that it wants, such as `Authorization=Bearer …`",
        read_by=_BOTH,
        is_hidden=True,
    )
    notice_networks: tuple[str, ...] = setting(
        "VR_NOTICE_NETWORKS",
        NETWORKS,
        "",
        meaning=(
            "networks beside the internet that [notices](operations.md#notices) may be sent to, "
            "such as `10.0.0.0/8`: who may add a notifier could reach them through this server"
        ),
        read_by=_BOTH,
    )
    log_format: str = setting(
        "VR_LOG_FORMAT",
        one_of("text", "json"),
        "text",
        meaning=(
            "how web, workers and beat write their logs: lines for people, or a "
            "[JSON object each](operations.md#logs-for-machines)"
        ),
        read_by=_BOTH,
    )
    uptest_seconds: int = setting(
        "VR_UPTEST_SECONDS",
        whole(0, _DAY),
        "900",
        meaning=(
            "how often every proc is [uptested](swarms.md#uptests-between-dispatches) between "
            "dispatches; 0: never"
        ),
        read_by=_BOTH,
    )
    log_mb: int = setting(
        "VR_LOG_MB",
        whole(1, 100_000),
        "10",
        meaning="how large a proc's log grows before it is rotated: from its next deploy on",
        read_by=_BOTH,
    )
    log_backups: int = setting(
        "VR_LOG_BACKUPS",
        whole(1, 100),
        "3",
        meaning=(
            "how many rotated logs of that size are kept of each proc. More of them give `vr logs "
            "-f` more time to follow a flood"
        ),
        read_by=_BOTH,
    )
    drain_seconds: float = setting(
        "VR_DRAIN_SECONDS",
        seconds(0, _DAY),
        "35",
        meaning="how long old requests may take to end before old procs are retired",
        read_by=_BOTH,
    )
    consul: str = setting(
        "VR_CONSUL",
        optional(ADDRESS, ""),
        "",
        meaning=(
            "address that procs get as `CONSUL` in their environment, for the [pilot](pilot.md)"
        ),
        read_by=_BOTH,
    )
    etcd: str = setting(
        "VR_ETCD",
        optional(ADDRESS, ""),
        "",
        meaning="the same as `ETCD`",
        read_by=_BOTH,
    )
    allowed_hosts: tuple[str, ...] = setting(
        "VR_ALLOWED_HOSTS",
        WORDS,
        "*",
        meaning=(
            "comma-separated, for a server behind [a name of its own](api.md#a-name-of-its-own)"
        ),
        read_by=_BOTH,
    )
    trusted_origins: tuple[str, ...] = setting(
        "VR_TRUSTED_ORIGINS",
        ORIGINS,
        "",
        meaning=(
            "the same, as origins: `https://vr.example.org`. Are all of them `https`, the pages' "
            "cookies are for TLS alone"
        ),
        read_by=_BOTH,
    )
    site_title: str = setting(
        "VR_SITE_TITLE",
        TEXT,
        "Velociraptor",
        meaning="tells installations apart",
        read_by=_BOTH,
    )
    debug: bool = setting(
        "VR_DEBUG",
        FLAG,
        "no",
        shown="off",
        meaning="Django's debug pages; never in production",
        read_by=_BOTH,
    )
