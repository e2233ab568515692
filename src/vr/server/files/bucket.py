"""The file store in a bucket of an S3-compatible service, which signs the links to it itself.

Only what touches files imports its library, which takes a second and 40 MB.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from storages.backends.s3 import S3Storage

from vr.server.answers import Unavailable

log = logging.getLogger(__name__)

_CONNECT_SECONDS = 5
_ANSWER_SECONDS = 30
# A log that grows is sent whole, again and again: for this part of the time, but not too seldom
# for those who watch.
_SENDING_SHARE = 0.1
_SHORTEST_PAUSE, _LONGEST_PAUSE = 1.0, 10.0
_ABSENT = {"404", "NoSuchKey", "NotFound"}


class Bucket:
    """Files by their names in the store. All methods raise Unavailable if the service doesn't
    answer, or refuses us."""

    def __init__(self) -> None:
        told = settings.S3
        # Others than Amazon's seldom have a host name for each bucket, nor its newer checksums.
        style = "path" if told.endpoint else "auto"
        self._name = told.bucket
        self._storage = S3Storage(
            bucket_name=told.bucket,
            endpoint_url=told.endpoint or None,
            region_name=told.region,
            access_key=told.access_key or None,
            secret_key=told.secret_key or None,
            verify=str(settings.TLS_AUTHORITY) if settings.TLS_AUTHORITY else None,
            client_config=Config(
                signature_version="s3v4",
                s3={"addressing_style": style},
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_ANSWER_SECONDS,
                retries={"max_attempts": 2},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
            transfer_config=TransferConfig(max_concurrency=2),
        )

    def check(self) -> None:
        """Ask for the bucket itself."""
        with self._sentences():
            self._client.head_bucket(Bucket=self._name)

    def link(self, name: str, seconds: int) -> str:
        """An address from which anybody may get the file for that long."""
        with self._sentences():
            return str(self._storage.url(name, expire=seconds))

    def has(self, name: str) -> bool:
        with self._sentences():
            try:
                self._client.head_object(Bucket=self._name, Key=name)
            except ClientError as error:
                if _code(error) in _ABSENT:
                    return False
                raise
        return True

    def put(self, name: str, source: Path) -> None:
        """Send the file; others see it whole or not at all."""
        with self._sentences():
            self._client.upload_file(
                str(source), self._name, name, Config=self._storage.transfer_config
            )

    def put_bytes(self, name: str, content: bytes) -> None:
        with self._sentences():
            self._client.put_object(Bucket=self._name, Key=name, Body=content)

    def read(self, name: str, start: int, most: int) -> bytes:
        """At most `most` bytes from `start` on; none behind its end. Raises FileNotFoundError."""
        return self._part(name, f"bytes={start}-{start + most - 1}")[0]

    def end(self, name: str, length: int) -> tuple[bytes, int]:
        """The last `length` bytes, and how many the file has. Raises FileNotFoundError."""
        return self._part(name, f"bytes=-{length}")

    def _part(self, name: str, span: str) -> tuple[bytes, int]:
        with self._sentences():
            try:
                found = self._client.get_object(Bucket=self._name, Key=name, Range=span)
            except ClientError as error:
                if _code(error) in _ABSENT:
                    raise FileNotFoundError(name) from None
                if _code(error) in {"InvalidRange", "416"}:
                    return b"", 0
                raise
            content: bytes = found["Body"].read()
        total = str(found.get("ContentRange", "")).rpartition("/")[2]
        return content, int(total) if total.isdigit() else len(content)

    @property
    def _client(self) -> Any:
        return self._storage.connection.meta.client

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            raise Unavailable(
                f"The file store refuses what was asked of its bucket {self._name!r}: "
                f"{_code(error)}.",
                hint="See VR_S3_BUCKET, VR_S3_ACCESS_KEY and VR_S3_SECRET_KEY of the server.",
            ) from error
        except (BotoCoreError, Boto3Error) as error:
            raise Unavailable(
                f"The file store does not answer ({type(error).__name__}).",
                hint="See VR_S3_ENDPOINT of the server.",
            ) from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@lru_cache(maxsize=1)
def bucket() -> Bucket:
    """The process's way to the bucket of the settings."""
    return Bucket()


class GrowingLog:
    """A log that is written here and sent as it grows, so that other machines can follow it.

    `close` sends it a last time and removes it here.
    """

    def __init__(self, name: str, file: BinaryIO, path: Path) -> None:
        self._name, self._file, self._path = name, file, path
        self._grown, self._closed = threading.Event(), threading.Event()
        self._sender = threading.Thread(target=self._send_on, name=f"log {name}", daemon=True)
        self._sender.start()

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._grown.set()

    def close(self) -> None:
        self._file.close()
        self._closed.set()
        self._sender.join()
        try:
            bucket().put(self._name, self._path)
        finally:
            self._path.unlink(missing_ok=True)

    def _send_on(self) -> None:
        pause = 0.0
        while not self._closed.wait(pause):
            if not self._grown.is_set():
                pause = _SHORTEST_PAUSE / 4
                continue
            self._grown.clear()
            began = time.monotonic()
            try:
                bucket().put(self._name, self._path)
            except Unavailable as error:
                log.warning("%s is sent later: %s", self._name, error)
            took = time.monotonic() - began
            pause = min(max(_SHORTEST_PAUSE, took / _SENDING_SHARE), _LONGEST_PAUSE)
