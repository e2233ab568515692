"""The code blocks of the documentation, so that tests can run what users will copy."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
_PROMPT = "# "


@dataclass(frozen=True)
class Sample:
    """A code block: its page, the heading above it, its language ("" if none is named)."""

    page: str
    heading: str
    language: str
    text: str

    @property
    def first(self) -> str:
        """The first line, which tells it from the others of its page."""
        return self.text.splitlines()[0].strip()


@dataclass(frozen=True)
class Command:
    """A line behind a prompt, and what the page shows below it; `…` there is any text."""

    line: str
    shown: str

    def agrees(self, printed: str) -> bool:
        """Is what was printed what the page shows? True if it shows nothing."""
        pattern = ".*".join(re.escape(part) for part in self.shown.strip().split("…"))
        return not self.shown.strip() or bool(
            re.fullmatch(pattern, printed.strip(), flags=re.DOTALL)
        )


def pages() -> list[str]:
    """README and the pages of docs/, without the reference, relative to the top."""
    return ["README.md", *sorted(f"docs/{path.name}" for path in (TOP / "docs").glob("*.md"))]


def samples(page: str) -> list[Sample]:
    """All code blocks of a page, fenced or indented, in order."""
    found: list[Sample] = []
    heading, language, fenced, before = "", "", False, ""
    block: list[str] = []

    def end() -> None:
        text = textwrap.dedent("\n".join(block)).strip("\n")
        if text:
            found.append(Sample(page, heading, language, f"{text}\n"))
        block.clear()

    for line in (TOP / page).read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            end()
            fenced = not fenced
            language = line.removeprefix("```")
        elif fenced or (line.startswith("    ") and (block or not before)) or not line:
            block.append(line)
        else:
            end()
            if line.startswith("#"):
                heading = line.lstrip("# ")
        before = line
    end()
    return found


def sample(page: str, begins: str) -> Sample:
    """The one code block of the page whose first line begins so."""
    found = [one for one in samples(page) if one.first.startswith(begins)]
    assert len(found) == 1, f"{page}: {len(found)} code blocks begin with {begins!r}"
    return found[0]


def commands(one: Sample) -> list[Command]:
    """The commands of a block of a terminal: lines behind `# `, and the output below each."""
    made: list[Command] = []
    for line in one.text.splitlines():
        if line.startswith(_PROMPT):
            made.append(Command(line.removeprefix(_PROMPT), ""))
        else:
            assert made, f"{one.page}: {line!r} stands above the first command"
            made[-1] = Command(made[-1].line, f"{made[-1].shown}{line}\n")
    return made
