"""What a swarm's config and environment come to, before it is saved. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml
from django.core.exceptions import ValidationError

from vr.server.models.yaml_text import parse_env, parse_mapping


def compiled(own: str, shared: Sequence[str], *, is_env: bool = False) -> str:
    """YAML of the ingredients' mappings in the order given, then the swarm's own; later wins.

    The merge is shallow, as in Swarm.compiled_config. Text that is no mapping gives a comment
    that says so, in the place of its values.
    """
    merged: dict[str, Any] = {}
    trouble: list[str] = []
    for text in [*shared, own]:
        try:
            merged.update(parse_env(text) if is_env else parse_mapping(text))
        except ValidationError as error:
            trouble += [f"# {message}" for message in error.messages]
    body = yaml.safe_dump(merged, allow_unicode=True, sort_keys=False) if merged else ""
    return "\n".join([*trouble, body]).strip()
