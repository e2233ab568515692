"""The configuration files of the stack's parts."""

from __future__ import annotations

import configparser
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from vr.up import health, redis_conf, render
from vr.up.config import Config

CONFIG = Config.from_env({"VR_HOME": "/srv/vr", "VR_ROOT": "/srv/apps"})
BIN = Path("/opt/vr/bin")


def supervisord_conf(config: Config = CONFIG) -> str:
    return render.supervisord_conf(config, render.programs(config, BIN), BIN)


def sections(text: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return parser


def test_one_supervisord_runs_every_part_and_includes_the_deployed_procs() -> None:
    conf = sections(supervisord_conf())
    for name in ("redis", "web", "worker", "builder", "beat", "nginx"):
        assert conf.has_section(f"program:{name}")
    assert conf["eventlistener:proc_publisher"]["events"].startswith("PROCESS_STATE")
    assert conf["include"]["files"] == "/srv/apps/procs/*/proc.conf"


def test_parts_end_with_a_killed_supervisord() -> None:
    conf = sections(supervisord_conf())
    parts = [name for name in conf.sections() if name.startswith(("program:", "eventlistener:"))]
    assert len(parts) >= 6
    for name in parts:
        assert conf[name]["command"].startswith("setpriv --pdeathsig TERM "), name


def test_an_event_listeners_stdout_is_left_to_its_protocol() -> None:
    listener = sections(supervisord_conf())["eventlistener:proc_publisher"]
    assert "stdout_logfile" not in listener
    assert "stderr_logfile" in listener


def test_no_secret_is_in_any_configuration_only_the_name_of_its_file() -> None:
    environment = render.server_environment(CONFIG)
    assert "VR_SECRET_KEY" not in environment
    assert environment["VR_SECRET_KEY_FILE"] == "/srv/vr/secrets/secret-key"


def test_no_setting_is_in_supervisords_configuration_which_can_not_hold_every_text() -> None:
    config = Config.from_env({"VR_SITE_TITLE": "50% \"x\" ; 'y'"})
    assert "50%" not in supervisord_conf(config)
    assert render.server_environment(config)["VR_SITE_TITLE"] == "50% \"x\" ; 'y'"


def test_redis_listens_on_a_private_socket_only() -> None:
    conf = redis_conf.redis_conf(CONFIG)
    assert "port 0\n" in conf
    assert "unixsocketperm 700" in conf


def test_nginx_answers_hosts_without_a_pool_and_includes_the_pool_files() -> None:
    conf = render.nginx_conf(CONFIG)
    assert "listen 127.0.0.1:8080 default_server;" in conf
    assert "include /srv/vr/etc/pools/*.conf;" in conf


def test_no_idle_connection_is_kept_that_a_reload_would_cut() -> None:
    assert "keepalive_timeout 0s;" in render.nginx_conf(CONFIG)


@pytest.mark.parametrize(("seconds", "told"), [(35, "35s"), (600.4, "600s"), (0, "1s")])
def test_old_workers_of_nginx_may_serve_as_long_as_old_procs(seconds: float, told: str) -> None:
    conf = render.nginx_conf(replace(CONFIG, drain_seconds=seconds))
    assert f"\nworker_shutdown_timeout {told};" in conf


def test_the_bundled_balancer_is_nginx_with_its_test_and_reload() -> None:
    balancers = yaml.safe_load(render.balancers_yaml(CONFIG))["BALANCERS"]
    local = balancers[render.BALANCER]
    assert local["include_dir"] == "/srv/vr/etc/pools"
    assert local["test_cmd"].endswith("-t")
    assert local["reload_cmd"].endswith("-s reload")


def test_each_part_works_in_a_folder_of_its_own_so_that_what_it_leaves_is_found() -> None:
    conf = sections(supervisord_conf())
    for name in health.checked(CONFIG):
        section = f"{'eventlistener' if name == 'proc_publisher' else 'program'}:{name}"
        assert conf[section]["directory"] == f"/srv/vr/run/parts/{name}"


def test_nothing_in_the_queue_of_dispatches_waits_behind_builds() -> None:
    conf = sections(supervisord_conf())
    assert " --queues celery " in conf["program:worker"]["command"]
    assert " --queues builds " in conf["program:builder"]["command"]
