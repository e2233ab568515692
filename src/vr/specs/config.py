"""Config of an app: the mapping that becomes its settings.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_INT_LIMIT = 2**31


def config_problems(config: Mapping[Any, Any]) -> list[str]:
    """What is wrong with an app's config, one sentence each."""
    found = plain_problems(config)
    pilot = config.get("pilot")
    if pilot is not None and not isinstance(pilot, bool | str | dict):
        kind = "number" if isinstance(pilot, int | float) else type(pilot).__name__
        found.append(f"pilot: is a {kind}; true, the path of a file or a mapping is expected")
    return found


def plain_problems(mapping: Mapping[Any, Any]) -> list[str]:
    """What of `mapping` would not survive Supervisor's XML-RPC: it carries text as keys, and
    integers of 32 bits, but no dates and no bytes."""
    return list(_unplain(mapping, ""))


def _unplain(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                where = f" in {path}" if path else ""
                truth = " (so YAML reads yes, no, on, off)" if isinstance(key, bool) else ""
                yield f"key {key!r}{where} is not text{truth}; quote it"
            else:
                yield from _unplain(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _unplain(inner, f"{path}[{index}]")
    elif isinstance(value, bool | str | float) or value is None:
        return
    elif isinstance(value, int):
        if not -_INT_LIMIT <= value < _INT_LIMIT:
            yield f"{path}: int exceeds XML-RPC limits; quote it to make it text"
    else:
        yield f"{path}: is a {type(value).__name__}; quote it to make it text"
