"""Who asks the stack under attack, and how: an admin, a user without rights, and sessions."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from support.stack import Stack

PATIENCE = 60.0
USER, PASSWORD = "eve", "no-rights-at-all"
_COUNT = itertools.count()
_MAKE_USER = (
    "import django; django.setup(); from django.contrib.auth.models import User; "
    f"User.objects.create_user({USER!r}, password={PASSWORD!r})"
)


class NotTried(Exception):
    """The harmless twin of an attack was refused, so that its own refusal says nothing."""


def control(accepted: object, what: str) -> None:
    """Raise NotTried unless the harmless twin, which is `what`, was accepted."""
    if not accepted:
        raise NotTried(what)


def make_user(stack: Stack) -> None:
    """An active account that is no admin's."""
    env = stack.env | {"DJANGO_SETTINGS_MODULE": "vr.server.settings"}
    subprocess.run([sys.executable, "-c", _MAKE_USER], env=env, check=True, timeout=PATIENCE)


def url(stack: Stack) -> str:
    return f"http://127.0.0.1:{stack.web_port}"


def token(stack: Stack) -> str:
    """The admin's, for the API."""
    return (stack.home / "vr" / "secrets" / "cli-token").read_text().strip()


def api(
    stack: Stack, method: str, path: str, *, as_user: bool = False, **more: object
) -> httpx.Response:
    """The answer to an admin, or to the user without rights; a stream's head only."""
    headers = {} if as_user else {"Authorization": f"Bearer {token(stack)}"}
    auth = (USER, PASSWORD) if as_user else None
    with httpx.Client(base_url=url(stack), headers=headers, auth=auth, timeout=PATIENCE) as client:
        return head_or_all(client, method, path, **more)


def head_or_all(client: httpx.Client, method: str, path: str, **more: object) -> httpx.Response:
    """An answer, read to its end unless it is a log that is followed."""
    with client.stream(method, path, **more) as answer:  # type: ignore[arg-type]
        if not path.startswith("/api/streams/"):
            answer.read()
        return answer


@contextmanager
def session(stack: Stack) -> Iterator[httpx.Client]:
    """A browser in which the admin has signed in."""
    password = (stack.home / "vr" / "secrets" / "admin-password").read_text().strip()
    with httpx.Client(base_url=url(stack), timeout=PATIENCE, follow_redirects=True) as client:
        client.get("/login/")
        forgery = client.cookies["vr_csrf"]
        form = {"username": "admin", "password": password, "csrfmiddlewaretoken": forgery}
        client.post("/login/", data=form)
        control("vr_session" in client.cookies, "signing in by the page")
        yield client


def swarm(stack: Stack, *, as_user: bool = False, **fields: object) -> httpx.Response:
    """The answer to a new swarm of the first app with these `fields`."""
    wanted = {
        "app": _first(stack, "apps"),
        "squad": _first(stack, "squads"),
        "version": "main",
        "proc_name": "web",
        "size": 0,
        "config_name": f"x{next(_COUNT)}",
    }
    return api(stack, "POST", "/api/v1/swarms/", as_user=as_user, json=wanted | fields)


def hosts(stack: Stack) -> list[str]:
    return [one["name"] for one in api(stack, "GET", "/api/v1/hosts/").json()["objects"]]


def pids(stack: Stack) -> dict[str, str]:
    """Of each program of supervisord, procs too."""
    return {one["name"]: one["description"].split(",")[0] for one in stack.status()["parts"]}


def _first(stack: Stack, kind: str) -> str:
    return str(api(stack, "GET", f"/api/v1/{kind}/").json()["objects"][0]["resource_uri"])
