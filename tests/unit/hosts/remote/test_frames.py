"""Messages between the server and a host."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr.hosts.remote.frames import MOST_BYTES, BadFrame, Unpacker, pack

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(st.lists(VALUES, max_size=3), st.integers(1, 7))
def test_messages_come_out_as_they_went_in_whatever_the_pieces(
    values: list[object], size: int
) -> None:
    sent = [[number, value] for number, value in enumerate(values)]
    data = b"".join(map(pack, sent))
    unpacker = Unpacker()
    got = [
        message
        for start in range(0, len(data), size)
        for message in unpacker.feed(data[start : start + size])
    ]
    assert got == sent


@given(st.binary(max_size=100))
def test_what_is_no_message_is_refused_or_waited_for(data: bytes) -> None:
    try:
        for message in Unpacker().feed(data):
            assert isinstance(message, list)
    except BadFrame:
        pass


def test_a_message_without_bound_is_refused_by_its_length_alone() -> None:
    with pytest.raises(BadFrame, match="expected"):
        list(Unpacker().feed((MOST_BYTES + 1).to_bytes(4, "big")))


@pytest.mark.parametrize("body", [b"\xc1", b"\x01", b"\x90", b"\x91\xa1a"])
def test_what_does_not_begin_with_a_number_is_refused(body: bytes) -> None:
    with pytest.raises(BadFrame):
        list(Unpacker().feed(len(body).to_bytes(4, "big") + body))
