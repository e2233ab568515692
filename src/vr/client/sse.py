"""Reading Server-Sent Events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """One event: its data, and its id and event name where the server sent them."""

    data: str
    event: str = ""
    id: str = ""


def messages(lines: Iterable[str]) -> Iterator[Message]:
    """The complete messages in `lines` (without line ends), in order; comments are dropped."""
    data: list[str] = []
    event = number = ""
    for line in lines:
        if not line:
            if data:
                yield Message("\n".join(data), event, number)
            data, event = [], ""
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "data":
                data.append(value)
            case "event":
                event = value
            case "id":
                number = value
