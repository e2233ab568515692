"""The pages in a real browser: what changes without a reload, at desktop and phone width."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from playwright.sync_api import Browser, BrowserContext, Page, expect

from support.browsers import IS_MISSING, chromium, sign_in
from support.demo import info
from support.demo_pages import address
from support.redis_server import redis_server
from support.supervisord import supervisord
from support.web_server import WebServer, web_server
from vr.events.procs import ProcBoard, proc_object
from vr.server.web.pages import PAGES
from vr.text.durations import ago

DESKTOP, PHONE = (1280, 860), (390, 844)
ATLAS = "atlas.example.org"
PROC = "shop-v2-prod-v2c0ffee-web-5004"
# A proc that says whatever is written to a file.
TALKER = "talker-v1-prod-abc-web-5001"
PROGRAM = f"""\
[program:{TALKER}]
command=tail -n +1 -F {{home}}/app.log
stdout_logfile={{home}}/talker.log
redirect_stderr=true
startsecs=0
"""
pytestmark = pytest.mark.skipif(IS_MISSING, reason="no Chromium here")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A live server of an installation with apps, swarms, builds and procs."""
    home = tmp_path_factory.mktemp("browser")
    tests = Path(__file__).parents[3]
    programs = home / "programs"
    programs.mkdir()
    (home / "app.log").touch()
    (programs / "proc.conf").write_text(PROGRAM.format(home=home))
    with (
        supervisord(home / "supervisor", f"{programs}/*.conf") as supervisor_url,
        redis_server(home / "redis") as url,
        web_server(
            home / "vr",
            url,
            {"PYTHONPATH": str(tests), "VR_SUPERVISOR_URL": supervisor_url},
        ) as server,
    ):
        server.python("from support.demo import fill; fill()\nHost.objects.create(name='testhost')")
        yield server


@pytest.fixture(scope="module")
def board(server: WebServer) -> Iterator[ProcBoard]:
    """What hosts write to."""
    connection = redis.Redis.from_url(server.environment["VR_REDIS_URL"], decode_responses=True)
    yield ProcBoard(connection)
    connection.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def login(server: WebServer, browser: Browser) -> dict[str, object]:
    """The cookies of somebody who has logged in through the form."""
    return sign_in(browser, server.url, "ada", "raptor-demo")


@pytest.fixture
def context(
    server: WebServer, browser: Browser, login: dict[str, object]
) -> Iterator[BrowserContext]:
    width, height = DESKTOP
    context = browser.new_context(
        base_url=server.url,
        storage_state=login,  # type: ignore[arg-type]
        viewport={"width": width, "height": height},
    )
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that fails its test if anything went wrong in the browser."""
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda m: wrong.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    assert wrong == []


def say(board: ProcBoard, host: str, *procs: dict[str, object]) -> None:
    """What a host's publisher does when a proc changes."""
    board.replace(host, procs)
    for proc in procs:
        board.announce(f"PROCESS_STATE_{proc['statename']}", proc_object(host, proc))


def streams_open(page: Page, count: int) -> None:
    """Wait until the page's streams listen: what is told from now on reaches it."""
    expect(page.locator("html")).to_have_attribute("data-streams", str(count))


def test_the_dashboard_shows_a_proc_change_its_state_without_a_reload(
    page: Page, board: ProcBoard
) -> None:
    say(board, ATLAS, info(PROC, "RUNNING", pid=41))
    page.goto("/")
    page.evaluate("window.notReloaded = true")
    chip = page.locator(f'[id="proc-{ATLAS.replace(".", "dot")}-{PROC}"]')
    expect(chip).to_have_attribute("data-state", "RUNNING")
    streams_open(page, 2)

    say(board, ATLAS, info(PROC, "FATAL"))

    expect(chip).to_have_attribute("data-state", "FATAL")
    expect(chip).to_contain_text("fatal")
    assert page.evaluate("window.notReloaded")


def test_the_dashboard_shows_a_new_proc_and_forgets_a_retired_one(
    page: Page, board: ProcBoard
) -> None:
    old, new = "shop-v2-prod-v2c0ffee-web-5004", "shop-v2-prod-v2c0ffee-web-5099"
    say(board, ATLAS, info(old, "RUNNING", pid=41))
    page.goto("/")
    streams_open(page, 2)

    say(board, ATLAS, info(new, "STARTING"))

    expect(page.locator(f'[href$="/{ATLAS}/{new}/"]')).to_be_visible()
    expect(page.locator(f'[href$="/{ATLAS}/{old}/"]')).to_have_count(0)


def test_events_appear_on_top_once_each(page: Page, server: WebServer) -> None:
    page.goto("/")
    streams_open(page, 2)
    shown = page.locator("#events li").count()

    server.python(
        "from vr.server.events.announcing import announce\n"
        "from vr.server.events.kinds import Kind\n"
        "for n in range(3): announce(f'pool news {n}', kind=Kind.POOL_ROUTED)"
    )

    expect(page.locator("#events li .event-title").first).to_have_text("pool news 2")
    expect(page.locator("#events li")).to_have_count(shown + 3)


def test_the_filter_narrows_the_tree_as_one_types(page: Page) -> None:
    page.goto("/")

    page.get_by_label("Filter by name or state").press_sequentially("blog")

    expect(page.locator("#app-shop")).to_have_count(0)
    expect(page.locator("#app-blog")).to_be_visible()


def test_a_dispatch_is_followed_step_by_step_to_its_end(page: Page, server: WebServer) -> None:
    page.goto("/swarm/1/")
    streams_open(page, 3)
    progress = page.locator("#progress")
    expect(progress).to_contain_text("3 of 4 procs ready")

    server.python(
        "from django.utils import timezone\n"
        "from vr.server.events.announcing import announce\n"
        "from vr.server.events.kinds import Kind\n"
        "dispatch = Dispatch.objects.get(swarm_id=1, status='running')\n"
        "dispatch.steps.filter(kind='start').update("
        "status='done', message='4 of 4 procs ready', ended=timezone.now())\n"
        "announce('Uptests passed', kind=Kind.UPTESTS_PASSED, trace_id=dispatch.trace_id)"
    )
    expect(progress).to_contain_text("4 of 4 procs ready")
    expect(page.locator("#events")).to_contain_text("Uptests passed")

    server.python(
        "from django.utils import timezone\n"
        "Dispatch.objects.filter(swarm_id=1, status='running').update("
        "status='failed', error='The pool is gone.', ended=timezone.now())"
    )
    expect(progress).to_contain_text("The pool is gone.")
    expect(page.locator("#history tbody tr").first).to_contain_text("failed")


def test_a_compile_log_grows_while_one_looks_on(page: Page, server: WebServer) -> None:
    build = server.python("print(Build.objects.get(status='started').pk)")
    log = server.home / "files" / "logs" / "shop-v3.log"
    page.goto(f"/build/{build}/")
    shown = page.locator("#log")
    expect(shown).to_contain_text("Using buildpack python")

    with log.open("a") as file:
        file.write("\x1b[32m       Successfully installed flask\x1b[0m\n")
    expect(shown).to_contain_text("Successfully installed flask")
    assert "\x1b" not in shown.inner_text()

    server.python(
        "from django.utils import timezone\n"
        f"Build.objects.filter(pk={build}).update(status='success', end_time=timezone.now())"
    )
    expect(page.locator("#build-facts")).to_contain_text("success")


def test_a_log_of_endless_lines_leaves_its_page_usable(
    page: Page, server: WebServer, board: ProcBoard
) -> None:
    say(board, "testhost", info(TALKER, "RUNNING", pid=1))
    page.goto(f"/proc/testhost/{TALKER}/")
    with (server.home.parent / "app.log").open("a") as file:
        for _ in range(4):
            file.write("x" * 400_000)
            file.flush()
        file.write("\nthe end\n")
    expect(page.locator("#log")).to_contain_text("the end", timeout=30_000)
    # Of what is longer than anybody reads, the last is kept.
    assert len(page.locator("#log").text_content() or "") < 1_400_000


def test_the_log_of_a_proc_grows_while_one_looks_on(
    page: Page, server: WebServer, board: ProcBoard
) -> None:
    say(board, "testhost", info(TALKER, "RUNNING", pid=1))
    with (server.home.parent / "app.log").open("a") as file:
        file.write("listening on 5001\n")
    page.goto(f"/proc/testhost/{TALKER}/")
    shown = page.locator("#log")
    expect(shown).to_contain_text("listening on 5001")

    with (server.home.parent / "app.log").open("a") as file:
        file.write("GET / 200\n")
    expect(shown).to_contain_text("GET / 200")

    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".messages")).to_contain_text(f"{TALKER} is stopped.")


def test_the_swarm_form_tells_its_errors_at_the_fields(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/swarm/")
    page.get_by_label("App").select_option(label="shop")
    page.get_by_label("Tag").fill("feature/x")
    page.get_by_label("Proc name").fill("web")
    page.get_by_label("Config name").fill("pro-d")
    page.get_by_label("Size", exact=True).fill("-1")
    page.get_by_label("Config YAML").fill("- not\n- a mapping")
    page.get_by_role("button", name="Swarm", exact=True).click()

    expect(page.get_by_role("alert")).to_contain_text("4 fields need another look")
    expect(page.locator("#field-config_name .errors")).to_contain_text("only letters, digits")
    expect(page.locator("#field-config_yaml .errors")).to_contain_text("YAML mapping")
    expect(page.get_by_label("Tag")).to_have_value("feature/x")
    expect(page.get_by_label("Tag")).to_have_attribute("aria-invalid", "true")


def test_the_preview_follows_the_form(page: Page) -> None:
    page.goto("/swarm/")
    page.get_by_label("Env YAML").fill("LEVEL: debug")
    page.get_by_label("postgres").check()

    preview = page.locator("#preview")
    expect(preview).to_contain_text("LEVEL: debug")
    expect(preview).to_contain_text("DATABASE_URL")


def test_the_age_of_an_event_grows_while_one_looks_on(page: Page, server: WebServer) -> None:
    page.clock.install()
    page.goto("/")
    streams_open(page, 2)
    server.python(
        "from vr.server.events.announcing import announce\n"
        "from vr.server.events.kinds import Kind\n"
        "announce('something new', kind=Kind.POOL_ROUTED)"
    )
    newest = page.locator("#events li").first
    page.clock.run_for(1000)
    expect(newest).to_contain_text("something new")
    expect(newest.locator("time")).to_have_text("just now")

    page.clock.fast_forward(125_000)

    expect(page.locator("#events li", has_text="something new").locator("time")).to_have_text(
        "2 min ago"
    )


def test_the_browser_words_ages_as_the_server_does(page: Page) -> None:
    seconds = [0, 9.9, 10, 59.9, 60, 3599, 3600, 86399, 86400, 172800]
    page.goto("/log/")

    shown = page.evaluate(
        """(seconds) => {
          const times = seconds.map((age) => {
            const time = document.createElement("time");
            time.dataset.age = age;
            document.body.append(time);
            return time;
          });
          document.dispatchEvent(new Event("htmx:afterSwap"));
          return times.map((time) => time.textContent);
        }""",
        seconds,
    )

    now = datetime.now(UTC)
    assert shown == [ago(now - timedelta(seconds=age), now) for age in seconds]


def test_dialogs_ask_before_anything_happens(page: Page) -> None:
    page.goto("/swarm/2/")
    page.get_by_role("button", name="Scale…").click()
    dialog = page.locator("#do-scale")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()


def test_the_theme_follows_the_button_and_is_remembered(page: Page) -> None:
    page.goto("/log/")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)

    page.get_by_role("button", name="Change colour theme").click()
    dark = page.evaluate(ground)
    page.reload()

    assert dark != light
    assert page.evaluate(ground) == dark


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_no_page_scrolls_sideways(page: Page, size: tuple[int, int]) -> None:
    width, height = size
    page.set_viewport_size({"width": width, "height": height})
    too_wide = {}
    for one in PAGES:
        # The log of a proc is there only on a host that answers.
        page.goto(f"/proc/testhost/{TALKER}/" if one.name == "proc" else address(one))
        excess = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if excess > 0:
            too_wide[one.name] = excess
    assert too_wide == {}


@pytest.mark.parametrize("address", ["/swarm/2/", "/build/1/", "/app/shop/"])
def test_the_longest_names_fit_on_a_phone(page: Page, address: str) -> None:
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.goto(address)
    longest = "-".join(letter * 50 for letter in "acw")
    page.locator("h1").evaluate("(title, text) => { title.prepend(text) }", longest)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_the_menu_opens_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.goto("/")
    link = page.get_by_role("link", name="Builds")
    expect(link).to_be_hidden()

    page.get_by_role("button", name="Menu").click()
    link.click()

    expect(page.get_by_role("heading", name="Builds")).to_be_visible()


def test_forms_and_pages_work_without_javascript(
    server: WebServer, browser: Browser, login: dict[str, object]
) -> None:
    context = browser.new_context(
        base_url=server.url,
        storage_state=login,  # type: ignore[arg-type]
        java_script_enabled=False,
    )
    page = context.new_page()
    page.goto("/app/add/")
    page.get_by_label("Name").fill("scriptless")
    page.get_by_label("Repository", exact=True).fill("/srv/scriptless")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="scriptless")).to_be_visible()
    page.goto("/?q=scriptless")
    expect(page.locator("#app-scriptless")).to_be_visible()
    expect(page.locator("#app-shop")).to_have_count(0)
    context.close()
