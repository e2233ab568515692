"""Lists in pages: `{"meta": {...}, "objects": [...]}` (docs/reference/http-api.md#lists)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, QueryDict

from vr.errors import InvalidInput

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 1000
_LARGEST_OFFSET = 2**31


@dataclass(frozen=True)
class Page:
    """Objects `offset` up to `offset + limit` of a list."""

    limit: int
    offset: int

    @classmethod
    def requested(cls, query: QueryDict) -> Page:
        """What `limit` and `offset` ask for; a limit of 0 is the largest one.

        Raises InvalidInput for what is no number, or a negative one.
        """
        problems = []
        numbers = {"limit": DEFAULT_LIMIT, "offset": 0}
        for key in numbers:
            text = query.get(key)
            if text is None:
                continue
            if text.isascii() and text.isdecimal() and len(text) < 20:
                numbers[key] = int(text)
            else:
                problems.append(f"{key}: is {text!r}, but a number from 0 on is expected")
        if problems:
            raise InvalidInput("page", problems)
        limit = min(numbers["limit"] or LARGEST_LIMIT, LARGEST_LIMIT)
        return cls(limit, min(numbers["offset"], _LARGEST_OFFSET))

    def meta(self, request: HttpRequest, total: int) -> dict[str, Any]:
        """The list's `meta`; `next` and `previous` repeat all of the request's search keys."""
        after = self.offset + self.limit
        before = max(0, self.offset - self.limit)
        return {
            "limit": self.limit,
            "offset": self.offset,
            "total_count": total,
            "previous": self._address(request, before) if self.offset else None,
            "next": self._address(request, after) if after < total else None,
        }

    def _address(self, request: HttpRequest, offset: int) -> str:
        query = request.GET.copy()
        query["limit"] = str(self.limit)
        query["offset"] = str(offset)
        return f"{request.path}?{query.urlencode()}"
