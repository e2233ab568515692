"""One way to open compressed files, whatever they are compressed with."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from vr.errors import VelociraptorError

_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}


class Damaged(Exception):
    """Compressed data that does not decompress."""


def compression(head: bytes) -> str | None:
    """The name of what a file is compressed with, from its first bytes; None for nothing known."""
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)


@contextmanager
def open_compressed(path: Path) -> Iterator[IO[bytes]]:
    """Read a gz, bz2, xz, zst or uncompressed file as its plain content.

    Raises VelociraptorError if the file can't be opened, Damaged if its content is broken.
    """
    try:
        with path.open("rb") as raw:
            kind = compression(raw.read(6))
            raw.seek(0)
            with _decompressor(kind, path, raw) as stream:
                yield stream
    except FileNotFoundError:
        raise VelociraptorError(f"{path} does not exist.") from None


@contextmanager
def _decompressor(kind: str | None, path: Path, raw: IO[bytes]) -> Iterator[IO[bytes]]:
    if kind is None:
        yield raw
    elif kind == "zstd":
        with _zstd(path) as stream:
            yield stream
    else:
        with _library(kind, path) as stream:
            yield stream


@contextmanager
def _library(kind: str, path: Path) -> Iterator[IO[bytes]]:
    # Imported late: one of them is needed, and `vrun` must start in milliseconds.
    opened: IO[bytes]
    failures: tuple[type[Exception], ...]
    if kind == "gzip":
        import zlib

        from isal import igzip_lib, igzip_threaded

        isal_error = cast("type[Exception]", igzip_lib.IsalError)  # its stub says: an instance
        opened = igzip_threaded.open(path, "rb")  # type: ignore[no-untyped-call]
        failures = (zlib.error, isal_error, OSError, EOFError)
    elif kind == "bzip2":
        import bz2

        opened = bz2.BZ2File(path)
        failures = (OSError, EOFError)
    else:
        import lzma

        opened = lzma.LZMAFile(path)  # noqa: SIM115  (closed below)
        failures = (lzma.LZMAError, EOFError)
    with opened as file:
        yield cast("IO[bytes]", _Translating(file, failures))


class _Translating:
    """A reader whose library's own failures become Damaged."""

    def __init__(self, file: IO[bytes], failures: tuple[type[Exception], ...]) -> None:
        self._file = file
        self._failures = failures

    def read(self, size: int = -1) -> bytes:
        try:
            return self._file.read(size)
        except self._failures as error:
            raise Damaged(str(error)) from None


@contextmanager
def _zstd(path: Path) -> Iterator[IO[bytes]]:
    try:
        process = subprocess.Popen(
            ["zstd", "-dcq", "--", str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except FileNotFoundError:
        raise VelociraptorError(
            "The program zstd, needed for .zst tarballs, is not installed.",
            hint="Install the package zstd.",
        ) from None
    with process:
        assert process.stdout and process.stderr
        try:
            yield process.stdout
            complaint = process.stderr.read().decode(errors="replace").strip()
            if process.wait():
                raise Damaged(complaint or "zstd could not read it")
        finally:
            process.kill()
