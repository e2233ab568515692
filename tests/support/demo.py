"""A small installation to look at: apps, swarms in every state, builds with logs, events."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils import timezone

from vr.events.procs import HEARTBEATS, ProcBoard
from vr.server.events.announcing import announce, redis_connection
from vr.server.events.kinds import Kind
from vr.server.files import store
from vr.server.models import (
    App,
    Build,
    Buildpack,
    Dispatch,
    Host,
    HostJob,
    Image,
    Ingredient,
    LogEntry,
    Notifier,
    Release,
    Squad,
    Stack,
    Step,
    Swarm,
)

LOG = """-----> Cloning https://git.example.org/shop.git at v2
-----> Using buildpack python
\x1b[1m\x1b[36m       Installing Python dependencies\x1b[0m
       Collecting flask==3.0.3
       Collecting gunicorn==22.0.0
       Installing collected packages: flask, gunicorn
\x1b[32m       Successfully installed flask-3.0.3 gunicorn-22.0.0\x1b[0m
-----> Discovering process types: web, worker
-----> Compressed 14 MB into build.tar.gz
"""
RUNNING_TRACE = "00112233445566778899aabbccddeeff"
"""The trace id of the dispatch that is under way."""
FAILURE = """tests/test_checkout.py::test_totals FAILED
AssertionError: GET /health answered 500, expected 200
  {"error": "DATABASE_URL is not set"}"""


def info(name: str, state: str, *, pid: int = 0, description: str = "") -> dict[str, Any]:
    """A process as Supervisor describes it."""
    codes = {"STOPPED": 0, "STARTING": 10, "RUNNING": 20, "BACKOFF": 30, "EXITED": 100}
    codes |= {"STOPPING": 40, "FATAL": 200}
    now = int(time.time())
    return {
        "name": name,
        "group": name,
        "statename": state,
        "state": codes[state],
        "pid": pid,
        "description": description or (f"pid {pid}, uptime 2:14:07" if pid else state.lower()),
        "start": now - 8047,
        "now": now,
    }


def fill() -> None:
    """Make everything, with the user `ada` (password `raptor-demo`)."""
    now = timezone.now()
    ada = get_user_model().objects.create_superuser("ada", password="raptor-demo")
    squad = Squad.objects.create(name="frankfurt")
    for name in ("atlas.example.org", "boreas.example.org", "ceres.example.org"):
        Host.objects.create(name=name, squad=squad)
    HostJob.objects.create(
        host=Host.objects.get(name="ceres.example.org"),
        name="ceres.example.org",
        kind="check",
        status="succeeded",
        steps=[[now.isoformat(), "debian 12, Python 3.11, x86_64"]],
        ended=now,
    )
    stack = Stack.objects.create(name="bookworm", desc="Debian 12 with Python 3.11 and Node 18")
    image = Image.objects.create(stack=stack, name="bookworm_20261120_1", active=True, md5="a" * 32)
    Buildpack.objects.create(repo_url="https://git.example.org/buildpacks/python.git", order=1)
    shop = App.objects.create(
        name="shop", repo_url="https://deploy:s3cret@git.example.org/shop.git", stack=stack
    )
    blog = App.objects.create(name="blog", repo_url="https://git.example.org/blog.git", stack=stack)
    App.objects.create(name="metrics", repo_url="https://git.example.org/metrics.git")
    notifier = Notifier.objects.create(
        name="ops", url="https://chat.example.org/hooks/s3cret", secret="hunter2"
    )
    notifier.notices.create(title="shop failed", data={"id": 1}, tries=1, error="It is away.")
    ingredient = Ingredient.objects.create(
        name="postgres", env_yaml="DATABASE_URL: postgres://shop:hunter2@db/shop\n"
    )

    def build_of(app: App, tag: str, status: str, log: str = LOG) -> Build:
        path = store.path_of(f"logs/{app.name}-{tag}.log")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(log)
        return Build.objects.create(
            app=app,
            tag=tag,
            image=image,
            status=status,
            compile_log=f"logs/{app.name}-{tag}.log",
            start_time=now - timedelta(minutes=9),
            end_time=now - timedelta(minutes=8, seconds=21) if status != "started" else None,
            revision="4f1c2d9a7be3",
            buildpack_url="https://git.example.org/buildpacks/python.git",
            error="The buildpack's compile ended with status 1." if status == "failed" else "",
            hash=f"{app.name}{tag}",
        )

    def release_of(build: Build, release_hash: str) -> Release:
        return Release.objects.create(build=build, hash=release_hash)

    v6 = release_of(build_of(blog, "v6", "success"), "0a1b2c3d")
    v1, v2 = (release_of(build_of(shop, t, "success"), f"{t}c0ffee") for t in ("v1", "v2"))
    build_of(blog, "v7", "failed", LOG + "       error: subprocess-exited-with-error\n")
    build_of(shop, "v3", "started", LOG[:260])
    web = Swarm.objects.create(
        app=shop,
        tag="v2",
        proc_name="web",
        config_name="prod",
        squad=squad,
        size=4,
        pool="shop",
        balancer=settings.DEFAULT_BALANCER,
        config_yaml="greeting: hello\nfeatures:\n  checkout: true\n",
        env_yaml="SECRET_TOKEN: correct-horse-battery\nLOG_LEVEL: info\n",
        mem_limit="512M",
        release=v2,
    )
    web.config_ingredients.add(ingredient)
    worker = Swarm.objects.create(
        app=shop, tag="v2", proc_name="worker", config_name="prod", squad=squad, size=2, release=v2
    )
    page = Swarm.objects.create(
        app=blog,
        tag="v7",
        proc_name="web",
        config_name="prod",
        squad=squad,
        size=2,
        pool="blog",
        balancer=settings.DEFAULT_BALANCER,
        release=v6,
    )

    def dispatch_of(swarm: Swarm, tag: str, status: str, minutes: float, **more: Any) -> Dispatch:
        started = now - timedelta(minutes=minutes)
        ended = None if status == "running" else started + timedelta(seconds=14.2)
        made = Dispatch.objects.create(
            swarm=swarm,
            user=ada,
            tag=tag,
            size=swarm.size,
            status=status,
            started=started,
            ended=ended,
            **more,
        )
        Dispatch.objects.filter(pk=made.pk).update(created=started)
        return made

    def steps_of(dispatch: Dispatch, *rows: tuple[str, str, str, float]) -> None:
        at = dispatch.started
        for kind, status, message, seconds in rows:
            end = at + timedelta(seconds=seconds)
            Step.objects.create(
                dispatch=dispatch,
                kind=kind,
                status=status,
                message=message,
                started=at,
                ended=None if status == "running" else end,
            )
            at = end

    dispatch_of(web, "v1", "succeeded", 60 * 26, release=v1)
    dispatch_of(web, "v2", "succeeded", 60 * 3, release=v2)
    running = dispatch_of(web, "v3", "running", 0.2, trace_id=RUNNING_TRACE)
    steps_of(
        running,
        ("build", "done", "shop-v3 built from 4f1c2d9 with python", 6.4),
        ("release", "done", "release 9b21f0aa", 0.03),
        ("deploy", "done", "4 procs on 2 hosts", 1.1),
        ("start", "running", "3 of 4 procs ready", 0.8),
    )
    failed = dispatch_of(
        page,
        "v7",
        "failed",
        42,
        error="1 of 2 procs failed its uptests; blog v6 keeps serving.",
        output=FAILURE,
    )
    steps_of(
        failed,
        ("build", "done", "blog-v7 was built before", 0.01),
        ("release", "done", "release 77aa01bc", 0.02),
        ("deploy", "done", "2 procs on 1 host", 0.9),
        ("start", "done", "2 of 2 procs ready", 1.2),
        ("uptest", "failed", "test_health failed on boreas.example.org:5012", 0.6),
        ("undo", "done", "2 new procs removed", 0.5),
    )
    dispatch_of(worker, "v2", "succeeded", 200, release=v2)

    board = ProcBoard(redis_connection())
    board.replace(
        "atlas.example.org",
        [
            info("shop-v2-prod-v2c0ffee-web-5004", "RUNNING", pid=4101),
            info("shop-v2-prod-v2c0ffee-web-5007", "RUNNING", pid=4102),
            info("shop-v3-prod-9b21f0aa-web-5011", "STARTING"),
            info("shop-v2-prod-v2c0ffee-worker-0", "RUNNING", pid=4107),
            info("redis", "RUNNING", pid=311),
            info("nginx", "RUNNING", pid=312),
        ],
    )
    board.replace(
        "boreas.example.org",
        [
            info("shop-v2-prod-v2c0ffee-web-5004", "RUNNING", pid=911),
            info("shop-v2-prod-v2c0ffee-web-5005", "BACKOFF", description="exited too quickly"),
            info("shop-v2-prod-v2c0ffee-worker-0", "RUNNING", pid=914),
            info("blog-v6-prod-0a1b2c3d-web-5012", "RUNNING", pid=920),
            info("blog-v6-prod-0a1b2c3d-web-5013", "FATAL", description="exited: 1"),
        ],
    )
    board.replace("ceres.example.org", [info("blog-v6-prod-0a1b2c3d-web-5002", "RUNNING", pid=80)])
    redis_connection().hset(HEARTBEATS, "ceres.example.org", str(time.time() - 1900))

    trace = running.trace_id
    announce("blog-prod-web failed", failed.error, kind=Kind.UPTESTS_FAILED)
    announce("shop-v2 is built", "in 39 s", kind=Kind.BUILD_DONE)
    announce("pool shop", "2 new nodes, 2 stale nodes", kind=Kind.POOL_ROUTED)
    announce("shop-prod-web runs v2", "4 procs", kind=Kind.SWARM_DONE)
    announce("ada: swarm shop-prod-web → v3, size 4", kind=Kind.USER_SWARMED, trace_id=trace)
    announce("Building shop-v3", "with python", kind=Kind.BUILD_STARTED, trace_id=trace)
    announce("shop-v3 is built", "in 6.4 s", kind=Kind.BUILD_DONE, trace_id=trace)
    announce(
        "Deploying shop-v3-prod-9b21f0aa-web-5011",
        "on atlas.example.org",
        kind=Kind.PROCS_DEPLOYING,
        trace_id=trace,
    )
    for number in range(60):
        LogEntry.objects.create(
            type="swarm", user=ada, message=f"ada: swarm shop-prod-web {number}"
        )
