"""The environment of an app."""

from __future__ import annotations

import json
from typing import Any

from vr.dea.environment import app_environment, expanded, services
from vr.dea.instance import Instance
from vr.dea.messages import parse_start
from vr.machine.path import SYSTEM_PATH


def environment(**changes: Any) -> dict[str, str]:
    document = {"droplet": 7, "sha1": "a" * 40, "executableUri": "x", "name": "shop", **changes}
    ports = {"port": 5000, "debug_port": 5001 if "debug" in changes else 0}
    return app_environment(Instance("id", parse_start(document), 24001, "10.0.0.1", **ports))


def test_the_port_is_always_ours() -> None:
    env = environment(env=["PORT=1"])
    assert env["PORT"] == env["VCAP_APP_PORT"] == env["VMC_APP_PORT"] == "5000"


def test_the_application_is_described() -> None:
    application = json.loads(environment(limits={"mem": 64})["VCAP_APPLICATION"])
    assert (application["name"], application["application_name"]) == ("shop", "shop")
    assert (application["instance_id"], application["limits"]["mem"]) == ("id", 64)


def test_values_are_taken_as_in_double_quotes() -> None:
    added = ["B=$A/${A}", "C='$A'", 'D="$A"', r"E=\$A", "F=$NONE.", "G=`id` $(id)", "H='"]
    env = expanded({"A": "1"}, added)
    assert env == {
        "A": "1",
        "B": "1/1",
        "C": "$A",
        "D": "1",
        "E": "$A",
        "F": ".",
        "G": "`id` $(id)",
        "H": "'",
    }


def test_services_are_listed_by_label_with_their_credentials() -> None:
    bindings = [
        {"label": "sql", "name": "a", "credentials": {"uri": "postgres://x"}, "vendor": "no"},
        {"label": "sql", "name": "b"},
    ]
    assert services(bindings) == {
        "sql": [
            {"name": "a", "label": "sql", "credentials": {"uri": "postgres://x"}},
            {"name": "b", "label": "sql"},
        ]
    }
    assert environment(services=bindings)["DATABASE_URL"] == "postgres://x"


def test_later_names_tell_the_address() -> None:
    env = environment(index=2)
    assert (env["CF_INSTANCE_INDEX"], env["CF_INSTANCE_ADDR"]) == ("2", "10.0.0.1:5000")


def test_debugging_has_a_port_and_the_runtimes_variables_for_its_mode() -> None:
    info = {
        "debug_env": {"run": ["MODE=run on $VCAP_DEBUG_PORT"], "suspend": ["MODE=suspend"]},
        "environment": {"LATER": "$MODE"},
    }
    env = environment(debug="run", runtime_info=info)
    assert (env["MODE"], env["LATER"]) == ("run on 5001", "run on 5001")
    assert env["VCAP_DEBUG_IP"] == "0.0.0.0"
    plain = environment(runtime_info=info)
    assert (plain["VCAP_DEBUG_IP"], plain["VCAP_DEBUG_PORT"]) == ("", "")
    assert "MODE" not in plain


def test_an_app_has_these_variables_and_no_others() -> None:
    document = {
        "droplet": 7,
        "sha1": "a" * 40,
        "executableUri": "x",
        "name": "shop",
        "version": "1-a",
        "index": 3,
        "users": ["ada"],
        "runtime": "ruby19",
        "limits": {"mem": 64, "disk": 128, "fds": 99},
    }
    instance = Instance(
        "id",
        parse_start(document),
        24001,
        "10.0.0.1",
        port=5000,
        console_port=5002,
        state_timestamp=1_700_000_000,
        uris=["shop.example"],
    )
    env = app_environment(instance)
    application = json.loads(env.pop("VCAP_APPLICATION"))
    assert env == {
        "HOME": "/home/vcap",
        "LANG": "C.UTF-8",
        "PATH": SYSTEM_PATH,
        "TMPDIR": "/home/vcap/tmp",
        "MEMORY_LIMIT": "64m",
        "PORT": "5000",
        "CF_INSTANCE_INDEX": "3",
        "CF_INSTANCE_IP": "10.0.0.1",
        "CF_INSTANCE_PORT": "5000",
        "CF_INSTANCE_ADDR": "10.0.0.1:5000",
        "CF_INSTANCE_PORTS": '[{"external": 5000, "internal": 5000}]',
        **{
            f"{prefix}_{name}": value
            for prefix in ("VCAP", "VMC")
            for name, value in {
                "APP_HOST": "0.0.0.0",
                "APP_PORT": "5000",
                "SERVICES": "{}",
                "DEBUG_IP": "",
                "DEBUG_PORT": "",
                "CONSOLE_IP": "0.0.0.0",
                "CONSOLE_PORT": "5002",
            }.items()
        },
    }
    assert application == {
        "instance_id": "id",
        "instance_index": 3,
        "name": "shop",
        "version": "1-a",
        "uris": ["shop.example"],
        "application_name": "shop",
        "application_version": "1-a",
        "application_uris": ["shop.example"],
        "application_id": 7,
        "users": ["ada"],
        "runtime": "ruby19",
        "start": 1_700_000_000,
        "started_at_timestamp": 1_700_000_000,
        "state_timestamp": 1_700_000_000,
        "host": "0.0.0.0",
        "port": 5000,
        "limits": {"mem": 64, "disk": 128, "fds": 99},
    }


def test_all_keys_of_a_service_that_apps_may_see_are_told() -> None:
    seen = {
        "name": "a",
        "label": "sql",
        "tags": ["x"],
        "plan": "free",
        "plan_option": "small",
        "credentials": {},
    }
    assert services([{**seen, "version": "1"}, {"name": "b"}]) == {
        "sql": [seen],
        "": [{"name": "b"}],
    }


def test_the_first_relational_database_has_the_url() -> None:
    uris = ["redis://r", None, "mysql2://m", "postgres://p"]
    bindings: list[dict[str, Any]] = [{"credentials": {"uri": uri}} for uri in uris]
    assert environment(services=[{"credentials": 5}, *bindings])["DATABASE_URL"] == "mysql2://m"
    assert "DATABASE_URL" not in environment(services=bindings[:2])


def test_what_a_runtime_says_wrongly_is_left_out() -> None:
    lists = {"debug_env": ["no", "modes"], "environment": ["A=1", "no-value", 5, ["B=2"]]}
    env = environment(debug="run", runtime_info=lists)
    assert env["A"] == "1" and "no-value" not in env
    assert "X" not in environment(runtime_info={"debug_env": {"run": ["X=1"]}})


def test_only_what_bash_escapes_in_double_quotes_is_unescaped() -> None:
    env = expanded({}, [r"A=\$\"\\\`", r"B=\n\X", "C=''", "D='", "E=x=y"])
    assert env == {"A": '$"\\`', "B": r"\n\X", "C": "", "D": "'", "E": "x=y"}
