"""`vr` against a server: what commands do, print and refuse."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis

from support.waiting import until
from support.web_server import WebServer
from vr.events.procs import ProcBoard


def end_dispatch(web: WebServer, swarm: str, status: str, error: str = "") -> None:
    """Play the worker: end the open dispatch of a swarm."""
    web.python(
        "from django.utils import timezone\n"
        f"d = Dispatch.objects.get(status='queued', swarm__config_name={swarm!r})\n"
        "d.steps.create(kind='uptest', status='done', message='2 of 2 passed',"
        " started=timezone.now(), ended=timezone.now())\n"
        f"d.status, d.error, d.output = {status!r}, {error!r}, 'OUTPUT OF 02_version'\n"
        "d.ended = timezone.now()\nd.save()\n"
    )


def test_empty_states_say_what_to_do_next(vr: Any) -> None:
    assert "vr swarms add" in vr("list-swarms").err
    assert "vr stacks add" in vr("stacks").err
    assert "vr build" in vr("builds").err
    assert "vr swarm" in vr("procs").err


def test_apps_are_added_listed_and_removed(ok: Any, vr: Any) -> None:
    assert "vr swarms add blog" in ok("apps", "add", "blog", "/srv/blog").err
    assert "/srv/blog" in ok("apps", "list").out
    unasked = vr("apps", "remove", "blog")
    assert (unasked.code, "-y" in unasked.err) == (1, True)
    ok("apps", "remove", "blog", "-y")
    assert "blog" not in [one["name"] for one in ok("apps", "--json").data]


@pytest.mark.parametrize("name", ["my-app", "my app", "my/app", ""])
def test_app_names_that_cannot_be_part_of_a_procs_name(vr: Any, name: str) -> None:
    said = vr("apps", "add", name, "/srv/x")
    assert said.code == 2
    assert "letters, digits" in said.err


def test_a_swarm_is_added_with_all_that_describes_it(
    fleet: None, ok: Any, swarm: str, tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("# kept\ncolour: red\n")
    env = tmp_path / "env.yaml"
    env.write_text("A: '1'\nB: '2'\n")
    ok("ingredients", "add", f"salt{swarm}", "--env", "SALT=yes")
    made = ok(
        *("swarms", "add", "shop", "worker", "--config-name", swarm, "--tag", "v2"),
        *("--size", "3", "--pool", "shop", "--config", str(config), "--env", str(env)),
        *("--env", "B=3", "--volumes", "/srv/data:/data", "--run-as", "shopkeeper"),
        *("--mem-limit", "256M", "--ingredient", f"salt{swarm}", "--json"),
    ).data
    assert made["squad_name"] == "local"
    assert made["balancer"] == "default"
    assert made["config_yaml"] == "# kept\ncolour: red\n"
    assert made["compiled_env"] == {"SALT": "yes", "A": "1", "B": "3"}
    assert made["volumes"] == [["/srv/data", "/data"]]
    assert (made["size"], made["run_as"], made["mem_limit"]) == (3, "shopkeeper", "256M")
    ok("swarms", "set", made["name"], "--size", "1", "--env", "C=4")
    (changed,) = ok("list-swarms", made["name"], "--json").data
    assert (changed["size"], changed["version"]) == (1, "v2")
    assert changed["compiled_env"] == {"SALT": "yes", "A": "1", "B": "3", "C": "4"}


def test_config_that_is_no_mapping_is_refused_and_nothing_made(
    vr: Any, swarm: str, tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("- a\n- list\n")
    add = ("swarms", "add", "shop", "worker", "--config-name", "bad", "--tag", "v1")
    said = vr(*add, "--config", str(config))
    assert said.code == 2
    assert "config_yaml" in said.err
    assert "mapping" in said.err
    missing = vr(*add, "--config", str(tmp_path / "nowhere.yaml"))
    assert (missing.code, "nowhere.yaml" in missing.err) == (2, True)
    assert not [one for one in vr("list-swarms", "--json").data if one["config_name"] == "bad"]


def test_an_unknown_squad_names_those_that_exist(vr: Any, swarm: str) -> None:
    said = vr(
        *("swarms", "add", "shop", "x", "--config-name", "y", "--tag", "v1", "--squad", "moon")
    )
    assert said.code == 2
    assert "squads: " in said.err
    assert "local" in said.err


def test_a_swarm_is_followed_step_by_step_to_its_end(web: WebServer, ok: Any, swarm: str) -> None:
    worker = threading.Thread(target=play_worker, args=(web, swarm, "succeeded"))
    worker.start()
    said = ok("swarm", f"shop-{swarm}-web", "v2")
    worker.join()
    assert f"shop-{swarm}-web → v2, size 1" in said.err
    assert "uptest done in" in said.err
    assert "2 of 2 passed" in said.err
    assert "succeeded in" in said.err
    (step,) = ok("dispatches", f"shop-{swarm}-web", "--last", "--json").data
    assert (step["kind"], step["status"]) == ("uptest", "done")
    assert "succeeded" in ok("dispatches", f"shop-{swarm}-web").out


def test_a_swarm_that_serves_need_not_be_followed_while_it_settles(
    web: WebServer, ok: Any, vr: Any, swarm: str
) -> None:
    def play() -> None:
        until_queued(web, swarm)
        web.python(
            "from django.utils import timezone\n"
            f"d = Dispatch.objects.get(status='queued', swarm__config_name={swarm!r})\n"
            "at = {'started': timezone.now()}\n"
            "d.steps.create(kind='route', status='done', ended=timezone.now(), **at)\n"
            "d.steps.create(kind='settle', status='running', message='serving after 1.2 s', **at)\n"
            "from vr.server.events.announcing import announce\n"
            "from vr.server.events.kinds import Kind\n"
            "announce('settle', kind=Kind.STEP_CHANGED, trace_id=d.trace_id)\n"
        )

    worker = threading.Thread(target=play)
    worker.start()
    said = ok("swarm", f"shop-{swarm}-web", "v2", "--no-settle-wait")
    worker.join()
    assert "serving after 1.2 s" in said.err
    assert f"shop-{swarm}-web serves v2 after" in said.err
    (latest,) = ok("dispatches", f"shop-{swarm}-web", "--json").data
    assert latest["status"] == "queued", "it goes on"
    end_dispatch(web, swarm, "failed", "it died")
    refused = vr("swarm", f"shop-{swarm}-web", "v2", "--no-wait", "--no-settle-wait")
    assert len(refused.out.strip()) == 32, "not waiting at all is the stronger wish"
    end_dispatch(web, swarm, "succeeded")


def until_queued(web: WebServer, swarm: str) -> None:
    until(
        lambda: web.python(
            f"print(Dispatch.objects.filter(status='queued',"
            f" swarm__config_name={swarm!r}).count() or '')"
        ),
        "it is queued",
    )


def play_worker(web: WebServer, swarm: str, status: str, error: str = "") -> None:
    until_queued(web, swarm)
    end_dispatch(web, swarm, status, error)


def test_a_failed_swarm_exits_1_and_shows_why(web: WebServer, vr: Any, swarm: str) -> None:
    worker = threading.Thread(target=play_worker, args=(web, swarm, "failed", "an uptest failed"))
    worker.start()
    said = vr("swarm", f"shop-{swarm}-web", "v3", "--json")
    worker.join()
    assert said.code == 1
    assert said.data[0]["status"] == "failed"
    assert "an uptest failed" in said.err
    assert "OUTPUT OF 02_version" in said.err


def test_a_second_swarm_is_refused_while_the_first_is_open(
    web: WebServer, ok: Any, vr: Any, swarm: str
) -> None:
    trace = ok("swarm", f"shop-{swarm}-web", "v2", "--no-wait").out.strip()
    assert len(trace) == 32
    said = vr("swarm", f"shop-{swarm}-web", "v1")
    assert said.code == 1
    assert "already" in said.err
    assert trace in said.err
    assert vr("swarms", "remove", f"shop-{swarm}-web", "-y").code == 1
    end_dispatch(web, swarm, "succeeded")
    ok("swarms", "remove", f"shop-{swarm}-web", "-y")


def test_a_size_below_zero_is_refused(vr: Any, swarm: str) -> None:
    for arguments in (("-1",), ("--", "-1")):
        said = vr("scale", f"shop-{swarm}-web", *arguments)
        assert said.code == 2
        assert "size" in said.err


def test_rolling_back_without_a_past_is_refused(vr: Any, swarm: str) -> None:
    said = vr("rollback", f"shop-{swarm}-web")
    assert said.code == 2
    assert "no earlier successful release" in said.err


def test_a_squad_without_hosts_is_refused(ok: Any, vr: Any, swarm: str) -> None:
    ok("squads", "add", f"empty{swarm}")
    name = f"shop-{swarm}-lonely"
    ok(
        *("swarms", "add", "shop", "lonely", "--config-name", swarm, "--tag", "v1"),
        *("--squad", f"empty{swarm}"),
    )
    said = vr("swarm", name, "-")
    assert said.code == 2
    assert f"empty{swarm}" in said.err
    assert "host" in said.err


def test_patterns_that_match_nothing_list_what_exists(vr: Any, swarm: str) -> None:
    said = vr("swarm", "moon", "v1")
    assert said.code == 2
    assert f"shop-{swarm}-web" in said.err
    assert "regular expression" in vr("swarm", "(", "v1").err


def test_what_is_wrong_with_a_swarm_is_told_by_its_name(vr: Any, swarm: str) -> None:
    said = vr("swarms", "set", f"shop-{swarm}-web", "--mem-limit", "much")
    assert said.code == 2
    assert f"swarm shop-{swarm}-web: mem_limit" in said.err


def test_all_hosts_are_upgraded_also_if_there_are_none(ok: Any) -> None:
    assert "none to upgrade" in ok("hosts", "upgrade", "--all").err


def test_strays_are_procs_that_are_called_like_ours_and_belong_to_no_swarm(
    redis_url: str, ok: Any, vr: Any, swarm: str
) -> None:
    owned, stray = f"shop-v1-{swarm}-0a1b2c3d-web-5000", "gone-v1-prod-0a1b2c3d-web-5001"
    connection = redis.Redis.from_url(redis_url)
    pushed = [{"name": name, "state": 20, "statename": "RUNNING"} for name in (owned, stray)]
    ProcBoard(connection).replace("testhost", [*pushed, {"name": "redis"}])
    (found,) = ok("strays", "--json").data
    assert (found["name"], found["host"]) == (stray, "testhost")
    assert owned not in ok("strays").out
    assert vr("strays", "remove", "shop", "--yes").code == 2, "procs of swarms are no strays"
    refused = vr("strays", "adopt", "gone", "--yes")
    assert refused.code == 1 and "runs a release that is not known any more" in refused.err
    connection.close()


def test_a_stray_is_given_to_the_swarm_that_is_named(redis_url: str, ok: Any, swarm: str) -> None:
    stray = "shop-v1-left-0a1b2c3d-web-5002"
    with closing(redis.Redis.from_url(redis_url)) as connection:
        ProcBoard(connection).replace("testhost", [{"name": stray}])
    said = ok("strays", "adopt", "shop-v1-left", "--swarm", f"shop-{swarm}-web", "--yes").err
    assert f"{stray} on testhost is a proc of shop-{swarm}-web now" in said
    assert f"vr swarm shop-{swarm}-web -" in said
    assert ok("strays", "--json").data == []


def test_procs_come_from_what_hosts_pushed(redis_url: str, ok: Any, vr: Any, swarm: str) -> None:
    name = f"shop-v1-{swarm}-0a1b2c3d-web-5000"
    info = {"name": name, "group": name, "state": 20, "statename": "RUNNING"}
    connection = redis.Redis.from_url(redis_url)
    ProcBoard(connection).replace(
        "testhost", [{**info, "description": "pid 7, uptime 0:00:05"}, {"name": "redis"}]
    )
    (found,) = ok("procs", f"shop-{swarm}-web", "--json").data
    assert (found["name"], found["statename"], found["silent"]) == (name, "RUNNING", False)
    shown = ok("procs", f"shop-{swarm}").out
    assert "uptime" in shown
    assert "redis" not in ok("procs").out
    assert "redis" in ok("procs", "--all").out
    (host,) = (line.split() for line in ok("hosts").out.splitlines() if "testhost" in line)
    assert "1" in host, "one proc, as redis is none"
    (listed,) = ok("list-swarms", f"shop-{swarm}-web", "--json").data
    assert [one["name"] for one in listed["procs"]] == [name]
    assert "1 running" in ok("list-swarms", f"shop-{swarm}-web").out
    assert vr("logs", "moon").code == 2
    connection.close()


def test_a_proc_that_restarts_again_and_again_is_not_called_running(
    redis_url: str, ok: Any, swarm: str
) -> None:
    name = f"shop-v1-{swarm}-0a1b2c3d-web-5000"
    info = {"name": name, "group": name, "state": 20, "statename": "RUNNING", "now": 1000}
    restarts = {"count": 41, "row": 7, "since": 900.0, "last": 990.0}
    with redis.Redis.from_url(redis_url) as connection:
        ProcBoard(connection).replace("testhost", [{**info, "restarts": restarts}])
        (found,) = ok("procs", f"shop-{swarm}-web", "--json").data
        assert (found["statename"], found["restarts"]) == ("RESTARTING", 41)
        shown = ok("procs", f"shop-{swarm}").out
        assert "RESTARTING" in shown and "41" in shown and "restarted 7 times" in shown
        assert "1 restarting" in ok("list-swarms", f"shop-{swarm}-web").out
        ProcBoard(connection).replace("testhost", [info])
        assert "?" in ok("procs", f"shop-{swarm}").out


def test_procs_are_found_by_their_swarms_new_name(
    web: WebServer, redis_url: str, ok: Any, swarm: str
) -> None:
    name = f"shop-v1-{swarm}-0a1b2c3d-web-5077"
    info = {"name": name, "group": name, "state": 20, "statename": "RUNNING"}
    with redis.Redis.from_url(redis_url) as connection:
        ProcBoard(connection).replace("testhost", [{**info, "description": ""}, {"name": "redis"}])
        web.python(
            f"s = Swarm.objects.get(config_name={swarm!r})\n"
            "PortLease.objects.create(host=Host.objects.get(name='testhost'), port=5077,"
            f" proc={name!r}, swarm=s)\n"
            "s.config_name = 'renamed'\ns.save()\n"
        )
        (found,) = ok("procs", "shop-renamed-web", "--json").data
        assert (found["name"], found["swarm"]) == (name, "shop-renamed-web")
        assert "1 running" in ok("list-swarms", "shop-renamed-web").out
        owners = {one["name"]: one["swarm"] for one in ok("procs", "--all", "--json").data}
        assert owners["redis"] is None


def test_a_swarm_is_added_where_several_squads_have_hosts(
    web: WebServer, ok: Any, vr: Any, swarm: str
) -> None:
    web.python(
        "squad = Squad.objects.create(name='second')\n"
        "Host.objects.create(name='secondhost', squad=squad)\n"
    )
    try:
        add = ("swarms", "add", "shop", "web", "--config-name", "twosquads", "--tag", "v1")
        unsaid = vr(*add)
        assert (unsaid.code, "second" in unsaid.err) == (2, True)
        ok(*add, "--squad", "second")
    finally:
        web.python(
            "Swarm.objects.filter(config_name='twosquads').delete()\n"
            "Host.objects.filter(name='secondhost').delete()\n"
            "Squad.objects.filter(name='second').delete()\n"
        )


def test_the_last_events_are_shown(ok: Any, swarm: str) -> None:
    assert "rex: add swarm" in ok("events").out
    assert json.loads(ok("events", "--json").out.splitlines()[-1])["tags"] == ["user", "add"]


def test_unknown_commands_and_options_exit_2(vr: Any) -> None:
    said = vr("swam", "x")
    assert said.code == 2
    assert "list-swarms" in said.err
    assert "Did you mean 'vr swarm'" in said.err
    for typed, meant in (
        (("squads", "ad", "x"), "vr squads add"),
        (("squads", "remov"), "vr squads remove"),
        (("procs", "restrat", "shop"), "vr procs restart"),
        (("swarms", "remvoe"), "vr swarms remove"),
    ):
        said = vr(*typed)
        assert (said.code, f"Did you mean {meant!r}" in said.err) == (2, True), said
    assert vr("swarm").code == 2
    assert vr("swarm", "x", "y", "--nonsense").code == 2


def test_a_wrong_token_and_an_absent_server_say_what_to_do(
    vr: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VR_TOKEN", "wrong")
    said = vr("apps")
    assert (said.code, "VR_TOKEN" in said.err) == (1, True)
    monkeypatch.setenv("VR_URL", "http://127.0.0.1:9")
    said = vr("apps")
    assert said.code == 1
    assert "vr up" in said.err
