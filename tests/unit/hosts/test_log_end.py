"""The end of a log is fit to be shown and stored, whatever the app wrote."""

from __future__ import annotations

from pathlib import Path

from vr.hosts.local import LocalConnection
from vr.hosts.log_end import log_end
from vr.hosts.supervisor import Supervisor
from vr.paths import Root

PROC = "shop-v1-prod-1a2b3c4d-web-5000"


def test_what_steers_terminals_or_no_database_keeps_is_left_out(tmp_path: Path) -> None:
    root = Root(tmp_path)
    host = LocalConnection("here", root, Supervisor("here", "unix:///none.sock"), tmp_path)
    assert log_end(host, PROC) == "(its log is empty)"
    log = root.proc(PROC).log
    log.parent.mkdir(parents=True)
    log.write_bytes(b"\x1b[31mred\x1b[0m\nn\0ull \xff\n")
    assert log_end(host, PROC) == "red\nnull \ufffd"
