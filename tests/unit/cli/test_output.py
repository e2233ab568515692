"""What others wrote is printed without reaching into the terminal."""

import pytest

from vr.cli.output import harmless


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m"),
        ("a\x1b[2Jb\x1b[10;5Hc\x1b[?25l", "abc"),
        ("\x1b]0;title\x07x\x1b]52;c;AAAA\x1b\\y", "xy"),
        ("bell\x07 back\x08 cr\r", "bell back cr"),
        ("\x1bc", "c"),
    ],
)
def test_harmless(text: str, shown: str) -> None:
    assert harmless(text) == shown
