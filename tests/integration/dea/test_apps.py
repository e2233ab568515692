"""Real apps of each kind, staged and run through the message bus, their pages fetched."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx
import pytest

from support.cloud import zipped
from support.deas import Dea
from support.stagers import SINATRA_APP, SINATRA_RULES, Stagers, properties

NODE = """
const http = require("http");
http.createServer((request, response) => response.end("Hello from Node"))
    .listen(process.env.PORT);
"""
WSGI = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"Hello from WSGI"]
"""
SERVER = """
import http.server, os
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"Hello from a " + os.environ["KIND"].encode())
http.server.HTTPServer(("", int(os.environ["PORT"])), Page).serve_forever()
"""


@pytest.mark.parametrize(
    ("framework", "runtime", "files", "greeting", "more"),
    [
        ("sinatra", "ruby", SINATRA_APP, "Hello from Sinatra", {}),
        ("node", "node", {"server.js": NODE}, "Hello from Node", {}),
        ("wsgi", "python3", {"wsgi.py": WSGI}, "Hello from WSGI", {}),
        ("php", "php", {"index.php": "<?= 'Hello from ' . 'PHP' ?>"}, "Hello from PHP", {}),
        ("static", "nginx", {"index.html": "Hello from nginx"}, "Hello from nginx", {}),
        (
            "standalone",
            "",
            {"serve.py": SERVER},
            "Hello from a program",
            {"meta": {"command": "export KIND=program; python3 serve.py"}},
        ),
        (
            "buildpack",
            "",
            {"serve.py": SERVER, "Procfile": "web: KIND=Procfile python3 serve.py"},
            "Hello from a Procfile",
            {"buildpack": "bundled:procfile"},
        ),
    ],
    ids=["sinatra", "node", "wsgi", "php", "static", "standalone", "buildpack"],
)
def test_an_app_is_staged_and_run(
    staging: Stagers,
    shared: Dea,
    framework: str,
    runtime: str,
    files: dict[str, str],
    greeting: str,
    more: dict[str, Any],
) -> None:
    staging.cloud.apps[framework] = zipped(files)
    rules = SINATRA_RULES if framework == "sinatra" else []
    reply = staging.stage(framework, properties=properties(framework, detection=rules, **more))
    assert reply.error is None, reply
    tarball = staging.cloud.droplet(framework)
    sha1 = hashlib.sha1(tarball.read_bytes()).hexdigest()
    shared.run(framework, sha1, tarball, runtime=runtime)
    where = shared.bus.wait("router.register", app=framework)
    page = httpx.get(f"http://{where['host']}:{where['port']}/", trust_env=False)
    assert greeting in page.text
    assert where["uris"] == [f"{framework}.example.org"]
