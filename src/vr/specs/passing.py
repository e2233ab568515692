"""How the requests of a pool are passed on to its nodes: times and sizes. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 86_400
_SIZE = re.compile(r"([1-9][0-9]{0,8})([kKmMgG]?)")
_FACTORS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_HEADERS = (4096, 1024**2)


@dataclass(frozen=True)
class Passing:
    """What is not set is as the balancer has it.

    `read_timeout`: seconds that an app may be silent within an answer or a WebSocket.
    `body_size`: of a request; `header_size`: of all headers of an answer. Sizes are text such as
    `64k` or `10M`, of bytes without a letter.
    """

    read_timeout: int | None = None
    body_size: str = ""
    header_size: str = ""

    def __bool__(self) -> bool:
        """Is anything set?"""
        return self != Passing()


def check_size(text: str) -> None:
    """Raise ValueError unless the text is a size."""
    if not _SIZE.fullmatch(text):
        raise ValueError(f"{text!r} is no size, as in 512k or 10M")


def check_header_size(text: str) -> None:
    """Raise ValueError unless the text is a size that headers may have."""
    check_size(text)
    if not _HEADERS[0] <= bytes_of(text) <= _HEADERS[1]:
        raise ValueError(f"{text!r} is not from 4k to 1M")


def bytes_of(size: str) -> int:
    """How many bytes a size is that `check_size` accepts."""
    match = _SIZE.fullmatch(size)
    assert match is not None
    return int(match[1]) * _FACTORS[match[2].lower()]
