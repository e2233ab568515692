"""A machine for swarms: supervisord, nginx and Redis of its own, and builds ready to run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.images import test_image
from support.nginx_server import Nginx, nginx_server
from support.ports import port_range
from support.supervisord import supervisord
from support.swarm_machine import HOST, Machine
from vr.files.checksums import file_md5
from vr.hosts import deployment
from vr.server.balancers import balancer_named
from vr.server.hosts import connect


@pytest.fixture(scope="session")
def services() -> Iterator[tuple[Path, Nginx, str]]:
    """A root, an nginx and a supervisord (its URL) that the tests of a session share."""
    # Not pytest's folder: overlayfs needs short paths without ':' and a real disk.
    folder = Path(tempfile.mkdtemp(prefix="vr-swarming-", dir="/var/tmp"))
    folder.chmod(0o711)
    root = folder / "apps"
    (root / "procs").mkdir(parents=True)
    try:
        with (
            nginx_server(folder / "nginx") as nginx,
            supervisord(folder / "supervisor", f"{root}/procs/*/proc.conf") as url,
        ):
            yield root, nginx, url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def image_md5() -> str:
    return file_md5(test_image())


@pytest.fixture
def machine(
    transactional_db: None,
    redis: Any,
    woken: list[str],
    services: tuple[Path, Nginx, str],
    image_md5: str,
    settings: Any,
) -> Iterator[Machine]:
    """The machine, without procs and pools before and after."""
    root, nginx, url = services
    settings.VR_ROOT = root
    settings.FILES_ROOT = root.parent / "files"
    settings.SUPERVISOR_URL = url
    settings.LOCAL_HOST = HOST
    settings.PORT_RANGE = port_range(100)
    settings.START_SECONDS = 20
    settings.BALANCERS = {
        "nginx": {"BACKEND": "vr.balancer.nginx.NginxBalancer", **nginx.config},
        "other": {"BACKEND": "vr.balancer.dummy.DummyBalancer"},
    }
    balancer_named.cache_clear()
    found = Machine.make(nginx, url, root, image_md5)
    yield found
    deployment.retire(connect(HOST), {*found.procs(), *found.folders()})
    for pool in nginx.folder.glob("pools/*.conf"):
        balancer_named("nginx").delete_pool(pool.stem)
    balancer_named.cache_clear()
