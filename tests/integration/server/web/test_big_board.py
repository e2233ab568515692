"""The dashboard of a fleet that is too large to be shown at once, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
import redis
from playwright.sync_api import Browser, Page, expect

from support import big_fleet
from support.browsers import IS_MISSING, chromium, sign_in
from support.redis_server import redis_server
from support.web_server import WebServer, web_server
from vr.events.procs import ProcBoard, proc_object
from vr.server.web.board import PROCS_OPEN, SWARMS_SHOWN

SWARMS, PER_SWARM = 150, 4
LARGEST_PAGE = 200_000
LARGEST_CHANGE = 5_000
pytestmark = pytest.mark.skipif(IS_MISSING, reason="no Chromium here")


@dataclass(frozen=True)
class Fleet:
    server: WebServer
    board: ProcBoard
    procs: Mapping[str, list[str]]

    def say(self, host: str, proc: str, statename: str) -> None:
        """What the host's publisher does when one of its procs changes."""
        changed = [*big_fleet.infos([proc], statename)]
        others = [name for name in self.procs[host] if name != proc]
        self.board.announce(f"PROCESS_STATE_{statename}", proc_object(host, changed[0]))
        self.board.replace(host, [*big_fleet.infos(others), *changed])


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    home = tmp_path_factory.mktemp("fleet")
    with (
        redis_server(home / "redis") as url,
        web_server(home / "vr", url) as server,
        redis.Redis.from_url(url, decode_responses=True) as connection,
    ):
        procs = big_fleet.fill(server, url, hosts=40, swarms=SWARMS, per_swarm=PER_SWARM)
        yield Fleet(server, ProcBoard(connection), procs)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(fleet: Fleet, browser: Browser) -> Iterator[Page]:
    """A page that fails its test if anything went wrong in the browser."""
    login = sign_in(browser, fleet.server.url, "admin", "secret")
    context = browser.new_context(base_url=fleet.server.url, storage_state=login)  # type: ignore[arg-type]
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda m: wrong.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    context.close()
    assert wrong == []


def test_it_comes_a_page_at_a_time_without_procs_that_nobody_has_asked_for(page: Page) -> None:
    answer = page.goto("/")
    assert answer and len(answer.body()) < LARGEST_PAGE
    expect(page.locator(".swarm")).to_have_count(SWARMS_SHOWN)
    expect(page.locator("a.proc")).to_have_count(0)
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".swarm")).to_have_count(SWARMS - SWARMS_SHOWN)
    expect(page.get_by_text("Page 2 of 2")).to_be_visible()


def test_a_swarm_that_was_opened_stays_so_when_all_is_fetched_again(page: Page) -> None:
    page.goto("/")
    swarm = page.locator("#swarm-1")
    swarm.locator("summary").click()
    expect(swarm.locator("a.proc")).to_have_count(PER_SWARM)
    page.evaluate("htmx.find('#swarm-1 summary').dataset.old = 'yes'")

    page.evaluate("htmx.trigger('#board', 'vr:changed')")

    expect(swarm.locator("summary[data-old]")).to_have_count(0)
    expect(swarm.locator("a.proc")).to_have_count(PER_SWARM)


def test_the_change_of_a_proc_costs_little_and_shows_in_head_chip_and_totals(
    page: Page, fleet: Fleet
) -> None:
    host = next(host for host, procs in fleet.procs.items() if procs[0].startswith("app0-"))
    proc = fleet.procs[host][0]
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("data-streams", "2")
    head = page.locator(f"#swarm-{int(proc.split('-')[3], 16) + 1}-head")
    head.locator("xpath=..").locator("summary").click()
    chip = page.locator(f'[id="proc-{host}-{proc}"]')
    expect(chip).to_have_attribute("data-state", "RUNNING")
    page.wait_for_load_state("networkidle")
    told: list[tuple[str, int]] = []
    page.on("response", lambda one: told.append((one.url, len(one.body()))))

    fleet.say(host, proc, "FATAL")

    expect(chip).to_have_attribute("data-state", "FATAL")
    expect(head).to_contain_text(f"{PER_SWARM - 1}/{PER_SWARM}")
    expect(page.locator("#totals .bad dd")).to_have_text("1")
    sizes = [size for url, size in told if "/fragments/board/" in url]
    assert sizes and sum(sizes) < LARGEST_CHANGE, told

    # One in trouble comes first, and is open, when the page is opened next.
    page.goto("/?page=1")
    expect(page.locator(".swarm-head").first).to_have_class("swarm-head tone-bad")
    assert 1 <= page.locator("a.proc").count() <= PROCS_OPEN
    fleet.say(host, proc, "RUNNING")
