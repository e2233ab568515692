"""`vr demo`: the example app, from its repository to a page behind the balancer."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.error
import urllib.request

import click

from vr import paths
from vr.cli.following import follow
from vr.cli.progress import failure_of
from vr.cli.up import timed_say
from vr.client import ApiError, Client
from vr.client.documents import SwarmDocument
from vr.errors import VelociraptorError
from vr.up import secrets, service, systemd
from vr.up.config import Config

APP, PROC, CONFIG_NAME, POOL = "shop", "web", "demo", "shop"
FIRST_VERSION = "v1"
SIZE = 2
_PAGE_SECONDS = 20


@click.command()
def demo() -> None:
    """Start Velociraptor, swarm the example app and fetch its page; safe to repeat."""
    tell = timed_say()
    config = service.up(tell, os.environ)
    client = Client.from_env()
    swarm = _ensure_swarm(client, _repository(config))
    tell(f"swarming {swarm['name']} at {swarm['version']}")
    [ended] = follow(client, {client.swarm(swarm): swarm["name"]})
    if ended["status"] != "succeeded":
        raise failure_of(ended)
    page = config.pool_url(POOL)
    size = _fetch(config)
    tell(f"fetched {page} through the balancer: {size} bytes")
    _goodbye(config, page)


def _repository(config: Config) -> str:
    """The example's git repository, made of the bundled files."""
    target = config.home / "examples" / APP
    target.parent.mkdir(exist_ok=True)
    made = subprocess.run(
        [str(paths.bundled("examples") / "make-repo"), str(target)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise VelociraptorError(
            "The example's repository could not be made.", details=made.stdout + made.stderr
        )
    return str(target)


def _ensure_swarm(client: Client, repository: str) -> SwarmDocument:
    """The demo's swarm, as the user left it, or a new one."""
    found = client.swarms(app__name=APP, config_name=CONFIG_NAME, proc_name=PROC)
    if found:
        return found[0]
    try:
        client.get("apps", APP)
    except ApiError as error:
        if error.status != 404:
            raise
        client.create("apps", name=APP, repo_url=repository, repo_type="git", stack="debian12")
    client.create(
        "swarms",
        app=APP,
        proc_name=PROC,
        config_name=CONFIG_NAME,
        version=FIRST_VERSION,
        squad="local",
        size=SIZE,
        pool=POOL,
        balancer="local",
    )
    return client.swarms(app__name=APP, config_name=CONFIG_NAME, proc_name=PROC)[0]


def _fetch(config: Config) -> int:
    """Bytes of the app's page as the balancer gives it; raises VelociraptorError without one."""
    request = urllib.request.Request(
        f"http://{config.reachable}:{config.http_port}/", headers={"Host": f"{POOL}.localhost"}
    )
    # The machine's proxy is for the world outside, not for its own loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + _PAGE_SECONDS
    while True:
        try:
            with opener.open(request, timeout=5) as answer:
                return len(answer.read())
        except (urllib.error.URLError, OSError) as error:
            if time.monotonic() > deadline:
                raise VelociraptorError(
                    f"The app's page could not be fetched through the balancer: {error}.",
                    hint=f"Look at vr logs {APP}, vr status and {config.logs}/nginx.log.",
                ) from None
            time.sleep(0.2)


def _goodbye(config: Config, page: str) -> None:
    click.echo(
        f"""
Velociraptor runs.

  web UI    {config.web_url}/    log in as admin, password {secrets.read(config, "admin-password")}
  the app   {page}

Try next:
  vr swarm {APP} v2     the next version, without a dropped request
  vr swarm {APP} v3     a broken one: its uptest fails, and v2 keeps serving
  vr logs {APP} -f      what the procs say
{_service_offer(config)}
vr down stops everything."""
    )


def _service_offer(config: Config) -> str:
    if systemd.runs_here() and not systemd.service_of(config).is_there:
        return "  vr up --systemd       start with the machine, as a service\n"
    return ""
