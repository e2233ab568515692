"""Options that describe a swarm become the document that is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from vr.cli.swarm_options import document, environment, swarm_options
from vr.errors import InvalidInput
from vr.specs.limits import LIMITS

NOTHING: dict[str, Any] = {
    **dict.fromkeys(("squad", "version", "size", "pool", "balancer", "config")),
    **dict.fromkeys(("run_as", *LIMITS)),
    **dict.fromkeys(("settle_seconds", "unroute_after", "check_path", "check_statuses")),
    **dict.fromkeys(("read_timeout", "body_size", "header_size")),
    **dict.fromkeys(("env", "volumes", "ingredient"), ()),
}


def test_only_what_was_given_is_sent() -> None:
    assert document(NOTHING) == {}
    assert document({**NOTHING, "size": 0, "pool": ""}) == {"size": 0, "pool": ""}


@pytest.mark.parametrize("name", LIMITS)
def test_every_limit_is_an_option_and_is_sent(name: str) -> None:
    option = f"--{name.replace('_', '-')}"

    @click.command()
    @swarm_options
    def command(**given: Any) -> None:
        click.echo(document(given))

    said = CliRunner().invoke(command, [option, LIMITS[name].example]).output
    assert said.strip() == str({name: LIMITS[name].example})


def test_an_environment_file_is_sent_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "env.yaml"
    path.write_text("# why\nA: 1\n")
    assert environment([str(path)], "B: 2\n") == "# why\nA: 1\n"


def test_values_whose_names_are_wrong_are_not_taken_for_files() -> None:
    with pytest.raises(InvalidInput) as raised:
        environment(["GOOD=1", "1A=x", "MY-KEY=y"])
    assert [problem.partition(";")[0] for problem in raised.value.problems] == [
        "'1A' can't be the name of a variable",
        "'MY-KEY' can't be the name of a variable",
    ]


def test_a_file_may_have_an_equals_sign_in_its_name(tmp_path: Path) -> None:
    path = tmp_path / "env-a=b.yaml"
    path.write_text("A: 1\n")
    assert environment([str(path)]) == "A: 1\n"


def test_single_values_go_on_top(tmp_path: Path) -> None:
    assert environment(["A=1=2", "B="], "A: x\nC: 3\n") == {"A": "1=2", "C": "3", "B": ""}


@pytest.mark.parametrize("volume", ["/a", "a:/b", "/a:b", ":", ""])
def test_malformed_volumes_are_refused(volume: str) -> None:
    with pytest.raises(InvalidInput, match="FOLDER:MOUNT"):
        document({**NOTHING, "volumes": (volume,)})


def test_files_that_are_not_there_or_no_mapping_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"nowhere\.yaml"):
        document({**NOTHING, "config": str(tmp_path / "nowhere.yaml")})
    listed = tmp_path / "list.yaml"
    listed.write_text("- a\n")
    with pytest.raises(InvalidInput, match="is a list"):
        environment([str(listed), "A=1"])
