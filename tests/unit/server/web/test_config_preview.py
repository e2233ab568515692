"""What config and environment come to before they are saved."""

from __future__ import annotations

import yaml

from vr.server.web.config_preview import compiled


def test_later_ingredients_win_and_the_swarm_wins_over_all() -> None:
    text = compiled("c: own\n", ["a: 1\nb: 1\nc: 1\n", "b: 2\n"])

    assert yaml.safe_load(text) == {"a": 1, "b": 2, "c": "own"}


def test_text_that_is_no_mapping_is_said_in_its_place() -> None:
    text = compiled("- a list\n", ["a: 1\n"])

    assert text.startswith("# is a list, but a YAML mapping")
    assert yaml.safe_load(text) == {"a": 1}


def test_nothing_gives_nothing() -> None:
    assert compiled("", ["", "{}"]) == ""
