"""The wire format of events."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vr.server.streams.sse import KEEP_ALIVE, message, messages


def test_data_of_several_lines_and_all_fields() -> None:
    assert (
        message("a\r\nb\rc", id="7", event="end", retry=1000)
        == "retry: 1000\nid: 7\nevent: end\ndata: a\ndata: b\ndata: c\n\n"
    )


def test_a_keep_alive_is_one_line_end_only() -> None:
    assert KEEP_ALIVE == ":\n"


@given(st.text("ab\r\n\u2028é:", max_size=30))
def test_many_lines_at_once_are_the_events_of_each(text: str) -> None:
    lines = text.replace("\r\n", "\n").split("\n")
    assert messages(text) == "".join(message(line) for line in lines)
