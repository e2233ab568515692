"""`vr up` and `vr down` as people ask for them: by systemd where it has the installation in its
care, else by themselves."""

from __future__ import annotations

from collections.abc import Mapping

from vr.up import configuration, lifecycle, systemd
from vr.up.config import Config
from vr.up.waiting import Say


def config_of(env: Mapping[str, str]) -> Config:
    """The settings that the installation named by `env` runs by: its service's, if it has one."""
    config = Config.from_env(env)
    service = systemd.service_of(config)
    return Config.from_env({**env, **service.settings()}) if service.is_there else config


def up(say: Say, env: Mapping[str, str], *, install: bool = False) -> Config:
    """Start it, or bring what runs to the code and settings of now; with `install`, as a service
    of systemd from now on. Returns what it runs by when all is healthy.

    Raises what `lifecycle.up` raises, and InvalidInput if the service has other settings.
    """
    service = systemd.service_of(Config.from_env(env))
    if install:
        Config.from_env({**env, **service.settings(), **systemd.kept(env)})
        systemd.install(Config.from_env(env), configuration.bin_folder(), env)
        say(f"{service.name} is enabled: it starts with the machine")
    config = config_of(env)
    if not service.is_there:
        lifecycle.up(config, say)
        return config
    systemd.refuse_other_settings(service, env)
    if lifecycle.runs(config) and not service.is_active():
        say(f"it was started without {service.name}, and goes on so: no proc is stopped for that")
        lifecycle.up(config, say)
        say("to have systemd watch it before the next boot: vr down, then vr up")
    else:
        say(f"by systemctl; what is said meanwhile: journalctl -fu {service.name}")
        systemd.start(service)
    return config


def down(config: Config, say: Say) -> bool:
    """Stop it and all procs; False when nothing ran."""
    service = systemd.service_of(config)
    if service.is_there and service.is_active():
        say(f"stopping {service.name}")
        systemd.stop(service)
        # What was started without the service would be left.
        lifecycle.down(config, say)
        return True
    return lifecycle.down(config, say)
