"""The table of kinds of events: whole, used, shown and documented."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from vr.server.events.kinds import Kind

ROOT = Path(__file__).parents[4]
SERVER = ROOT / "src/vr/server"
SOURCES = {
    path: ast.parse(path.read_text())
    for path in SERVER.rglob("*.py")
    if path != SERVER / "events/kinds.py"
}


def dotted(node: ast.AST) -> str:
    return ast.unparse(node) if isinstance(node, ast.Attribute) else ""


def test_every_kind_is_sent_somewhere() -> None:
    named = {dotted(node) for tree in SOURCES.values() for node in ast.walk(tree)}

    assert [kind.name for kind in Kind if f"Kind.{kind.name}" not in named] == []


def test_events_are_made_in_one_place_only_which_takes_a_kind() -> None:
    makers = {
        path.relative_to(SERVER).as_posix()
        for path, tree in SOURCES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and re.fullmatch(r"Event(\.objects\.\w*create)?", ast.unparse(node.func))
    }

    assert makers == {"events/announcing.py"}


def test_no_two_kinds_have_the_same_tags() -> None:
    assert len({kind.tags for kind in Kind}) == len(Kind.__members__)


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.name)
def test_a_kind_has_an_icon_of_the_sprite_and_is_found_by_its_tags(kind: Kind) -> None:
    sprite = (SERVER / "static/vr/icons.svg").read_text()

    assert f'id="{kind.icon}"' in sprite
    assert Kind.of(list(kind.tags)) is kind


def test_tags_of_another_version_are_no_kind() -> None:
    assert Kind.of(["scheduled"]) is None
    assert Kind.of([]) is None


def test_what_users_do_has_a_word_in_the_action_log() -> None:
    assert Kind.USER_ROLLED_BACK.action == "rollback"
    with pytest.raises(ValueError, match="nothing that a user does"):
        _ = Kind.POOL_ROUTED.action


def test_the_documentation_lists_every_kind_in_order() -> None:
    rows = [
        f"| {' '.join(f'`{tag}`' for tag in kind.tags)} | {kind.tone} | {kind.meaning} |"
        for kind in Kind
    ]
    page = (ROOT / "docs/reference/streams.md").read_text()
    section = page.partition("\n## Tags\n")[2].partition("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("| `")]

    assert table == rows
