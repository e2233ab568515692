"""Real apps of each kind, staged and run through the message bus, their pages fetched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support.stagers import SINATRA_APP, SINATRA_RULES
from support.wheels import wheels

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
DJANGO = {
    "manage.py": """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
""",
    "shop/settings.py": """
import pathlib
HOME = pathlib.Path(__file__).parent.parent
SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["django.contrib.contenttypes"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": HOME / "shop.sqlite3"}}
""",
    "shop/urls.py": """
from django.contrib.contenttypes.models import ContentType
from django.http import HttpResponse
from django.urls import path

def page(request):
    return HttpResponse(f"Hello from Django with {ContentType.objects.count()} type")

urlpatterns = [path("", page)]
""",
    "shop/wsgi.py": """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
""",
}


@pytest.mark.parametrize(
    ("framework", "runtime", "files", "greeting", "more"),
    [
        ("sinatra", "ruby", SINATRA_APP, "Hello from Sinatra", {"detection": SINATRA_RULES}),
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
    page_of: Callable[..., str],
    framework: str,
    runtime: str,
    files: dict[str, str],
    greeting: str,
    more: dict[str, Any],
) -> None:
    assert greeting in page_of(framework, framework, runtime, files, **more)


def test_django_migrates_at_start(page_of: Callable[..., str]) -> None:
    brought = wheels("django", "asgiref", "sqlparse")
    app = {
        **DJANGO,
        "requirements.txt": "".join(f"./wheels/{name}\n" for name in brought),
        **{f"wheels/{name}": content for name, content in brought.items()},
    }
    limits = {"mem": 256, "disk": 256, "fds": 256}
    text = page_of("django", "django", "python3", app, start={"limits": limits})
    assert text == "Hello from Django with 1 type"
