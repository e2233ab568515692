"""The files of a host's agents."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from vr.hosts.preparing import texts


def parsed() -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";",))
    parser.read_string(texts.supervisord_conf("web1"))
    return parser


def test_supervisor_listens_at_a_socket_for_root_alone() -> None:
    conf = parsed()
    assert conf["unix_http_server"]["chmod"] == "0700"
    assert not conf.has_section("inet_http_server")


def test_the_address_of_redis_goes_by_the_name_of_its_file() -> None:
    environment = parsed()["eventlistener:proc_publisher"]["environment"]
    assert environment == (
        'REDIS_URL_FILE="/opt/velociraptor/etc/redis-url",HOSTNAME="web1",VR_ROOT="/apps"'
    )


def test_procs_are_included_from_where_they_are_deployed() -> None:
    assert parsed()["include"]["files"] == "/apps/procs/*/proc.conf"


def test_the_start_script_is_one_that_sh_reads() -> None:
    subprocess.run(["sh", "-n"], input=texts.start_script(), text=True, check=True)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    unit = tmp_path / "velociraptor-host.service"
    unit.write_text(texts.unit().replace("/opt/velociraptor/start -n", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    assert "velociraptor-host" not in done.stderr, done.stderr
