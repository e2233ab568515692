"""Requests to the API; its refusals, and its absence, become sentences for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO
from urllib.parse import urlsplit

# httpx imports its own command line, and rich and pygments for it, if it can: half of the time
# that a short `vr` command takes. It does without where that module can't be imported.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
import httpx  # noqa: E402

from vr.client.access import Access  # noqa: E402
from vr.errors import USAGE, VelociraptorError  # noqa: E402

_SECONDS = 30.0
_CONNECT_SECONDS = 5.0
# What was sent is unpacked, checked and packed again before it is answered.
_UPLOAD_TIMEOUT = httpx.Timeout(600, connect=5)
# Streams send a sign of life every 15 s.
_STREAM_TIMEOUT = httpx.Timeout(45, connect=5)
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class ApiError(VelociraptorError):
    """The server refused; `status` is the HTTP status, the message its own sentence."""

    def __init__(self, status: int, message: str, *, hint: str = "", details: str = "") -> None:
        super().__init__(message, hint=hint, details=details)
        self.status = status
        if status == 400:
            self.exit_code = USAGE


class Unreachable(VelociraptorError):
    """The server doesn't answer, or broke off."""


class Connection:
    """Keeps a connection open; close it, or use it as a context manager."""

    def __init__(self, access: Access) -> None:
        self.url = access.url
        self._http = httpx.Client(
            base_url=access.url,
            # Reading the machine's certificates takes longer than a request.
            verify=access.url.startswith("https://"),
            headers={"Authorization": f"Bearer {access.token}"},
            # A proxy in the environment is meant for the world outside, not for this machine.
            trust_env=urlsplit(access.url).hostname not in _LOOPBACK,
        )

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *exception: object) -> None:
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        data: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        seconds: float = _SECONDS,
    ) -> httpx.Response:
        """One request, which the server may take `seconds` for; raises ApiError for any status from
        300 on, Unreachable."""
        try:
            response = self._http.request(
                method,
                path,
                json=dict(data) if data is not None else None,
                params=query,
                timeout=httpx.Timeout(seconds, connect=_CONNECT_SECONDS),
            )
        except httpx.TransportError as error:
            raise self._unreachable(error) from None
        if response.status_code >= 300:
            raise refusal(response)
        return response

    def upload(
        self, path: str, form: Mapping[str, str], field: str, name: str, file: BinaryIO
    ) -> httpx.Response:
        """POST a form with a file in it, which is sent as it is read; raises as `request` does."""
        try:
            response = self._http.post(
                path,
                data=dict(form),
                files={field: (name, file, "application/octet-stream")},
                timeout=_UPLOAD_TIMEOUT,
            )
        except httpx.TransportError as error:
            raise self._unreachable(error) from None
        if response.status_code >= 300:
            raise refusal(response)
        return response

    @contextmanager
    def lines(self, path: str, *, last_event_id: str = "") -> Iterator[Iterator[str]]:
        """The lines of an event stream as they come; raises as `request` does."""
        headers = {"Accept": "text/event-stream"}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        try:
            with self._http.stream(
                "GET", path, headers=headers, timeout=_STREAM_TIMEOUT
            ) as response:
                if response.status_code >= 300:
                    response.read()
                    raise refusal(response)
                yield lines_of(response.iter_text())
        except httpx.TransportError as error:
            raise self._unreachable(error) from None

    def _unreachable(self, error: httpx.TransportError) -> Unreachable:
        reason = "took too long to answer" if isinstance(error, httpx.TimeoutException) else ""
        if isinstance(error, httpx.ConnectError):
            reason = f"can't be reached ({error})"
        return Unreachable(
            f"Velociraptor at {self.url} {reason or f'broke off ({error})'}.",
            hint="Is it up? See: vr status. Start it with: vr up",
        )


def lines_of(parts: Iterable[str]) -> Iterator[str]:
    """The complete lines in the parts of a text. A line ends with a newline and nothing else: what
    httpx takes for ends of lines, such as form feeds, may be within one of a log."""
    begun: list[str] = []
    for part in parts:
        head, line_end, tail = part.partition("\n")
        begun.append(head)
        if not line_end:
            continue
        yield "".join(begun)
        *lines, last = tail.split("\n")
        yield from lines
        begun = [last]


def refusal(response: httpx.Response) -> ApiError:
    """The error that a response of status 300 or above means."""
    try:
        found = json.loads(response.content)
    except ValueError:
        found = {}
    if not isinstance(found, dict):
        found = {}
    message = str(found.get("error") or _unexplained(response))
    hint = str(found.get("hint") or "")
    if response.status_code == 401:
        message = f"{response.url.copy_with(path='/', query=None)} does not accept the token."
        hint = "Set VR_TOKEN to a valid one; on this machine `vr up` writes it anew."
    return ApiError(
        response.status_code, message, hint=hint, details=str(found.get("details") or "")
    )


def _unexplained(response: httpx.Response) -> str:
    return f"{response.url} answered {response.status_code} without an explanation."
