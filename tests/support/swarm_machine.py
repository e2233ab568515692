"""A machine for swarms: what a test does with its supervisord, nginx and builds."""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.images import test_image
from support.nginx_server import Nginx
from vr.hosts.supervisor import Supervisor
from vr.server.balancers import balancer_named
from vr.server.files import store
from vr.server.models import App, Build, Dispatch, Host, Image, Squad, Stack, Swarm
from vr.server.swarming import asking, engine

HOST = "127.0.0.1"
APP = """\
import http.server, os, sys

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = os.environ["VERSION"].encode()
        self.send_response(200)
        self.send_header("X-Shop-Version", os.environ["VERSION"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass

print("serving", os.environ["PORT"], flush=True)
http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
"""
ALIVE = """\
#!/usr/bin/env python3
import sys, urllib.request
assert urllib.request.urlopen(f"http://{sys.argv[1]}:{sys.argv[2]}/").status == 200
"""


BROKEN = "#!/bin/sh\necho checkout is broken; exit 3\n"


@dataclass
class Machine:
    """Where the swarms of a test run."""

    nginx: Nginx
    supervisor: Supervisor
    root: Path
    image: Image
    squad: Squad

    @classmethod
    def make(cls, nginx: Nginx, supervisor_url: str, root: Path, image_md5: str) -> Machine:
        """Make the rows of a machine: its image, its squad, its only host."""
        file = store.path_of("images/test.tar")
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            shutil.copy(test_image(), file)
        stack = Stack.objects.create(name="tests")
        image = Image.objects.create(
            stack=stack, name="tests", file="images/test.tar", md5=image_md5, active=True
        )
        squad = Squad.objects.create(name="local")
        Host.objects.create(name=HOST, squad=squad)
        return cls(nginx, Supervisor(HOST, supervisor_url), root, image, squad)

    def app(self, name: str = "shop") -> App:
        return App.objects.get_or_create(
            name=name, defaults={"repo_url": "https://example.org/x", "stack": self.image.stack}
        )[0]

    def build(
        self,
        tag: str,
        *,
        uptest: str = ALIVE,
        web: str = "python3 app.py",
        app: str = APP,
        name: str = "shop",
    ) -> Build:
        """A finished build of the app `name` (made, if there is none) at `tag`, whose app.py is
        `app`; an empty `uptest`: none."""
        files = {
            "app.py": app,
            "Procfile": f"web: {web}\nworker: sleep 1000\n",
        }
        if uptest:
            files["uptests/web/01_alive"] = uptest
        data = _tarball(files)
        md5 = hashlib.md5(data).hexdigest()
        path = store.path_of(f"builds/shop-{tag}-{md5}.tar.gz")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        build = Build(
            app=self.app(name),
            tag=tag,
            image=self.image,
            status="success",
            file=f"builds/{path.name}",
            file_md5=md5,
            env_yaml=f"VERSION: '{tag}'",
            process_types={"web": web, "worker": "sleep 1000"},
        )
        build.hash = build.compute_hash()
        build.save()
        return build

    def swarm(self, **values: Any) -> Swarm:
        """A swarm of the shop's web proc, routed to the pool `shop`."""
        defaults = {
            "app": self.app(),
            "tag": "v1",
            "proc_name": "web",
            "config_name": "prod",
            "squad": self.squad,
            "size": 2,
            "pool": "shop",
            "balancer": "nginx",
        }
        return Swarm.objects.create(**{**defaults, **values})

    def dispatch(self, swarm: Swarm, **values: Any) -> Dispatch:
        """Dispatch it and carry that out here; returns it as it ended."""
        opened = asking.dispatch(swarm, user=None, **values)
        return self.drive(opened)

    def drive(self, dispatch: Dispatch) -> Dispatch:
        """Carry a dispatch out; its row and the swarm that it was made with are read again."""
        swarm = dispatch.swarm
        engine.drive(dispatch.pk)
        dispatch.refresh_from_db()
        swarm.refresh_from_db()
        return dispatch

    def procs(self) -> list[str]:
        """Names of what Supervisor runs."""
        return sorted(info["name"] for info in self.supervisor.all())

    def folders(self) -> list[str]:
        return sorted(path.name for path in (self.root / "procs").iterdir())

    def nodes(self, pool: str = "shop") -> list[str]:
        return balancer_named("nginx").get_nodes(pool)


def _tarball(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.mode, entry.size = 0o755, len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()
