"""What people with an account try: links that others are to follow, searches, forms."""

from __future__ import annotations

import threading
import time

import httpx

from attack.asking import api, control, head_or_all, hosts, pids, session, swarm, url
from attack.pushes import PROBES
from support.stack import Stack

SHARED = "/srv/shared-with-apps"
"""VR_VOLUME_ROOTS; swarms of size 0 need no such folder."""
_LONGEST_ANSWER = 5.0
_BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(24)
)


def a_link_stops_the_stack(stack: Stack) -> str:
    before = pids(stack)
    [proc] = [name for name in stack.procs() if name.startswith(f"{PROBES[0]}-")]
    [host] = hosts(stack)
    acts = ("..%3Faction=stopall", "..%2F%3Faction=stopall", f"..%2F..%2F{proc}%3Faction=stop")
    with session(stack) as browser:
        real = head_or_all(browser, "GET", f"/api/streams/proc_log/{host}/{proc}/").status_code
        control(real == 200, f"the log of {proc} is answered {real}")
        for name in (*acts, f"{proc}%3Faction=stop", "web%3Faction=stop"):
            head_or_all(browser, "GET", f"/api/streams/proc_log/{host}/{name}/")
        # No GET changes anything, whatever page it asks for.
        for path in (f"/procs/{host}/{proc}/stop/", f"/api/v1/hosts/{host}/procs/{proc}/"):
            browser.get(path, params={"action": "stop"})
    after = pids(stack)
    return "" if after == before else f"programs were stopped: {before}, now {after}"


def a_search_pattern_freezes_web(stack: Stack) -> str:
    api(stack, "POST", "/api/v1/ingredients/", json={"name": "a" * 40 + "b"})
    found = _search(stack, "^a%2Bb$").json()["meta"]["total_count"]
    control(found == 1, f"a harmless pattern finds {found}")
    searcher = threading.Thread(target=_search, args=(stack, "^(a%2B)%2B$"))
    searcher.start()
    began = time.monotonic()
    api(stack, "GET", "/api/v1/apps/")
    others = time.monotonic() - began
    searcher.join()
    whole = time.monotonic() - began
    if others > _LONGEST_ANSWER:
        return f"another request waited {others:.1f} s"
    return f"the search took {whole:.1f} s" if whole > _LONGEST_ANSWER else ""


def _search(stack: Stack, pattern: str) -> httpx.Response:
    return api(stack, "GET", f"/api/v1/ingredients/?name__regex={pattern}", as_user=True)


def yaml_that_grows_is_kept(stack: Stack) -> str:
    def post(name: str, text: str) -> int:
        fields = {"name": name, "config_yaml": text, "env_yaml": "A: b\n"}
        return api(stack, "POST", "/api/v1/ingredients/", as_user=True, json=fields).status_code

    small = post("small", "a: &a [x, x]\nb: *a\n")
    control(small < 400, f"YAML with one alias is answered {small}")
    status = post("bomb", _BOMB)
    return "" if 400 <= status < 500 else f"answered {status}"


def an_app_mounts_what_is_the_hosts(stack: Stack) -> str:
    taken = _mounts(stack, f"{SHARED}/data")
    control(taken, f"a user's volume below {SHARED}")
    ours = (stack.root / "layers", stack.root / "builds", stack.home / "vr")
    climbs = (f"{SHARED}/../etc", f"{SHARED}x", f"{SHARED}/./../../proc")
    sources = (*map(str, ours), *climbs, "/proc", "/", "/etc")
    answered = [source for source in sources if _mounts(stack, source)]
    return f"users' swarms may mount {', '.join(answered)}" if answered else ""


def _mounts(stack: Stack, source: str) -> bool:
    return swarm(stack, as_user=True, volumes=[[source, "/mnt"]]).status_code < 400


def an_app_runs_as_an_account_of_the_host(stack: Stack) -> str:
    control(swarm(stack, as_user=True).status_code < 400, "a user's swarm without run_as")
    control(swarm(stack, as_user=True, run_as="nobody").status_code < 400, "one of nobody")
    taken = [
        f"{name} ({'a user' if as_user else 'an admin'} asks)"
        for as_user in (True, False)
        for name in ("root", "daemon", "www-data", "0", "root:root", " root")
        if swarm(stack, as_user=as_user, run_as=name).status_code < 400
    ]
    return f"swarms may run as {', '.join(taken)}" if taken else ""


def a_foreign_page_acts_with_the_session(stack: Stack) -> str:
    fields = {"json": {"name": "forged"}, "headers": {"Origin": "https://evil.example"}}
    with session(stack) as browser:
        own = {"X-CSRFToken": browser.cookies["vr_csrf"], "Origin": url(stack)}
        made = browser.post("/api/v1/ingredients/", json={"name": "own"}, headers=own).status_code
        control(made < 400, f"the page's own request is answered {made}")
        forged = browser.post("/api/v1/ingredients/", **fields).status_code
    return "" if forged == 403 else f"without a CSRF token it is answered {forged}"


USERS = (
    a_link_stops_the_stack,
    a_search_pattern_freezes_web,
    yaml_that_grows_is_kept,
    an_app_mounts_what_is_the_hosts,
    an_app_runs_as_an_account_of_the_host,
    a_foreign_page_acts_with_the_session,
)
