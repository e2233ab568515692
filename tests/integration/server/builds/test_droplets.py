"""Uploaded droplets run as procs: really started, behind the balancer."""

from __future__ import annotations

import io
import json
from pathlib import Path

from support.droplets import FILES, droplet
from support.swarm_machine import Machine
from vr.server.builds.droplets import Kept, keep_upload
from vr.server.models import DispatchStatus

ALIVE = "#!/bin/sh\nexec python3 -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1])' http://$1:$2/\n"


def upload(machine: Machine, path: Path, tag: str = "v1", runtime: str = "") -> Kept:
    data = io.BytesIO(path.read_bytes())
    return keep_upload(machine.app(), data, name="shop.tgz", tag=tag, runtime=runtime, user=None)


def test_an_uploaded_droplet_is_swarmed_like_any_build(machine: Machine, tmp_path: Path) -> None:
    files = FILES | {"app/uptests/web/01_alive": ALIVE}
    kept = upload(machine, droplet(tmp_path / "shop.tgz", files))
    dispatch = machine.dispatch(machine.swarm(size=1))
    assert dispatch.status == DispatchStatus.SUCCEEDED, (dispatch.error, dispatch.output)
    assert dispatch.build == kept.build
    facts = json.loads(machine.nginx.get("shop").text)
    assert facts["arguments"] == ["-p", facts["PORT"]]
    assert facts["VCAP_APP_PORT"] == facts["PORT"]
    assert (facts["HOME"], facts["TMPDIR"], facts["vcap"]) == ("/app", "/app/tmp", "/app")
    application = json.loads(facts["VCAP_APPLICATION"])
    assert (application["name"], application["version"]) == ("shop", "v1")
    assert application["port"] == int(facts["PORT"])


def test_a_runtime_that_the_image_lacks_is_named_in_the_failure(
    machine: Machine, tmp_path: Path
) -> None:
    upload(machine, droplet(tmp_path / "shop.tgz"), runtime="cobol")
    dispatch = machine.dispatch(machine.swarm(size=1))
    assert dispatch.status == DispatchStatus.FAILED
    assert "needs the runtime cobol" in dispatch.output
    assert machine.procs() == []
