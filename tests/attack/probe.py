"""The app that is deployed for attacks from inside: it does what it is asked to by a path.

/uid, /say?bytes=N, /eat?megabytes=N, /fork?processes=N, /fill?megabytes=N,
/opens?path=PATH, /signal?pid=N, /tells?to=PORT-or-@NAME&words=HEX (gives the answer's beginning, as
hex).
"""

import os
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

FILLED = Path("/tmp/filled")


def uid():
    return os.getuid()


def say(bytes):
    for _ in range(int(bytes) >> 16):
        os.write(1, b"x" * 65536)
    return bytes


def eat(megabytes):
    return len(bytearray(os.urandom(1 << 20)) * int(megabytes)) >> 20


def fork(processes):
    children = []
    try:
        for _ in range(int(processes)):
            child = os.fork()
            if not child:
                time.sleep(60)
                os._exit(0)
            children.append(child)
    except OSError:
        pass
    for child in children:
        os.kill(child, 9)
        os.waitpid(child, 0)
    return len(children)


def fill(megabytes):
    written = 0
    try:
        with FILLED.open("wb") as file:
            for _ in range(int(megabytes)):
                file.write(b"x" * (1 << 20))
                file.flush()
                written += 1
    except OSError:
        pass
    FILLED.unlink(missing_ok=True)
    return written


def opens(path):
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(path)
        except OSError:
            return "no"
    return "yes"


def signal(pid):
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return "no"
    except OSError:
        pass
    return "yes"


def tells(to, words):
    abstract = to.startswith("@")
    client = socket.socket(socket.AF_UNIX if abstract else socket.AF_INET)
    client.settimeout(5)
    with client:
        try:
            client.connect("\0" + to[1:] if abstract else ("127.0.0.1", int(to)))
            client.sendall(bytes.fromhex(words))
            return client.recv(4096).hex()
        except OSError:
            return ""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        asked = urlsplit(self.path)
        done = {"/uid": uid, "/say": say, "/eat": eat, "/fork": fork, "/fill": fill}
        done |= {"/opens": opens, "/signal": signal, "/tells": tells}
        action = done.get(asked.path, lambda: "here")
        self._answer(action(**dict(parse_qsl(asked.query))))

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer("taken")

    def _answer(self, said):
        body = f"{said}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


print("the probe is here", flush=True)
ThreadingHTTPServer(("", int(sys.argv[1])), Handler).serve_forever()
