"""What people without an account try, from the network and from the same machine."""

from __future__ import annotations

import http.client
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx

from attack.asking import PATIENCE, NotTried, control, token, url
from attack.pushes import PROBES, folder_size
from support.stack import Stack, running_stack

_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
_BODY = 512 << 20


def supervisors_own_pages_act(stack: Stack) -> str:
    transport = httpx.HTTPTransport(uds=str(stack.home / "vr" / "run" / "supervisor.sock"))
    call = "<methodCall><methodName>supervisor.getState</methodName></methodCall>"
    with httpx.Client(base_url="http://localhost", transport=transport) as client:
        answer = client.post("/RPC2", content=call, headers={"Content-Type": "text/xml"})
        control("RUNNING" in answer.text, f"its RPC answers {answer.status_code}")
        for path in (
            "/?action=stopall",
            "/index.html?action=stopall",
            "/tail.html?processname=web",
        ):
            if (status := client.get(path).status_code) not in (403, 404):
                return f"{path} answered {status}"
    return ""


def a_burst_of_health_checks_hangs_web(stack: Stack) -> str:
    def ask(_: int) -> int:
        return httpx.get(f"{url(stack)}/health/", timeout=PATIENCE).status_code

    control(ask(0) == 200, "one check alone")
    with ThreadPoolExecutor(60) as crew:
        list(crew.map(ask, range(300)))
    answered = ask(0)
    return "" if answered == 200 else f"afterwards the check answers {answered}"


def a_stranger_uploads_before_sign_in(stack: Stack) -> str:
    known = _begin_upload(stack, f"Authorization: Bearer {token(stack)}\r\n", seconds=3)
    control(known is None, f"a user's upload is answered {known!r} before its body has come")
    answer = _begin_upload(stack, "", seconds=15)
    if answer is None:
        return "the whole body is awaited before anybody asks who sends it"
    return "" if b" 401 " in answer or b" 403 " in answer else f"answered {answer!r}"


def _begin_upload(stack: Stack, header: str, *, seconds: float) -> bytes | None:
    """The first bytes of the answer to a body that never comes; None if there is none in time."""
    with socket.create_connection(("127.0.0.1", stack.web_port), timeout=seconds) as connection:
        connection.sendall(
            b"POST /api/v1/builds/upload/ HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1073741824\r\n"
            + header.encode()
            + b"\r\n--x\r\n"
        )
        try:
            return connection.recv(64)
        except TimeoutError:
            return None


def an_endless_body_fills_the_disk(stack: Stack) -> str:
    pool = PROBES[0]
    status = _post(stack, pool, 1 << 10)
    control(status == 200, f"a small body to the pool {pool} is answered {status}")
    before = _on_disk(stack)
    most = [before]
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.2):
            most[0] = max(most[0], _on_disk(stack))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for name in (pool, "nobody"):
            _post(stack, name, _BODY)
    finally:
        ended.set()
        watcher.join()
    grown = (most[0] - before) >> 20
    return f"{grown} MiB were on the disk" if grown > 64 else ""


def _post(stack: Stack, pool: str, size: int) -> int | None:
    """The status of a chunked body of `size` bytes; None if it was refused in the middle."""
    connection = http.client.HTTPConnection("127.0.0.1", stack.http_port, timeout=PATIENCE)
    headers = {"Host": f"{pool}.localhost", "Transfer-Encoding": "chunked"}
    chunk = b"x" * min(size, 1 << 20)
    parts: Iterator[bytes] = (chunk for _ in range(size // len(chunk)))
    try:
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request("POST", "/", body=parts, encode_chunked=True, headers=headers)
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


def _on_disk(stack: Stack) -> int:
    """What the stack has on the disk, files that nginx has unlinked already included."""
    total = folder_size(stack.home)
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if (target := str(link.readlink())).endswith(" (deleted)") and str(
                stack.home
            ) in target:
                total += link.stat().st_size
    return total


def local_users_read_what_is_ours(stack: Stack) -> str:
    ours, harmless = (stack.home / "vr", stack.root), ("run/supervisord.pid", "static/")
    stack.home.chmod(0o755)  # only for its owner by chance, as tests' folders are
    try:
        control("vr" in _as_nobody("ls", str(stack.home)), "nobody may look into the folder above")
        found = _as_nobody("find", *map(str, ours), "-type", "f", "-readable")
    finally:
        stack.home.chmod(0o700)
    read = [
        path for path in found if not path.startswith(tuple(f"{ours[0]}/{one}" for one in harmless))
    ]
    return f"nobody can read {len(read)} files, such as {', '.join(read[:4])}" if read else ""


def _as_nobody(*command: str) -> list[str]:
    """The lines that the command prints."""
    done = subprocess.run(
        [*_NOBODY, *command], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    return done.stdout.splitlines()


def an_app_on_the_same_name_gets_the_session(stack: Stack) -> str:
    control(_cookies(stack), "without TLS the login sets a cookie")
    with running_stack(VR_TRUSTED_ORIGINS="https://ui.example") as behind_tls:
        found = _cookies(behind_tls)
    if not found:
        raise NotTried("over TLS the login sets no cookie")
    open_ones = [
        line
        for line in found
        if not line.startswith("__Host-") or "secure" not in line.lower() or "domain=" in line
    ]
    return f"over TLS the login sets {'; '.join(open_ones)}" if open_ones else ""


def _cookies(stack: Stack) -> list[str]:
    return httpx.get(f"{url(stack)}/login/").headers.get_list("set-cookie")


STRANGERS = (
    supervisors_own_pages_act,
    a_burst_of_health_checks_hangs_web,
    a_stranger_uploads_before_sign_in,
    an_endless_body_fills_the_disk,
    local_users_read_what_is_ours,
    an_app_on_the_same_name_gets_the_session,
)
