"""Get a file from http(s), file:// or a plain path: verified, resumable, landing atomically."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit, urlunsplit

from vr.errors import VelociraptorError
from vr.files.checksums import CHUNK, ChecksumMismatch, matches, verify

Progress = Callable[[int, int | None], None]
"""Called with the bytes so far and the total, or None if the sender does not say."""

SILENCE_SECONDS = 60
"""How long a server may send nothing before the download fails."""

_POLL_SECONDS = 0.1


def fetch(
    url: str,
    target: Path,
    *,
    md5: str | None = None,
    sha256: str | None = None,
    progress: Progress | None = None,
    check: Callable[[], None] = lambda: None,
) -> Path:
    """Bring `url` to the file `target` and return `target`.

    A file that is already there with the right checksum (or with none to compare) is kept as it
    is. Two processes fetching the same target transfer it once. A transfer that broke off goes
    on where it stopped, if a checksum can prove the result. Raises VelociraptorError if the
    source can't be read and ChecksumMismatch if it is not what was asked for; `target` is then
    untouched. So it is after what `check` raises, which is called again and again meanwhile, also
    while another process fetches.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and matches(target, md5=md5, sha256=sha256):
        return target
    wanted = f"{url} {md5} {sha256}".encode()
    part = target.with_name(f"{target.name}.part-{hashlib.md5(wanted).hexdigest()[:8]}")
    with part.open("ab+") as file:
        # Whoever waited here finds the finished file; the rename also moved the lock away.
        while not _try_lock(file):
            check()
            time.sleep(_POLL_SECONDS)
        if target.exists() and matches(target, md5=md5, sha256=sha256):
            part.unlink(missing_ok=True)
            return target
        _complete(url, part, file, target, md5=md5, sha256=sha256, progress=progress, check=check)
    return target


def _try_lock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def local_path(url: str) -> Path | None:
    """The file that a plain path or file:// URL names; None for anything else."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    if not parts.scheme:
        return Path(url)
    return None


def file_name(url: str) -> str:
    """The last part of a URL's path, without query or fragment, safe as a local file name."""
    path = local_path(url)
    last = path.name if path else unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2]
    return re.sub(r"[^A-Za-z0-9._+-]", "_", last).lstrip(".") or "download"


def without_credentials(url: str) -> str:
    """The URL as it may be shown: no user, password or query (which may hold a signature)."""
    parts = urlsplit(url)
    if not parts.scheme:
        return url
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _split_login(url: str) -> tuple[str, str | None]:
    """The URL without its user and password, and these as the value of a header."""
    parts = urlsplit(url)
    login, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None
    encoded = base64.b64encode(unquote(login).encode()).decode()
    return urlunsplit(parts._replace(netloc=host)), f"Basic {encoded}"


def _complete(
    url: str,
    part: Path,
    file: IO[bytes],
    target: Path,
    *,
    md5: str | None,
    sha256: str | None,
    progress: Progress | None,
    check: Callable[[], None],
) -> None:
    def told(done: int, total: int | None) -> None:
        check()
        if progress:
            progress(done, total)

    provable = bool(md5 or sha256)
    resumed = provable and file.seek(0, os.SEEK_END) > 0
    if not resumed:
        file.truncate(0)
    try:
        _transfer(url, file, told)
        try:
            verify(part, without_credentials(url), md5=md5, sha256=sha256)
        except ChecksumMismatch:
            if not resumed:
                raise
            file.truncate(0)
            _transfer(url, file, told)
            verify(part, without_credentials(url), md5=md5, sha256=sha256)
        os.fsync(file.fileno())
        part.replace(target)
    except ChecksumMismatch:
        part.unlink(missing_ok=True)
        raise
    except BaseException:
        if not provable:
            part.unlink(missing_ok=True)
        raise


def _transfer(url: str, file: IO[bytes], progress: Progress) -> None:
    source = local_path(url)
    if source is not None:
        _copy_local(source, file, progress)
        return
    scheme = urlsplit(url).scheme
    if scheme not in {"http", "https"}:
        raise VelociraptorError(
            f"{without_credentials(url)}: the scheme {scheme!r} can't be downloaded; "
            "http, https, file and plain paths can."
        )
    _copy_http(url, file, progress)


def _copy_local(source: Path, file: IO[bytes], progress: Progress) -> None:
    file.truncate(0)
    try:
        with source.open("rb") as opened:
            while chunk := opened.read(CHUNK):
                file.write(chunk)
                progress(file.tell(), None)
    except OSError as error:
        raise VelociraptorError(
            f"{source} can't be read: {error.strerror}.", hint="Check the path in the URL."
        ) from None
    file.flush()


def _copy_http(url: str, file: IO[bytes], progress: Progress) -> None:
    import http.client
    import urllib.error
    import urllib.request

    shown = without_credentials(url)
    done = file.seek(0, os.SEEK_END)
    headers = {"Accept-Encoding": "identity", "User-Agent": "velociraptor"}
    if done:
        headers["Range"] = f"bytes={done}-"
    try:
        address, login = _split_login(url)
        request = urllib.request.Request(address, headers=headers)
        if login:  # not to be sent on to wherever the server redirects
            request.add_unredirected_header("Authorization", login)
        with urllib.request.urlopen(request, timeout=SILENCE_SECONDS) as response:
            if response.status != 206:
                file.truncate(0)
                done = 0
            length = response.headers.get("Content-Length")
            total = done + int(length) if length else None
            while chunk := response.read(CHUNK):
                file.write(chunk)
                done += len(chunk)
                progress(done, total)
            file.flush()
    except urllib.error.HTTPError as error:
        if error.code == 416 and done:  # nothing lies behind what we have: start over
            file.truncate(0)
            _copy_http(url, file, progress)
            return
        raise VelociraptorError(
            f"{shown}: the server answered {error.code} {error.reason}.",
            hint="Check the URL, and that this host may read it.",
        ) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise VelociraptorError(
            f"{shown} could not be downloaded: {reason}.",
            hint="Check that this host reaches the server; running the command again continues.",
        ) from None
    if total is not None and done < total:
        raise VelociraptorError(
            f"{shown}: the connection ended after {done} of {total} bytes.",
            hint="Running the command again continues.",
        )
