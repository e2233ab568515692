"""The stager's own time per request, for 1, 4 and 16 active tasks; and what a kill -9 costs.

Two kinds of app. A Sinatra file, whose staging is a few lines of text: as many requests as the
machine can take, so that with many tasks their time is mostly the wait for a free CPU. And one
with a buildpack that takes a second, in a container: what a reply takes beyond that second is the
stager's own. The yardstick is the same work without any service: unzip, copy, tar and two curls,
one after another in a shell.
"""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests"))

from support.cloud import cloud, zipped  # noqa: E402
from support.nats_server import nats_server  # noqa: E402
from support.stagers import SINATRA_APP, Stagers, buildpack, properties, stagers  # noqa: E402
from support.staging_load import Answered, stage_many  # noqa: E402

REQUESTS = 200
GOAL_SECONDS = 0.3

_BY_HAND = """
set -e
mkdir -p unstaged staged/app staged/logs staged/tmp
curl -s "$1" -o app.zip
python3 -m zipfile -e app.zip unstaged
cp -a unstaged/. staged/app
echo '#!/bin/bash' >staged/startup
tar -C staged -czf droplet.tgz .
curl -s -F 'upload[droplet]=@droplet.tgz' "$2"
"""


def main() -> None:
    work = Path(tempfile.mkdtemp(prefix="vr-bench-stager-"))
    try:
        print(f"{'':>12}  {'nothing to install':^31}  {'1 s of buildpack in a container'}")
        print(
            f"{'active tasks':>12}  {'requests/s':>10} {'median':>9} {'95 %':>9}  beyond that 1 s"
        )
        for active in (1, 4, 16):
            with running(work / f"active{active}") as pool:
                pool.start(max_active_tasks=active)
                stage_many(pool, active, at_once=active)  # everything is imported and warm
                began = time.monotonic()
                answers = stage_many(pool, REQUESTS, at_once=active)
                seconds = time.monotonic() - began
                report(active, answers, seconds, beyond_the_apps_own(pool, active, work))
        print(f"{'by hand':>12}  {by_hand(work):>18.3f} s  (unzip, cp, tar, 2 × curl)")
        kill_one(work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def running(folder: Path) -> Iterator[Stagers]:
    folder.mkdir()
    with (
        nats_server(folder / "nats") as server,
        cloud(folder / "cloud") as controller,
        stagers(server, controller, folder / "stagers") as pool,
    ):
        yield pool


def beyond_the_apps_own(pool: Stagers, active: int, work: Path) -> float:
    """Median seconds of a reply beyond what its buildpack took, by the buildpack's own clock."""
    pack = buildpack(work, "s=$EPOCHREALTIME; sleep 1; echo took $s $EPOCHREALTIME", f"p{active}")
    values = properties("buildpack", buildpack=pack)
    beyond = []
    for each in stage_many(pool, 3 * active, at_once=active, properties=values):
        match = re.search(r"took (\S+) (\S+)", each.reply.task_log)
        assert match, each.reply
        beyond.append(each.seconds - (float(match[2]) - float(match[1])))
    return statistics.median(beyond)


def report(active: int, answers: list[Answered], seconds: float, beyond: float) -> None:
    assert all(each.reply.error is None for each in answers)
    times = sorted(each.seconds for each in answers)
    median, late = statistics.median(times), times[int(len(times) * 0.95)]
    verdict = "within" if beyond < GOAL_SECONDS else "above"
    print(
        f"{active:>12}  {len(answers) / seconds:>10.1f} {median:>7.3f} s {late:>7.3f} s"
        f"  {beyond:.3f} s, {verdict} the goal of {GOAL_SECONDS:g} s",
        flush=True,
    )


def by_hand(work: Path) -> float:
    """Median seconds of the same steps in a shell."""
    seconds = []
    with cloud(work / "by-hand") as controller:
        controller.apps["app"] = zipped(SINATRA_APP)
        for number in range(10):
            folder = work / f"by-hand-{number}"
            folder.mkdir()
            urls = [controller.url("app/app"), controller.url("droplet/app")]
            began = time.monotonic()
            subprocess.run(["/bin/sh", "-c", _BY_HAND, "sh", *urls], cwd=folder, check=True)
            seconds.append(time.monotonic() - began)
    return statistics.median(seconds)


def kill_one(work: Path) -> None:
    for attempts in (1, 2):
        with running(work / f"kill{attempts}") as pool:
            first, *_others = pool.start_several(3, max_active_tasks=4)
            began = time.monotonic()
            answers = stage_many(
                pool, REQUESTS, at_once=24, attempts=attempts, after=(60, first.process.kill)
            )
            seconds = time.monotonic() - began
            lost = sum(each.reply.error is not None for each in answers)
            worst = max(each.seconds for each in answers)
            again = "sent again" if attempts > 1 else "not sent again"
            print(
                f"3 stagers, one killed -9 after 60 of {REQUESTS}, {again}: {len(answers)} answers "
                f"in {seconds:.1f} s, {lost} say 'lost', the slowest took {worst:.1f} s"
            )


if __name__ == "__main__":
    main()
