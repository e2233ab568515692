"""Range headers of downloads."""

from __future__ import annotations

import pytest

from vr.server.files.download import Span, requested_span


@pytest.mark.parametrize(
    ("header", "span"),
    [
        ("", Span(0, 10)),
        ("bytes=0-", Span(0, 10)),
        ("bytes=9-9", Span(9, 10)),
        ("bytes=-20", Span(0, 10)),
        ("bytes=-0", None),
        ("bytes=10-", None),
        ("bytes=5-4", None),
        ("bytes=1-2,4-5", Span(0, 10)),
        ("bytes=-", Span(0, 10)),
    ],
)
def test_requested_span(header: str, span: Span | None) -> None:
    assert requested_span(header, 10) == span
