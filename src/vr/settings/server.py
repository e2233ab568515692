"""Settings of the server's processes, which `vr up` sets or hands on, and a fleet sets itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vr.settings.readers import (
    ADDRESS,
    BROKER_URL,
    BUCKET,
    DATABASE,
    EXISTING_FILE,
    FLAG,
    HTTP_URL,
    KEY,
    LINES,
    ORIGINS,
    PATH,
    REDIS_URL,
    TEXT,
    URL_FOLDER,
    WORDS,
    optional,
    whole,
)
from vr.settings.setting import Process, setting

_UP = {Process.UP}
_SERVER = {Process.SERVER}
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
