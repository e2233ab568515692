"""Pages and lists of a large fleet: 1,000 hosts, 10,000 procs, 500 swarms, 100 hosts silent.

Each is asked for alone, and by 20 readers at once, of one web process. The yardstick is the page
of a login, which reads nothing: what Django, uvicorn and this machine take by themselves.
Hosts are on paper; database (SQLite), Redis and web process are real.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests"))

from support import big_fleet  # noqa: E402
from support.redis_server import redis_server  # noqa: E402
from support.web_server import web_server  # noqa: E402

ALONE, AT_ONCE, ROUNDS = 8, 20, 6

LOGIN = "/login/"
PATHS = {
    "login (nothing read)": LOGIN,
    "dashboard": "/",
    "dashboard, live part": "/fragments/board/",
    "dashboard, filtered": "/fragments/board/?q=app7-",
    "swarm's page": "/swarm/7/",
    "hosts' page": "/host/",
    "swarms, 20": "/api/v1/swarms/?limit=20",
    "hosts, 20": "/api/v1/hosts/?limit=20",
    "swarms, 500": "/api/v1/swarms/?limit=500",
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--hosts", type=int, default=1000)
    options.add_argument("--swarms", type=int, default=500)
    options.add_argument("--silent", type=int, default=100)
    options.add_argument("--only", help="measure the one path whose label holds this")
    asked = options.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="vr-bench-") as folder,
        redis_server(Path(folder) / "redis") as url,
        web_server(Path(folder) / "web", url) as server,
    ):
        per_swarm = 10 * asked.hosts // asked.swarms
        big_fleet.fill(
            server,
            url,
            hosts=asked.hosts,
            swarms=asked.swarms,
            per_swarm=per_swarm,
            silent=asked.silent,
        )
        cookies = _signed_in(server.url)
        print(
            f"{asked.hosts} hosts, {asked.silent} of them silent, "
            f"{asked.swarms} swarms, {asked.swarms * per_swarm} procs\n"
            f"{'':<24}{'alone':>10}{f'{AT_ONCE} at once':>12}{'p95':>10}{'KB':>8}{'× login':>9}"
        )
        bare = 0.0
        for label, path in PATHS.items():
            if asked.only and asked.only not in label:
                continue
            alone, together, size = _measure(
                f"{server.url}{path}", None if path == LOGIN else cookies
            )
            median = statistics.median(alone)
            bare = bare or median
            print(
                f"{label:<24}{median * 1000:>7.0f} ms{statistics.median(together) * 1000:>9.0f} ms"
                f"{_p95(together) * 1000:>7.0f} ms{size / 1000:>8.1f}{median / bare:>9.1f}",
                flush=True,
            )


def _signed_in(url: str) -> httpx.Cookies:
    with httpx.Client(base_url=url, follow_redirects=True) as client:
        client.get("/login/")
        form = {"username": "admin", "password": "secret"}
        token = {"csrfmiddlewaretoken": client.cookies["vr_csrf"]}
        client.post("/login/", data=form | token, headers={"Referer": url})
        return client.cookies


def _measure(url: str, cookies: httpx.Cookies | None) -> tuple[list[float], list[float], int]:
    """Seconds of answers one after another, and of those at once; the size of one."""
    sizes = []

    def ask(client: httpx.Client) -> float:
        begun = time.perf_counter()
        answer = client.get(url)
        seconds = time.perf_counter() - begun
        assert answer.status_code == 200, f"{url}: {answer.status_code}"
        sizes.append(len(answer.content))
        return seconds

    def reader(_: int) -> list[float]:
        with httpx.Client(cookies=cookies, timeout=300) as client:
            return [ask(client) for _ in range(ROUNDS)]

    with httpx.Client(cookies=cookies, timeout=300) as client:
        ask(client)
        alone = [ask(client) for _ in range(ALONE)]
    with ThreadPoolExecutor(AT_ONCE) as readers:
        together = [one for some in readers.map(reader, range(AT_ONCE)) for one in some]
    return alone, together, sizes[-1]


def _p95(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.95)]


if __name__ == "__main__":
    main()
