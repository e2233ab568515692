"""The wire format of events."""

from vr.server.streams.sse import KEEP_ALIVE, message


def test_data_of_several_lines_and_all_fields() -> None:
    assert (
        message("a\r\nb\rc", id="7", event="end", retry=1000)
        == "retry: 1000\nid: 7\nevent: end\ndata: a\ndata: b\ndata: c\n\n"
    )


def test_a_keep_alive_is_one_line_end_only() -> None:
    assert KEEP_ALIVE == ":\n"
