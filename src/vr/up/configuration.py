"""All that the stack's parts read, as files, and the stamps of parts that go by it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from vr.files.atomic import write_atomic
from vr.up import changes, farm, redis_conf, render, secrets, stamps
from vr.up.config import Config


@dataclass(frozen=True)
class Configuration:
    """Files by their paths, and stamps by part, in the order in which parts are started."""

    files: Mapping[Path, str]
    stamps: Mapping[str, str]

    def write(self, *, only_missing: bool = False) -> None:
        """Put the files in their places. Whoever reads one sees the former or the new one."""
        for path, text in self.files.items():
            if only_missing and path.exists():
                continue
            path.parent.mkdir(mode=0o700, exist_ok=True)
            write_atomic(path, text, mode=0o600)


def bin_folder() -> Path:
    """Where the commands of this installation are: beside its Python."""
    return Path(sys.executable).parent


def wanted(config: Config, code: str) -> Configuration:
    """What `config` and the secrets of the installation make of it. `code` is the digest of
    what is installed."""
    read = _read_by_parts(config)
    files = {
        config.nginx_conf: render.nginx_conf(config),
        **_redis_files(config),
        config.balancers_file: render.balancers_yaml(config),
        config.client_file: _client_file(config),
        **(_farm_files(config) if config.has_own_farm else {}),
    }
    programs, found = [], {}
    for program in render.programs(config, bin_folder()):
        name = program.name
        told = [files.get(path) or path.read_text() for path in read.get(name, ())]
        if name in changes.OURS:
            told += [program.render(config, bin_folder()), json.dumps(dict(program.environment))]
        found[name] = stamps.stamp(code if name in changes.OURS else "", told)
        programs.append(_stamped(program, found[name]))
    files[config.supervisord_conf] = render.supervisord_conf(config, programs, bin_folder())
    for program in programs:
        environment = json.dumps(dict(program.environment), indent=2)
        files[config.environment_of(program.name)] = environment + "\n"
    return Configuration(files, found)


def _stamped(program: render.Program, stamp: str) -> render.Program:
    """The program, with its stamp where it lasts.

    Others' programs write over what the kernel tells of their environment: supervisord compares
    their sections instead.
    """
    if program.name in changes.OURS:
        return replace(program, environment={**program.environment, stamps.VARIABLE: stamp})
    if program.name in changes.REREADING:
        return program
    return replace(program, extra=f'{program.extra}environment={stamps.VARIABLE}="{stamp}"\n')


def _read_by_parts(config: Config) -> dict[str, tuple[Path, ...]]:
    """The files that parts read when they start, by part."""
    server: tuple[Path, ...] = (
        *(config.balancers_file, config.secret_key_file, config.former_keys_file),
        *((config.redis_url_file, config.hosts_redis_url_file) if config.has_hosts else ()),
    )
    return {
        **dict.fromkeys(changes.SERVER, server),
        "redis": (config.redis_conf,),
        "nginx": (config.nginx_conf,),
        "nats": (config.nats_conf,),
        "stager": (config.stager_yml,),
    }


def _redis_files(config: Config) -> dict[Path, str]:
    if not config.has_hosts:
        return {config.redis_conf: redis_conf.redis_conf(config)}
    own, hosts = (secrets.read(config, name) for name in ("redis-password", "hosts-redis-password"))
    return {
        config.redis_conf: redis_conf.redis_conf(config, own, hosts),
        config.redis_url_file: redis_conf.redis_url(config, own) + "\n",
        config.hosts_redis_url_file: redis_conf.hosts_redis_url(config, hosts) + "\n",
    }


def _farm_files(config: Config) -> dict[Path, str]:
    token = secrets.read(config, "nats-token")
    return {
        config.nats_conf: farm.nats_conf(config, token),
        config.stager_yml: farm.stager_yml(config, token),
        config.nats_uri_file: farm.nats_uri(config, token) + "\n",
    }


def _client_file(config: Config) -> str:
    token = secrets.read(config, "cli-token")
    return json.dumps({"url": config.web_url, "token": token}, indent=2) + "\n"
