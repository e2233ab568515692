"""What sends notices connects to no address that isn't permitted, whoever in it tries."""

from __future__ import annotations

import subprocess
import sys
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from support.http_server import serving
from vr.server.notices.sender import signature

GUARDED = """
import socket, sys, urllib.request
from vr.server.notices import sender
host, port = sys.argv[1].split(":")
sender._guard(sys.argv[2].split(",") if sys.argv[2] else [])
def udp():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", (host, int(port)))
def unix():
    socket.socket(socket.AF_UNIX).connect("/dev/log")
def plain():
    socket.socket().connect((host, int(port)))
def quiet():
    socket.socket().connect_ex((host, int(port)))
def library():
    urllib.request.urlopen(f"http://{host}:{port}/", timeout=10).read()
try:
    locals()[sys.argv[3]]()
except OSError as error:
    sys.exit(str(error))
"""


class Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def said(address: str, networks: str, way: str) -> str:
    argv = [sys.executable, "-c", GUARDED, address, networks, way]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False).stderr


@pytest.mark.parametrize("way", ["plain", "quiet", "udp", "library", "unix"])
def test_the_servers_own_addresses_are_out_of_reach(way: str) -> None:
    with serving(Answering) as address:
        assert "VR_NOTICE_NETWORKS" in said(address, "", way)
        if way != "unix":
            assert said(address, "127.0.0.0/8", way) == ""


def test_a_signature_is_of_time_and_body() -> None:
    # As `printf '1700000000.{}' | openssl dgst -sha256 -hmac secret` prints it.
    expected = "b8569b78799ff9e3cbff0fc2d63a33a2b57f3282abd07c37ae5e8e7d79a5f163"
    assert signature("secret", "1700000000", b"{}") == f"sha256={expected}"
