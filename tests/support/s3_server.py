"""An S3-compatible service of one's own on loopback, with an empty bucket."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3

from support.ports import free_port
from support.servers import serving

BUCKET = "velociraptor"


@contextmanager
def s3_server(folder: Path, secret: str) -> Iterator[dict[str, str]]:
    """Run moto's server; yields the variables by which our server finds the bucket there.

    It keeps objects in memory, and takes whatever key it is shown.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    with (folder / "s3.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    variables = {
        "VR_S3_BUCKET": BUCKET,
        "VR_S3_ENDPOINT": f"http://127.0.0.1:{port}",
        "VR_S3_ACCESS_KEY": "tester",
        "VR_S3_SECRET_KEY": secret,
    }
    with serving(process, lambda: _accepts(port), "moto", start_seconds=60):
        boto3.client(
            "s3",
            endpoint_url=variables["VR_S3_ENDPOINT"],
            region_name="us-east-1",
            aws_access_key_id="tester",
            aws_secret_access_key=secret,
        ).create_bucket(Bucket=BUCKET)
        yield variables


def _accepts(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0
