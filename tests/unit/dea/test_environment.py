"""The environment of an app."""

from __future__ import annotations

import json
from typing import Any

from vr.dea.environment import app_environment, expanded, services
from vr.dea.instance import Instance
from vr.dea.messages import parse_start


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
