"""Every page answers, to those who may see it, without showing a secret."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from support.demo import FAILURE
from support.demo_pages import EXAMPLES, address
from vr.server.models import Build, Event, Host, LogEntry, Swarm
from vr.server.web.pages import ACTIONS, FRAGMENTS, PAGES, Page, Part
from vr.server.web.security import POLICY
from vr.server.web.views.builds import HTMX_STOP_POLLING

# What pages of the table look like in other states than that of its example.
OTHER_STATES = [
    "/?q=fatal",
    "/swarm/2/",
    "/swarm/3/",
    "/proc/atlas.example.org/redis/",
    "/proc/atlas.example.org/never-there/",
    "/log/?page=2",
]
# These show what is to be edited.
FORMS = {"swarm_edit": "correct-horse-battery", "ingredient": "hunter2"}
SECRETS = ["hunter2", "correct-horse-battery", "s3cret"]


def text_of(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code in {200, HTMX_STOP_POLLING}, path
    return response.content.decode()


WITH_LOGIN = [page for page in PAGES if page.needs_login]


def ids(page: Page | Part) -> str:
    return page.name


@pytest.mark.parametrize("page", WITH_LOGIN, ids=ids)
def test_every_page_answers_with_its_title_and_place(installation: Client, page: Page) -> None:
    text = text_of(installation, address(page))

    title = text.partition("<title>")[2].partition("</title>")[0]
    assert re.fullmatch(r"\S.* · Velociraptor", title)
    assert "<h1" in text
    # The navigation shows where one is: at a page of its own, or below one.
    assert (text.count('aria-current="page"'), text.count('aria-current="true"')) == (
        (1, 0) if page.icon else (0, 1)
    )
    if page.icon:
        assert title == f"{page.title} · Velociraptor"


@pytest.mark.parametrize("part", FRAGMENTS, ids=ids)
def test_every_fragment_answers_with_a_part_of_a_page(installation: Client, part: Part) -> None:
    assert "<html" not in text_of(installation, address(part))


def test_pages_keep_secrets_to_themselves(installation: Client) -> None:
    shown = [one for one in (*WITH_LOGIN, *FRAGMENTS) if one.name not in FORMS]
    for path in [*map(address, shown), *OTHER_STATES]:
        text = text_of(installation, path)
        assert not [secret for secret in SECRETS if secret in text], path


def test_forms_show_what_is_to_be_edited(installation: Client) -> None:
    for page in PAGES:
        if page.name in FORMS:
            assert FORMS[page.name] in text_of(installation, address(page)), page.name


@pytest.mark.parametrize("part", ACTIONS, ids=ids)
def test_actions_are_not_carried_out_by_a_look_at_them(web: Client, part: Part) -> None:
    path = f"/{part.route}"
    for place, value in {**EXAMPLES, "slug:action": "stop"}.items():
        path = path.replace(f"<{place}>", value)

    assert web.get(path).status_code == 405


def test_a_form_that_failed_is_still_at_its_place(installation: Client) -> None:
    text = installation.post("/build/upload/", {}).content.decode()

    assert "<title>Builds · Velociraptor</title>" in text
    assert 'aria-current="page"' in text


def test_the_foot_leads_to_the_pages_of_the_api_and_the_admin(admin_client: Client) -> None:
    foot = text_of(admin_client, "/log/").partition('class="version"')[2]

    for path in re.findall(r'href="([^"]+)"', foot.partition("</p>")[0]):
        assert admin_client.get(path).status_code == 200, path


@pytest.mark.parametrize("page", [*WITH_LOGIN, *FRAGMENTS, *ACTIONS], ids=ids)
def test_nothing_is_shown_without_a_login(client: Client, db: None, page: Page | Part) -> None:
    path = re.sub(r"<(\w+:\w+)>", lambda place: EXAMPLES.get(place[1], "stop"), f"/{page.route}")
    response = client.get(path)

    assert response.status_code == 302
    assert response["Location"].startswith("/login/?next=")


@pytest.mark.parametrize("path", ["/", "/login/", "/admin/login/"])
def test_pages_forbid_the_browser_whatever_is_not_ours(web: Client, path: str) -> None:
    response = web.get(path)

    assert response["Content-Security-Policy"] == POLICY
    assert "unsafe" not in POLICY


def test_where_nothing_is_a_page_says_so_and_leads_back(web: Client) -> None:
    known = web.get("/swarm/999/")
    assert known.status_code == 404
    text = known.content.decode()
    assert "There is nothing at /swarm/999/." in text
    assert 'href="/log/"' in text, "the navigation"
    stranger = Client().get("/nothing/<b>/")
    assert stranger.status_code == 404
    text = stranger.content.decode()
    assert "Log in" in text
    assert 'href="/log/"' not in text
    assert "<b>" not in text


def test_logging_in_and_out(client: Client, user: User, redis: Any) -> None:
    wrong = client.post("/login/", {"username": "rex", "password": "meow"})
    assert "don’t match" in wrong.content.decode()

    right = client.post("/login/?next=/build/", {"username": "rex", "password": "rawr: yes"})
    assert right["Location"] == "/build/"

    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/").status_code == 302


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/", "Bring your first app to life"),
        ("/build/", "No builds yet, and no app to build."),
        ("/app/", "No apps yet."),
        ("/squad/", "No squads yet. Add one"),
        ("/ingredient/", "No ingredients yet."),
        ("/log/", "Nobody has done anything yet."),
    ],
)
def test_an_empty_installation_says_what_to_do_next(web: Client, path: str, shown: str) -> None:
    text = text_of(web, path)

    assert shown in text


def test_the_dashboard_says_that_it_knows_nothing_when_redis_is_away(
    installation: Client, settings: Any, tmp_path: Any
) -> None:
    from vr.server.events.announcing import redis_connection

    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    redis_connection.cache_clear()

    text = text_of(installation, "/")

    assert "Redis does not answer" in text
    assert "shop" in text


@pytest.mark.parametrize("path", ["/", "/app/", "/squad/", "/host/", "/build/", "/log/"])
def test_pages_ask_the_database_as_often_for_many_swarms_as_for_few(
    installation: Client, django_assert_max_num_queries: Any, path: str
) -> None:
    with CaptureQueriesContext(connection) as few:
        text_of(installation, path)
    shop = Swarm.objects.get(pk=1)
    for number in range(20):
        Swarm.objects.create(
            app=shop.app, squad=shop.squad, tag="v1", proc_name="web", config_name=f"c{number}"
        )
        Build.objects.create(app=shop.app, tag=f"t{number}")

    with django_assert_max_num_queries(len(few)):
        text_of(installation, path)


def test_a_silent_host_is_shown_as_unreachable(installation: Client) -> None:
    text = text_of(installation, "/")

    assert "unreachable since" in text
    assert "blog-v6-prod-0a1b2c3d-web-5002" in text


def test_the_failing_output_of_a_dispatch_is_shown(installation: Client) -> None:
    text = text_of(installation, "/swarm/3/")

    assert "blog v6 keeps serving" in text
    assert FAILURE.splitlines()[0] in text


def test_a_past_dispatch_has_an_address_of_its_own(installation: Client) -> None:
    swarm = Swarm.objects.get(pk=1)
    first = swarm.dispatches.order_by("id").first()
    assert first

    assert f'hx-get="/fragments/progress/{first.trace_id}/"' in text_of(
        installation, f"/swarm/1/dispatch/{first.trace_id}/"
    )
    assert installation.get(f"/swarm/2/dispatch/{first.trace_id}/").status_code == 404


def test_the_end_of_a_dispatch_renews_the_rest_of_the_page(installation: Client) -> None:
    ended = Swarm.objects.get(pk=3).dispatches.get()
    running = Swarm.objects.get(pk=1).dispatches.get(status="running")

    assert "vr:ended" in installation.get(f"/fragments/progress/{ended.trace_id}/").headers.get(
        "HX-Trigger-After-Settle", ""
    )
    assert not installation.get(f"/fragments/progress/{running.trace_id}/").has_header(
        "HX-Trigger-After-Settle"
    )


def test_a_newer_dispatch_renews_the_page_that_has_not_seen_it(installation: Client) -> None:
    trace = Swarm.objects.get(pk=1).dispatches.order_by("-id")[0].trace_id

    assert installation.get("/swarm/1/procs/?seen=an-older-one")["HX-Refresh"] == "true"
    assert not installation.get(f"/swarm/1/procs/?seen={trace}").has_header("HX-Refresh")


def test_events_come_after_the_one_that_is_shown_already(installation: Client) -> None:
    newest = Event.objects.latest("id")
    Event.objects.create(title="secretly", tags=["hidden"])

    assert installation.get(f"/fragments/events/?after={newest.pk}").status_code == 204

    Event.objects.create(title="a new one", tags=["route"])
    text = text_of(installation, f"/fragments/events/?after={newest.pk}")
    assert "a new one" in text
    assert newest.title not in text


def test_events_of_one_dispatch_only(installation: Client) -> None:
    trace = Swarm.objects.get(pk=1).dispatches.get(status="running").trace_id

    text = text_of(installation, f"/fragments/events/?trace={trace}")

    assert text.count("<li") == 4


def test_events_are_text_and_never_markup(web: Client) -> None:
    Event.objects.create(title="<script>alert(1)</script>", message="<b>", tags=["build"])

    text = text_of(web, "/")

    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_the_log_is_filtered_by_known_keys_only(installation: Client, user: User) -> None:
    LogEntry.objects.create(type="rollback", user=user, message="rex: rollback blog")

    text = text_of(installation, "/log/?type=rollback")
    assert "rex: rollback blog" in text
    assert "shop-prod-web" not in text
    # The original made any key a database filter.
    assert "shop-prod-web" in text_of(installation, "/log/?user__password__startswith=x")


def test_a_build_page_shows_the_log_without_escapes_and_links_to_the_whole(
    installation: Client,
) -> None:
    build = Build.objects.get(tag="v2")

    text = text_of(installation, f"/build/{build.pk}/")

    assert "Successfully installed flask-3.0.3" in text
    assert "\x1b" not in text
    assert 'href="/files/' in text


def test_only_a_build_under_way_is_followed(installation: Client) -> None:
    building, built = Build.objects.get(status="started"), Build.objects.get(tag="v2")

    stream = f'data-log-stream="/api/streams/build_log/{building.pk}/"'
    assert stream in text_of(installation, f"/build/{building.pk}/")
    assert "data-log-stream" not in text_of(installation, f"/build/{built.pk}/")


def test_the_page_of_a_build_that_has_ended_asks_no_more(installation: Client) -> None:
    building, built = Build.objects.get(status="started"), Build.objects.get(tag="v2")

    assert installation.get(f"/build/{building.pk}/facts/").status_code == 200
    assert installation.get(f"/build/{built.pk}/facts/").status_code == 286


def test_a_log_that_is_gone_is_no_error(installation: Client) -> None:
    Build.objects.filter(tag="v2").update(compile_log="logs/gone.log")

    text_of(installation, f"/build/{Build.objects.get(tag='v2').pk}/")


def test_procs_of_unknown_hosts_are_not_found(installation: Client) -> None:
    assert installation.get("/proc/nowhere/shop-v2-prod-abc-web-5000/").status_code == 404


def test_programs_that_are_not_ours_have_no_buttons(installation: Client) -> None:
    host = Host.objects.get(name="atlas.example.org")

    foreign = text_of(installation, f"/proc/{host.name}/redis/facts/")
    ours = text_of(installation, f"/proc/{host.name}/shop-v2-prod-v2c0ffee-web-5004/facts/")

    assert "<button" not in foreign
    assert "Restart" in ours
