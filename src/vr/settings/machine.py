"""Settings that `vr up` is told, on one machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vr.paths import DEFAULT_HOME, DEFAULT_ROOT
from vr.settings.readers import (
    EXISTING_FILE,
    EXISTING_FOLDER,
    FOLDERS,
    HOST,
    HTTP_URL,
    IP_ADDRESS,
    LIMITS,
    NATS_URL,
    PLAIN_FOLDER,
    PORTS,
    TEXT,
    WORDS,
    one_of,
    optional,
    seconds,
    whole,
)
from vr.settings.setting import Process, setting
from vr.specs.limits import BUILD_DEFAULTS, BUILD_SECONDS, FETCH_SECONDS
from vr.specs.volumes import DEFAULT_VOLUME_ROOTS

_UP = {Process.UP}
_SERVER = {Process.SERVER}
_TOOLS = {Process.TOOLS}
# What `vr up` checks, and hands on to the server.
_BOTH = _UP | _SERVER


@dataclass(frozen=True, kw_only=True)
class MachineSettings:
    """What the stack of one machine is told; a fleet sets some of it for its server, too."""

    home: Path = setting(
        "VR_HOME",
        PLAIN_FOLDER,
        DEFAULT_HOME,
        meaning="database, file store, logs, secrets, sockets; at most 87 characters",
        read_by=_BOTH | _TOOLS,
    )
    root: Path = setting(
        "VR_ROOT",
        PLAIN_FOLDER,
        DEFAULT_ROOT,
        meaning="procs, builds, images, layers of this host",
        read_by=_BOTH | _TOOLS,
    )
    volume_roots: tuple[str, ...] = setting(
        "VR_VOLUME_ROOTS",
        FOLDERS,
        DEFAULT_VOLUME_ROOTS,
        meaning=(
            "folders of hosts, separated by commas, that volumes may lie in, and repositories on "
            "the build host's own disk; admins may use "
            "others, and no link may lead out of them. Hosts that are told something else than "
            "the default need it in the environment of their Supervisor, too"
        ),
        read_by=_BOTH | _TOOLS,
    )
    run_as: tuple[str, ...] = setting(
        "VR_RUN_AS",
        WORDS,
        "",
        meaning=(
            "service accounts, such as `www-data`, that apps may run as; else a swarm's `run_as` "
            "is `nobody` or an account with an id from 1000. Told to hosts as `VR_VOLUME_ROOTS` is"
        ),
        read_by=_BOTH | _TOOLS,
    )
    bind: str = setting(
        "VR_BIND",
        IP_ADDRESS,
        "127.0.0.1",
        meaning="address that the web UI and the balancer listen on; `0.0.0.0` for everybody",
        read_by=_UP,
    )
    hosts_address: str = setting(
        "VR_HOSTS_ADDRESS",
        optional(IP_ADDRESS, ""),
        "",
        meaning=(
            "address of this machine at which [other hosts](hosts.md) reach its Redis and its "
            "files; empty: there are none"
        ),
        read_by=_UP,
    )
    hosts_redis_port: int = setting(
        "VR_HOSTS_REDIS_PORT",
        whole(1, 65535),
        "6379",
        meaning="Redis there",
        read_by=_UP,
    )
    web_port: int = setting(
        "VR_WEB_PORT",
        whole(1, 65535),
        "8000",
        meaning="web UI and API",
        read_by=_UP,
    )
    http_port: int = setting(
        "VR_HTTP_PORT",
        whole(1, 65535),
        "8080",
        meaning="the balancer: `http://<pool>.localhost:8080/`",
        read_by=_UP,
    )
    ports: range = setting(
        "VR_PORT_RANGE",
        PORTS,
        "5000-5999",
        meaning="ports given to procs",
        read_by=_BOTH,
    )
    local_host: str = setting(
        "VR_LOCAL_HOST",
        optional(HOST, ""),
        "",
        shown="`127.0.0.1`; in a fleet, the machine's own names",
        meaning="this host's name; the balancer connects to procs by it",
        read_by=_BOTH,
    )
    builder: str = setting(
        "VR_BUILDER",
        one_of("local", "nats"),
        "local",
        meaning=(
            "who builds: the workers (`local`), or "
            "[stagers on NATS](stager.md#a-build-farm) (`nats`)"
        ),
        read_by=_BOTH,
    )
    nats_uri: str = setting(
        "VR_NATS_URI",
        optional(NATS_URL, ""),
        "",
        shown="`vr up` runs a NATS server, and a stager; in a fleet `nats://127.0.0.1:4222`",
        meaning="with `VR_BUILDER=nats`: your NATS server, `nats://user:password@host:port`",
        read_by=_BOTH,
        is_hidden=True,
        file_reader=NATS_URL,
    )
    nats_port: int = setting(
        "VR_NATS_PORT",
        whole(1, 65535),
        "4222",
        meaning="port on loopback of the NATS server that `vr up` runs",
        read_by=_UP,
    )
    farm_url: str = setting(
        "VR_FARM_URL",
        optional(HTTP_URL, ""),
        "",
        shown="the web UI's address; in a fleet `VR_FILES_BASE_URL`",
        meaning="where stagers reach this server",
        read_by=_BOTH,
    )
    worker_threads: int = setting(
        "VR_WORKER_THREADS",
        whole(1, 64),
        "16",
        meaning="threads that carry swarms on; one app gets at most half of them, and those that "
        "wait (for uptests, say) hold none",
        read_by=_UP,
    )
    build_threads: int = setting(
        "VR_BUILD_THREADS",
        whole(1, 64),
        "4",
        meaning="builds made at once; one app gets at most half of them",
        read_by=_UP,
    )
    keepalive_seconds: int = setting(
        "VR_KEEPALIVE_SECONDS",
        whole(0, 3600),
        "0",
        meaning=(
            "how long the balancer keeps idle client connections open. With 0 no request is "
            "ever lost; see [balancers](balancers.md)"
        ),
        read_by=_UP,
    )
    stack_image: Path | None = setting(
        "VR_STACK_IMAGE",
        optional(EXISTING_FILE, None),
        "",
        shown="the newest that `vimage stack` keeps in `/var/cache/velociraptor/stack`",
        meaning="the stack's image that a new installation starts with",
        read_by=_UP,
    )
    buildpacks: Path | None = setting(
        "VR_BUILDPACKS",
        optional(EXISTING_FOLDER, None),
        "",
        shown="those that come with Velociraptor",
        meaning="folder of the buildpacks called `bundled:NAME`",
        read_by=_BOTH | _TOOLS,
    )
    build_pass_env: str = setting(
        "VR_BUILD_PASS_ENV",
        TEXT,
        "",
        meaning=(
            "more variables of the host's environment that builds may see (pip, npm, proxy and "
            "CA settings always do); see [builder](builder.md)"
        ),
        read_by=_BOTH | _TOOLS,
    )
    build_limits: dict[str, Any] = setting(
        "VR_BUILD_LIMITS",
        LIMITS,
        BUILD_DEFAULTS,
        meaning=(
            "limits of each build, and of each script that makes an image, by the keys of "
            "proc.yaml; `none` for none. Disk is looked at now and then. The memory of what "
            "frameworks' stagers run is told by each task"
        ),
        read_by=_BOTH | _TOOLS,
    )
    build_seconds: float = setting(
        "VR_BUILD_SECONDS",
        seconds(1, 86400),
        f"{BUILD_SECONDS:g}",
        meaning="how long either may take",
        read_by=_BOTH | _TOOLS,
    )
    fetch_seconds: float = setting(
        "VR_FETCH_SECONDS",
        seconds(1, 86400),
        f"{FETCH_SECONDS:g}",
        meaning="how long each command of git or hg may take that fetches an app or a buildpack",
        read_by=_BOTH | _TOOLS,
    )
