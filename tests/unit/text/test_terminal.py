"""What others wrote for a terminal: read as it was meant, printed without steering ours."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr.text.terminal import can_redraw, harmless, plain


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[1m\x1b[32mok\x1b[0m", "ok"),
        ("a\x1b[2Jb\x1b[10;5Hc\x1b[?25l", "abc"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]0;without an end\nnext line", "\nnext line"),
        ("\x1bPdevice\x1b\\text", "text"),
        ("\x1bcreset, \x1b(Bcharset", "reset, charset"),
        ("cut off\x1b[", "cut off"),
        ("10%\r50%\r100%\ndone", "100%\ndone"),
        ("windows\r\nlines\r\n", "windows\nlines\n"),
        ("bell\x07 back\x08 nul\0 del\x7f", "bell back nul del"),
        # Controls inside a sequence don't end it; another escape does.
        ("\x1b[3\x011\rmred \x1b\x07[2Jx \x1b[3\x1b[1mbold", "red x bold"),
        ("\x9b31mred\x9b0m \x9d0;title\x9ctext \x90device\x9cx", "red text x"),
        ("a\u202egpj.exe\u2066b", "a<U+202E>gpj.exe<U+2066>b"),
        ("plain [1m] text\twith a tab", "plain [1m] text\twith a tab"),
    ],
)
def test_plain_text_is_what_was_to_be_read(raw: str, shown: str) -> None:
    assert plain(raw) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m"),
        ("a\x1b[2Jb\x1b[10;5Hc\x1b[?25l", "abc"),
        ("\x1b]0;title\x07x\x1b]52;c;AAAA\x1b\\y", "xy"),
        ("bell\x07 back\x08 cr\r", "bell back cr"),
        ("\x1bcreset", "reset"),
        # A control in the middle, a sequence in one character.
        ("\x1b[\x012J", ""),
        ("\x1b[3\x011mx", "x"),
        ("\x9b2J", ""),
        ("\x9d0;title\x9cx", "x"),
        # Two halves that only make a sequence when what stands between them is gone.
        ("\x1b[\x1b[2J2J", "2J"),
        ("\u202ex\u202c", "<U+202E>x<U+202C>"),
        ("\x1b[", ""),
    ],
)
def test_harmless_text_keeps_its_colours_alone(text: str, shown: str) -> None:
    assert harmless(text) == shown


_HOSTILE = st.text(
    st.sampled_from("\x1b[]?;0123mHJPc\\\x07\x08\x01\r\n\t\x9b\x9c\x9d\x18\u202e ab"), max_size=40
)


@given(_HOSTILE)
def test_nothing_that_steers_a_terminal_gets_through(text: str) -> None:
    assert not re.search(r"[^ -~\n\t]", re.sub(r"\x1b\[[0-9;]*m", "", harmless(text)))
    assert not re.search(r"[^ -~\n\t]", plain(text))


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("term", "can"), [("xterm", True), ("dumb", False), ("unknown", False), ("", False)]
)
def test_only_terminals_that_can_are_redrawn(
    term: str, can: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    assert can_redraw(Screen()) is can
    assert not can_redraw(io.StringIO())
    monkeypatch.delenv("TERM")
    assert not can_redraw(Screen())
