"""The same on PostgreSQL: a dispatch that two workers want at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg

from support.celery_worker import environment
from support.swarm_machine import Machine

FILL = """\
import sys, django
django.setup()
from pathlib import Path
from support.nginx_server import Nginx
from support.swarm_machine import Machine
from vr.server.swarming import asking
from vr.server.swarming.problems import SwarmBusy
url, root, md5 = sys.argv[1:]
machine = Machine.make(Nginx(0, Path(root), {}), url, Path(root), md5)
machine.build("v1")
swarm = machine.swarm()
print(asking.dispatch(swarm, user=None).pk)
try:
    asking.dispatch(swarm, user=None)
except SwarmBusy as busy:
    print(busy)
"""
DRIVE = """\
import sys, django
django.setup()
from vr.server.swarming import engine
print(engine.drive(int(sys.argv[1])).value)
"""
LOOK = """\
import json, django
django.setup()
from vr.server.models import Dispatch, PortLease
dispatch = Dispatch.objects.get()
steps = [step.kind for step in dispatch.steps.all()]
print(json.dumps([dispatch.status, dispatch.error, steps, PortLease.objects.count()]))
"""


def test_of_two_workers_one_drives_the_dispatch(
    machine: Machine, postgres_url: str, settings: Any, tmp_path: Path
) -> None:
    # Other tests of the session fill the cluster's own database.
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE swarming")
    tests = str(Path(__file__).parents[3])
    env = environment(settings, tmp_path) | {
        "VR_DATABASE_URL": postgres_url.replace("/postgres?", "/swarming?"),
        "PYTHONPATH": tests,
    }

    def start(code: str, *arguments: object) -> subprocess.Popen[str]:
        argv = [sys.executable, "-c", code, *map(str, arguments)]
        return subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True)

    def said(process: subprocess.Popen[str]) -> list[str]:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        return output.splitlines()

    migrate = [sys.executable, "-m", "vr.server.manage", "migrate", "-v", "0"]
    subprocess.run(migrate, env=env, check=True)
    pk, busy = said(start(FILL, settings.SUPERVISOR_URL, machine.root, machine.image.md5))
    assert "is being dispatched to v1 already" in busy
    workers = [start(DRIVE, pk) for _ in range(2)]
    assert sorted(said(worker)[0] for worker in workers) == ["elsewhere", "ended"]
    status, error, steps, leases = json.loads(said(start(LOOK))[0])
    assert (status, error, leases) == ("succeeded", "", 2)
    assert steps == ["build", "release", "deploy", "start", "uptest", "route"]
    assert machine.nginx.get("shop").text == "v1"
