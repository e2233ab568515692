"""From the command line's word for a configuration to the configuration."""

from __future__ import annotations

import re
import socket

from vr.pilot.errors import ConfigError
from vr.pilot.jsontext import JsonError, parse_json
from vr.pilot.masking import Masker
from vr.pilot.read_config import ContainerFacts, read_config
from vr.pilot.template import TemplateError, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vr.pilot.config import Config
    from vr.pilot.interfaces import Address

FILE = "file://"


class Loaded:
    """A configuration, and how it reads without its secrets."""

    def __init__(self, config: Config, shown: str) -> None:
        self.config = config
        self.shown = shown


def load(source: str, environ: Mapping[str, str]) -> Loaded:
    """Read, render, parse and validate; raises ConfigError.

    `source` is `file://path` or the JSON itself; `environ` are the template's variables.
    """
    import json

    template = read_source(source)
    mask = Masker(environ)
    text = rendered(template, environ)
    try:
        document = parse_json(text, mask(text))
    except JsonError as error:
        hint = breaking_variables(template, environ)
        raise ConfigError(["\n".join([*error.problems, *hint])]) from None
    config = read_config(document, ContainerFacts(socket.gethostname(), _addresses(), mask))
    return Loaded(config, json.dumps(mask.document(document), indent=2))


def read_source(source: str) -> str:
    """The raw text of a configuration."""
    if not source:
        raise ConfigError(["-config flag is required (or the CONTAINERPILOT variable)"])
    if not source.startswith(FILE):
        return source
    path = source[len(FILE) :]
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except (OSError, ValueError) as error:
        reason = (error.strerror or "") if isinstance(error, OSError) else str(error)
        raise ConfigError([f"Could not read config file: open {path}: {reason.lower()}"]) from None


def rendered(template: str, environ: Mapping[str, str]) -> str:
    """The text with its template carried out; raises ConfigError."""
    try:
        return render(template, environ)
    except TemplateError as error:
        raise ConfigError([f"Could not apply template to config: {error}"]) from None


def rendered_arguments(words: Sequence[str], environ: Mapping[str, str]) -> tuple[str, ...]:
    """The application's arguments, which are templates too; raises ConfigError."""
    try:
        return tuple(render(word, environ) for word in words)
    except TemplateError as error:
        raise ConfigError([f"Could not apply template to the arguments: {error}"]) from None


def breaking_variables(template: str, environ: Mapping[str, str]) -> list[str]:
    """What to say of variables whose values are likely to have broken the JSON."""
    used = dict.fromkeys(re.findall(r"\.([A-Za-z_]\w*)", " ".join(_actions(template))))
    bad = [name for name in used if re.search(r'["\\\x00-\x1f]', environ.get(name, ""))]
    return [
        f"the value of {name} contains a quote, a backslash or a line break; "
        f"write {{{{json .{name}}}}}, without quotes around it"
        for name in bad
    ]


def _actions(template: str) -> list[str]:
    return re.findall(r"\{\{.*?\}\}", template, re.DOTALL)


def _addresses() -> list[Address]:
    from vr.pilot.netlink import addresses

    try:
        return addresses()
    except OSError:
        # Not fatal by itself: `static:` and configurations without services need none.
        return []
