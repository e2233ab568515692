"""A log in pieces becomes events: all of it, bounded, and little work for each line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr.client.sse import messages as read_messages
from vr.hosts.connection import LogReader
from vr.server.streams import proc_log, sse

LINE = b"a line as many\n"


def events(parts: Sequence[bytes | None]) -> list[str]:
    """What is sent for the parts, one by one."""

    async def given() -> AsyncIterator[bytes | None]:
        for part in parts:
            yield part

    async def sent() -> list[str]:
        return [piece async for piece in proc_log._events(given())]

    return asyncio.run(sent())


def data(sent: list[str]) -> list[str]:
    return [one.data for one in read_messages("".join(sent).split("\n"))]


def test_a_part_of_many_lines_is_sent_at_once() -> None:
    [sent] = events([LINE * 10_000])
    assert data([sent]) == ["a line as many"] * 10_000


@given(st.lists(st.binary(max_size=8).map(lambda b: b.replace(b"\r", b"\n"))))
def test_however_it_is_cut_it_is_the_same_lines(parts: list[bytes]) -> None:
    whole = b"".join(parts).decode(errors="replace")
    complete, line_end, _ = whole.rpartition("\n")
    expected = complete.split("\n") if line_end else []
    assert data(events([part for part in parts if part])) == expected


def test_a_line_without_end_is_never_kept_whole() -> None:
    sent = events([b"x" * 65536] * 100)
    assert "".join(data(sent)) == "x" * 65536 * len(sent) * 2
    assert max(map(len, sent)) < 3 * 65536


def test_what_has_no_line_end_is_shown_when_nothing_more_comes() -> None:
    sent = events([b"one\nReally?", None, b" no\n", None, "Gr\u00fc".encode()[:-1], None])
    assert data(sent) == ["one", "Really?", " no", "Gr"]


class Prompt:
    """A log whose last line has no end."""

    def __init__(self) -> None:
        self.left = [b"name: "]

    def read(self) -> bytes:
        return self.left.pop() if self.left else b""

    def close(self) -> None:
        self.closed = True


def test_a_pause_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proc_log, "_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(proc_log, "_LOOK_AGAIN_SECONDS", 0.001)
    monkeypatch.setattr(proc_log, "KEEP_ALIVE_SECONDS", 0.1)
    monkeypatch.setattr(proc_log, "_is_gone", lambda *_: False)

    async def read() -> list[bytes | None]:
        parts = proc_log._parts(Prompt(), None, "x")  # type: ignore[arg-type]
        found = [await anext(parts) for _ in range(4)]
        await parts.aclose()  # type: ignore[attr-defined]
        return found

    assert asyncio.run(read()) == [b"", b"name: ", None, b""]


class Flood:
    """A log that always has more."""

    def read(self) -> bytes:
        return LINE * 1000

    def close(self) -> None:
        self.closed = True


def test_a_flood_is_read_no_faster_than_the_server_can_bear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []
    really = asyncio.sleep

    async def noted(seconds: float, *_: Any) -> None:
        slept.append(seconds)
        await really(0)

    monkeypatch.setattr(asyncio, "sleep", noted)

    async def read() -> int:
        reader: LogReader = Flood()
        size = 0
        parts = proc_log._parts(reader, None, "x")  # type: ignore[arg-type]
        async for part in parts:
            assert part is not None
            size += len(part)
            if size > 10 << 20:
                break
        await parts.aclose()  # type: ignore[attr-defined]
        return size

    size = asyncio.run(read())
    # All but the last part has been waited for.
    assert sum(slept) >= (size - len(LINE) * 1000) / sse.BYTES_PER_SECOND
