"""Droplets for tests: as small as they can be, and as a stager packs them."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

FOLDERS = ("app", "logs", "tmp")
STARTUP = """\
#!/bin/bash
export TMPDIR="$PWD/tmp"
cd app
%VCAP_LOCAL_RUNTIME% server.py $@ > ../logs/stdout.log 2> ../logs/stderr.log &
STARTED=$!
echo "$STARTED" >> ../run.pid
wait $STARTED
"""
INFO = "framework: standalone\nruntime: python3\nstart_command: '%VCAP_LOCAL_RUNTIME% server.py'\n"
SERVER = """\
import http.server, json, os, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        facts = {name: os.environ.get(name) for name in (
            "HOME", "PORT", "TMPDIR", "VCAP_APP_PORT", "VCAP_APPLICATION", "VCAP_SERVICES")}
        facts |= {"arguments": sys.argv[1:], "vcap": os.path.realpath("/home/vcap")}
        body = json.dumps(facts).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass

print("serving", os.environ["VCAP_APP_PORT"], flush=True)
http.server.ThreadingHTTPServer(("", int(os.environ["VCAP_APP_PORT"])), Handler).serve_forever()
"""
FILES = {"app/server.py": SERVER, "startup": STARTUP, "staging_info.yml": INFO}


def droplet(
    path: Path,
    files: Mapping[str, str] = FILES,
    *,
    folders: tuple[str, ...] = FOLDERS,
    links: Mapping[str, str] | None = None,
) -> Path:
    """Write a droplet of these files, folders and links; returns its path."""
    with tarfile.open(path, "w:gz") as archive:
        for name in folders:
            entry = tarfile.TarInfo(f"./{name}")
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        for name, text in files.items():
            entry = tarfile.TarInfo(f"./{name}")
            entry.size, entry.mode = len(text.encode()), 0o755 if text[:2] == "#!" else 0o644
            archive.addfile(entry, io.BytesIO(text.encode()))
        for name, target in (links or {}).items():
            entry = tarfile.TarInfo(f"./{name}")
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    return path
