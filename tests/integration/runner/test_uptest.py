"""vrun uptest: the app's own checks beside the running proc."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from support.ports import free_port
from support.waiting import until
from vr.container import cgroups


def test_results_in_name_order_with_reasons(
    proc: Callable[..., Any], build: Callable[..., Any]
) -> None:
    keys = build(
        {
            "Procfile": "web: sleep 1000",
            "uptests/web/10_pass": "#!/bin/sh\necho $1 $2 $A %s {}; echo oops >&2",
            "uptests/web/20_fail": "#!/bin/sh\nexit 3",
            "uptests/web/30_hang": "#!/bin/sh\necho begun\nsleep 1000 & sleep 1000",
            "uptests/web/40_plain": "not executable",
            "uptests/web/50_loud": "#!/bin/sh\nhead -c 300000 /dev/zero | tr '\\0' x",
            "uptests/web/.hidden": "#!/bin/sh\nexit 1",
            "uptests/web/folder/x": "#!/bin/sh\nexit 1",
            "uptests/worker/x": "#!/bin/sh\nexit 1",
        }
    )
    one = proc(**keys, proc_name="web", port=5000, host="h1", env={"A": "x y"}, uptest_timeout=0.5)
    results = one.setup().uptest()
    assert [result["Name"] for result in results] == [
        *("10_pass", "20_fail", "30_hang", "40_plain", "50_loud")
    ]
    passed, failed, hung, plain, loud = results
    assert passed["Passed"] and passed["Output"] == "h1 5000 x y %s {}\noops\n"
    assert not failed["Passed"] and failed["Output"] == "exit status 3"
    assert not hung["Passed"] and hung["Output"].startswith("begun\n")
    assert "killed after 0.5 seconds" in hung["Output"]
    assert not plain["Passed"] and "not executable" in plain["Output"]
    assert loud["Passed"] and len(loud["Output"]) < 70_000
    assert all(result["Duration"] >= 0 for result in results)
    assert not any((one.paths.folder / "twins").iterdir())


def test_without_tests_the_array_is_empty(
    proc: Callable[..., Any], build: Callable[..., Any]
) -> None:
    assert proc(**build({"Procfile": "web: x"}), proc_name="web").setup().uptest() == []
    assert proc(cmd="true").setup().uptest() == []


def test_it_runs_beside_the_proc_and_reaches_it(
    proc: Callable[..., Any], build: Callable[..., Any]
) -> None:
    port = free_port()
    check = (
        "#!/usr/bin/env python3\nimport sys, urllib.request\n"
        "print(urllib.request.urlopen('http://%s:%s/' % tuple(sys.argv[1:])).status)\n"
    )
    keys = build({"Procfile": "web: python3 -m http.server $PORT", "uptests/web/alive": check})
    one = proc(**keys, proc_name="web", port=port, host="127.0.0.1").setup()
    running = one.launch()

    def passes() -> bool:
        (result,) = one.uptest()
        return bool(result["Passed"])

    until(passes, "the uptest passes")
    assert running.process.poll() is None


def test_teardown_ends_running_twins(proc: Callable[..., Any], build: Callable[..., Any]) -> None:
    keys = build({"Procfile": "web: x", "uptests/web/hang": "#!/bin/sh\nsleep 1000"})
    one = proc(**keys, proc_name="web").setup()
    thread = threading.Thread(target=lambda: one.vrun("uptest"))
    thread.start()
    twins = one.paths.folder / "twins"

    def twin_processes() -> set[int]:
        names = [path.name for path in twins.iterdir()] if twins.exists() else []
        return set().union(*(cgroups.processes(name) for name in names))

    until(lambda: len(twin_processes()) >= 3, "the uptest runs")
    assert one.vrun("teardown").returncode == 0
    thread.join(30)
    assert not thread.is_alive()
    assert not one.paths.folder.exists()
