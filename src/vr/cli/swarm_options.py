"""Options that describe a swarm, and the document that they make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from vr.errors import InvalidInput
from vr.specs.env import name_problem
from vr.specs.limits import LIMITS, Limit
from vr.specs.yaml_reader import BadYaml, read_yaml

F = TypeVar("F", bound=Callable[..., Any])


def _limit_option(limit: Limit) -> Callable[[F], F]:
    """What is given goes to the server as it is: it says what a value may be."""
    metavar = "SIZE" if limit.kind == "size" else "NUMBER"
    text = f"{limit.help} '' for none."
    return click.option(f"--{limit.name.replace('_', '-')}", metavar=metavar, help=text)


_OPTIONS = (
    click.option("--squad", help="Where; the only squad with hosts, unless told."),
    click.option("--tag", "version", metavar="VERSION", help="Tag, branch or commit."),
    click.option("--size", type=int, help="How many procs."),
    click.option("--pool", help="The balancer's pool that they are routed in; '' for none."),
    click.option("--balancer", help="Routes the pool; the default one, unless told."),
    click.option(
        "--settle-seconds",
        metavar="NUMBER",
        help="How long new procs must stay up before old ones go; 0: not at all, '' for the "
        "server's.",
    ),
    click.option("--check-path", help="What web must answer without uptests; '' for nothing."),
    click.option("--check-statuses", help="Good HTTP statuses there, as in 200-399,401."),
    click.option(
        "--unroute-after",
        metavar="NUMBER",
        help="A proc leaves its pool after so many failed uptests in a row, until it passes; '' "
        "for never.",
    ),
    click.option(
        "--read-timeout",
        metavar="SECONDS",
        help="How long an app may be silent within an answer; '' for the balancer's.",
    ),
    click.option("--body-size", metavar="SIZE", help="Largest request body, as in 10M."),
    click.option("--header-size", metavar="SIZE", help="Headers of an answer, as in 128k."),
    click.option("--config", type=click.Path(), help="YAML file with the app's settings."),
    click.option(
        "--env",
        multiple=True,
        metavar="FILE|KEY=VALUE",
        help="Environment: a YAML file, single values, or both; values win.",
    ),
    click.option("--volumes", multiple=True, metavar="FOLDER:MOUNT", help="Host folder to mount."),
    click.option("--run-as", help="User account of the procs."),
    *(_limit_option(limit) for limit in LIMITS.values()),
    click.option("--ingredient", multiple=True, metavar="NAME", help="Shared config to use."),
)

_TRAFFIC = (
    *("settle_seconds", "check_path", "check_statuses", "unroute_after"),
    *("read_timeout", "body_size", "header_size"),
)


def swarm_options(command: F) -> F:
    """All options that describe a swarm; `document` takes their values."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def document(given: dict[str, Any], *, env_before: str = "") -> dict[str, Any]:
    """What to send of the options that were given.

    Single environment values are put on top of `env_before`, the YAML text so far, unless a
    file replaces it. Raises InvalidInput for files that can't be read and malformed values.
    """
    simple = ("squad", "version", "size", "pool", "balancer", "run_as", *_TRAFFIC, *LIMITS)
    made = {key: given[key] for key in simple if given[key] is not None}
    if given["config"] is not None:
        made["config_yaml"] = _text(given["config"], "--config")
    if given["env"]:
        made["env_yaml"] = environment(given["env"], env_before)
    if given["volumes"]:
        made["volumes"] = [_volume(one) for one in given["volumes"]]
    if given["ingredient"]:
        made["config_ingredients"] = list(given["ingredient"])
    return made


def environment(given: Sequence[str], before: str = "") -> str | dict[str, Any]:
    """YAML text of a single file as it is, else the merged mapping."""
    files = [one for one in given if not _is_assignment(one)]
    values = dict(one.split("=", 1) for one in given if _is_assignment(one))
    misnamed = [one.partition("=")[0] for one in files if "=" in one and not Path(one).exists()]
    if problems := [problem for name in misnamed if (problem := name_problem(name))]:
        raise InvalidInput("--env", problems)
    if len(files) > 1:
        raise InvalidInput("--env", [f"{', '.join(files)}: only one file can be the environment"])
    text = _text(files[0], "--env") if files else before
    if not values:
        return text
    try:
        base = read_yaml(text, as_typed=[()]) or {}
    except BadYaml as error:
        raise InvalidInput(
            "--env", [f"{files[0] if files else 'now'}: can't be read as YAML: {error}"]
        ) from None
    if not isinstance(base, dict):
        kind = type(base).__name__
        raise InvalidInput("--env", [f"{files[0]}: is a {kind}, but a YAML mapping is expected"])
    return {**base, **values}


def _is_assignment(text: str) -> bool:
    name, equals, _ = text.partition("=")
    return bool(equals) and name.isidentifier() and name.isascii()


def _volume(text: str) -> list[str]:
    folder, colon, mount = text.partition(":")
    if not (colon and folder.startswith("/") and mount.startswith("/")):
        problem = f"{text!r} is not FOLDER:MOUNT with two absolute paths, as in /srv/data:/data"
        raise InvalidInput("--volumes", [problem])
    return [folder, mount]


def _text(path: str, option: str) -> str:
    try:
        return Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise InvalidInput(option, [f"{path}: {reason}"]) from None
