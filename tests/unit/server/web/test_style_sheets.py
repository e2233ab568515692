"""Style sheets: every one is linked, and none knows a single element."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SERVER = Path(__file__).parents[4] / "src/vr/server"
FOLDER = SERVER / "static/vr"
SHEETS = sorted(path.relative_to(FOLDER.parent).as_posix() for path in FOLDER.rglob("*.css"))


def test_every_sheet_is_linked_once() -> None:
    links = (SERVER / "templates/web/parts/styles.html").read_text()

    assert sorted(re.findall(r"static '([^']+)'", links)) == SHEETS


@pytest.mark.parametrize("sheet", SHEETS)
def test_no_rule_selects_an_element_by_its_id(sheet: str) -> None:
    text = (FOLDER.parent / sheet).read_text()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    selectors = re.findall(r"([^{};]+)\{", text)

    assert selectors
    assert [one.strip() for one in selectors if "#" in one] == []
