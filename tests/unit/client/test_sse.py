"""Server-Sent Events are read as the standard says."""

from vr.client.sse import Message, messages


def test_messages_end_at_blank_lines_and_comments_are_dropped() -> None:
    lines = [
        ":",
        ": hello",
        "id: 7",
        "event: end",
        "data: a",
        "data:b",
        "",
        "data: c",
        "",
        "data: x",
    ]
    assert list(messages(lines)) == [Message("a\nb", "end", "7"), Message("c", "", "7")]


def test_a_block_without_data_is_no_message() -> None:
    assert list(messages(["retry: 1000", "", "event: x", "", "data: 1", ""])) == [Message("1")]
