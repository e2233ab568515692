"""The task's two HTTP requests: the app comes, the droplet goes (docs/reference/staging.md).

No proxies, no redirects. Credentials in the address become basic authentication, and appear in
no message.
"""

from __future__ import annotations

import ssl
import time
from pathlib import Path
from typing import TYPE_CHECKING

from vr.errors import VelociraptorError
from vr.files.download import without_credentials

if TYPE_CHECKING:
    import httpx

# httpx is imported late: a stager needs it only in the processes of its tasks, which get it
# ready made (see preload.py), and it takes as long as all the rest of a start.

SILENCE_SECONDS = 60.0
FIELD, FILE_NAME = "upload[droplet]", "droplet.tgz"


def download(url: str, target: Path, *, most_bytes: int, seconds: float) -> None:
    """GET `url` into the file `target`; raises VelociraptorError saying why it failed."""
    import httpx

    shown = without_credentials(url)
    deadline = time.monotonic() + seconds
    try:
        with _client(url, seconds) as client, client.stream("GET", url) as response:
            _check(response, shown)
            _check_size(int(response.headers.get("Content-Length", 0)), most_bytes, shown)
            size = 0
            with target.open("xb") as file:
                for chunk in response.iter_bytes(1 << 16):
                    size += len(chunk)
                    _check_size(size, most_bytes, shown)
                    if time.monotonic() > deadline:
                        raise VelociraptorError(
                            f"{shown}: {size} bytes came in {seconds:g} seconds, "
                            "but not the whole file."
                        )
                    file.write(chunk)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise VelociraptorError(f"{shown}: {_reason(error)}.") from None


def upload(url: str, droplet: Path, *, seconds: float) -> None:
    """POST the droplet to `url` as a form's file; raises VelociraptorError saying why it failed."""
    import httpx

    shown = without_credentials(url)
    try:
        with _client(url, seconds) as client, droplet.open("rb") as file:
            part = {FIELD: (FILE_NAME, file, "application/octet-stream")}
            _check(client.post(url, files=part), shown)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise VelociraptorError(f"{shown}: {_reason(error)}.") from None


def _client(url: str, seconds: float) -> httpx.Client:
    import httpx

    return httpx.Client(
        trust_env=False,
        follow_redirects=False,
        timeout=min(SILENCE_SECONDS, seconds),
        # httpx takes user and password out of the address by itself, decoded.
        headers={"User-Agent": "velociraptor-stager", "Accept-Encoding": "identity"},
        verify=_trusted(url),
    )


def _trusted(url: str) -> ssl.SSLContext | bool:
    """The host's CA certificates, among them a company's own; loading them takes 30 ms."""
    return ssl.create_default_context() if url.startswith("https:") else False


def _check(response: httpx.Response, shown: str) -> None:
    if response.is_redirect:
        raise VelociraptorError(
            f"{shown}: the server answered {response.status_code} and points elsewhere; "
            "redirects are not followed."
        )
    if response.status_code >= 300:
        raise VelociraptorError(
            f"{shown}: the server answered {response.status_code} {response.reason_phrase}."
        )


def _check_size(size: int, most_bytes: int, shown: str) -> None:
    if size > most_bytes:
        raise VelociraptorError(f"{shown}: the file is larger than {most_bytes >> 20} MB.")


def _reason(error: Exception) -> str:
    import httpx

    if isinstance(error, httpx.TimeoutException):
        return "the server did not answer in time"
    return str(error).rstrip(".") or type(error).__name__
