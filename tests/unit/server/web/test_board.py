"""The dashboard's tree: which proc belongs where, and how a swarm looks as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from vr.events.procs import HostState, proc_object
from vr.server.procs.ownership import Claims
from vr.server.procs.survey import divide
from vr.server.web.board import (
    PROCS_OPEN,
    PROCS_SHOWN,
    SWARMS_SHOWN,
    Board,
    SwarmCard,
    SwarmNode,
    Totals,
    build_board,
)
from vr.server.web.chips import by_host, tone_of

NOW = 1_000_000.0


def card(**changes: Any) -> SwarmCard:
    facts: dict[str, Any] = {
        "id": 1,
        "app": "shop",
        "config": "prod",
        "proc": "web",
        "tag": "v2",
        "wanted": "v2",
        "size": 2,
        "squad": "local",
    }
    return SwarmCard(**facts | changes)


def host(name: str, *procs: tuple[str, str], seen: float | None = NOW) -> HostState:
    infos = [{"name": proc, "statename": state} for proc, state in procs]
    return HostState(name, seen, [proc_object(name, info) for info in infos])


SQUADS = {"local": 1, "here": 2, "there": 3}


def claims_of(cards: list[SwarmCard], squads: Mapping[str, str]) -> Claims:
    return Claims(
        named={(SQUADS[card.squad], card.app, card.config, card.proc): card.id for card in cards},
        squads={host: SQUADS[squad] for host, squad in squads.items()},
    )


def board_of(
    cards: list[SwarmCard],
    *hosts: HostState,
    query: str = "",
    squads: Mapping[str, str] = MappingProxyType({"atlas": "local"}),
) -> Board:
    states = {state.host: state for state in hosts}
    return build_board(cards, divide(states, claims_of(cards, squads)), NOW, query=query)


def only_swarm(board: Board) -> SwarmNode:
    [app] = board.apps
    [swarm] = app.swarms
    return swarm


def test_procs_are_found_below_their_app_swarm_and_host() -> None:
    board = board_of(
        [card()], host("atlas", ("shop-v2-prod-abc-web-5001", "RUNNING"), ("redis", "RUNNING"))
    )

    swarm = only_swarm(board)

    assert board.apps[0].name == "shop"
    assert [(group.host, [p.port for p in group.procs]) for group in swarm.hosts] == [
        ("atlas", [5001])
    ]
    assert [proc.name for group in board.foreign for proc in group.procs] == ["redis"]


def test_procs_of_another_version_are_shown_apart_and_do_not_count() -> None:
    swarm = only_swarm(
        board_of(
            [card()],
            host(
                "atlas",
                ("shop-v2-prod-abc-web-5001", "RUNNING"),
                ("shop-v3-prod-def-web-5002", "RUNNING"),
            ),
        )
    )

    assert swarm.running == 1
    assert [(p.version, p.is_other_version) for p in swarm.procs] == [("v2", False), ("v3", True)]


def test_swarms_of_one_name_are_told_apart_by_the_hosts_of_their_squads() -> None:
    here = card(id=1, squad="here")
    there = card(id=2, squad="there")

    board = board_of(
        [here, there],
        host("atlas", ("shop-v2-prod-abc-web-5001", "RUNNING")),
        host("boreas", ("shop-v2-prod-abc-web-5002", "RUNNING")),
        squads={"atlas": "here", "boreas": "there"},
    )

    for swarm_id, port in ((1, 5001), (2, 5002)):
        [node] = [one for one in board.apps[0].swarms if one.card and one.card.id == swarm_id]
        assert [proc.port for proc in node.procs] == [port]


def test_a_proc_whose_host_has_left_the_squad_stays_with_the_swarm_that_owns_its_port() -> None:
    name = "shop-v2-prod-abc-web-5001"
    claims = Claims(leased={("atlas", name): 1}, squads={"atlas": None})

    found = divide({"atlas": host("atlas", (name, "RUNNING"))}, claims)
    board = build_board([card()], found, NOW)

    assert [proc.name for proc in only_swarm(board).procs] == [name]


def test_a_proc_of_a_swarm_that_came_or_went_meanwhile_is_not_hidden() -> None:
    name = "shop-v2-prod-abc-web-5001"
    claims = Claims(leased={("atlas", name): 7})

    board = build_board([], divide({"atlas": host("atlas", (name, "RUNNING"))}, claims), NOW)

    assert [proc.name for proc in only_swarm(board).procs] == [name]


def test_procs_of_no_swarm_stay_visible_below_their_app() -> None:
    board = board_of([], host("atlas", ("shop-v1-old-abc-web-5001", "RUNNING")))

    swarm = only_swarm(board)

    assert swarm.card is None
    assert [proc.name for proc in swarm.procs] == ["shop-v1-old-abc-web-5001"]


def test_a_silent_host_keeps_its_procs_with_the_time_it_was_last_heard() -> None:
    last = NOW - 130 - 1
    board = board_of([card()], host("atlas", ("shop-v2-prod-abc-web-5001", "RUNNING"), seen=last))

    swarm = only_swarm(board)

    assert swarm.hosts[0].silent
    assert swarm.hosts[0].silent_since and swarm.hosts[0].silent_since.timestamp() == last
    assert swarm.running == 0
    assert swarm.tone == "unknown"
    assert board.totals.answering == 0


@pytest.mark.parametrize(
    ("states", "size", "tone"),
    [
        (("RUNNING", "RUNNING"), 2, "ok"),
        (("RUNNING",), 2, "warn"),
        (("RUNNING", "STARTING"), 2, "busy"),
        (("RUNNING", "FATAL"), 2, "bad"),
        (("RUNNING", "RESTARTING"), 2, "bad"),
        (("RUNNING", "RUNNING", "FATAL"), 2, "bad"),
        ((), 2, "idle"),
        ((), 0, "idle"),
    ],
)
def test_a_swarm_has_the_colour_of_the_worst_that_matters(
    states: tuple[str, ...], size: int, tone: str
) -> None:
    procs = [(f"shop-v2-prod-abc-web-{5000 + n}", state) for n, state in enumerate(states)]

    assert only_swarm(board_of([card(size=size)], host("atlas", *procs))).tone == tone


@pytest.mark.parametrize(
    ("query", "ports"),
    [
        ("", [5001, 5002]),
        ("prod-web", [5001, 5002]),
        ("FATAL", [5002]),
        ("5001", [5001]),
        ("atlas", [5001, 5002]),
        ("v2", [5001, 5002]),
    ],
)
def test_the_filter_keeps_what_the_text_occurs_in(query: str, ports: list[int]) -> None:
    state = host(
        "atlas",
        ("shop-v2-prod-abc-web-5001", "RUNNING"),
        ("shop-v2-prod-abc-web-5002", "FATAL"),
    )

    swarm = only_swarm(board_of([card()], state, query=query))

    assert [proc.port for proc in swarm.procs] == ports


def test_a_filter_that_matches_nothing_leaves_nothing() -> None:
    board = board_of([card()], host("atlas", ("redis", "RUNNING")), query="zebra")

    assert (board.apps, board.foreign) == ((), ())


def test_apps_without_a_swarm_are_shown() -> None:
    board = build_board([], divide({}, Claims()), NOW, apps=["blog"])

    assert [(app.name, app.swarms) for app in board.apps] == [("blog", ())]


def test_a_state_that_nobody_knows_is_unknown() -> None:
    assert tone_of("LEVITATING") == "unknown"


@pytest.mark.parametrize(
    ("state", "tone"),
    [
        ("RUNNING", "ok"),
        ("STARTING", "busy"),
        ("STOPPING", "busy"),
        ("BACKOFF", "warn"),
        ("FATAL", "bad"),
        ("EXITED", "bad"),
        ("STOPPED", "idle"),
    ],
)
def test_each_state_of_supervisor_has_a_colour(state: str, tone: str) -> None:
    assert tone_of(state) == tone


def test_procs_hosts_and_swarms_are_counted() -> None:
    board = board_of(
        [card()],
        host(
            "atlas",
            ("shop-v2-prod-abc-web-5001", "RUNNING"),
            ("shop-v2-prod-abc-web-5002", "FATAL"),
            ("shop-v1-old-abc-web-5003", "RUNNING"),
            ("shop-v1-old-abc-web-5004", "BACKOFF"),
            ("shop-v1-old-abc-web-5005", "STOPPED"),
            ("redis", "RUNNING"),
        ),
        host("boreas", seen=None),
    )
    assert board.totals == Totals(swarms=1, running=2, troubled=2, hosts=2, silent=1)
    assert board.totals.answering == 1


def test_swarms_are_called_by_their_config_and_proc_and_procs_of_none_say_so() -> None:
    board = board_of([card()], host("atlas", ("shop-v1-old-abc-web-5003", "RUNNING")))
    [app] = board.apps
    assert [(swarm.title, swarm.tone) for swarm in app.swarms] == [
        ("prod web", "idle"),
        ("not part of a swarm", "unknown"),
    ]
    assert card().name == "shop-prod-web"


def test_a_card_says_nothing_of_pools_and_dispatches_that_there_are_not() -> None:
    one = card()
    assert (one.pool, one.pool_url, one.dispatch_status, one.dispatch_tag) == ("", "", "", "")


def test_every_host_is_listed_with_all_its_procs() -> None:
    spoken = host("atlas.example", ("shop-v2-prod-abc-web-5001", "RUNNING"), ("redis", "FATAL"))
    [first, second] = by_host([spoken, host("boreas", seen=None)], NOW)

    assert [(chip.name, chip.tone, chip.is_other_version) for chip in first.procs] == [
        ("shop-v2-prod-abc-web-5001", "ok", False),
        ("redis", "bad", False),
    ]
    assert first.procs[1].element_id == "proc-atlasdotexample-redis"
    assert (first.silent, first.silent_since) == (False, None)
    assert (second.host, second.procs, second.silent, second.silent_since) == (
        "boreas",
        (),
        True,
        None,
    )


def test_the_filter_finds_foreign_procs_by_name_and_host_and_strays_by_app() -> None:
    state = host("atlas", ("shop-v1-old-abc-web-5003", "RUNNING"), ("redis", "RUNNING"))
    for query, foreign, apps in (("redis", 1, 0), ("atlas", 1, 1), ("shop", 0, 1)):
        board = board_of([], state, query=query)
        assert (len(board.foreign), len(board.apps)) == (foreign, apps)
    [stray] = board.apps[0].swarms
    assert [proc.name for proc in stray.procs] == ["shop-v1-old-abc-web-5003"]


def test_the_filter_keeps_a_silent_hosts_time_and_only_the_procs_that_match() -> None:
    last = NOW - 130 - 1
    procs = [("shop-v2-prod-abc-web-5001", "RUNNING"), ("shop-v2-prod-abc-web-5002", "FATAL")]
    swarm = only_swarm(board_of([card()], host("atlas", *procs, seen=last), query=" fatal "))
    [group] = swarm.hosts
    assert group.silent and group.silent_since and group.silent_since.timestamp() == last
    assert [proc.port for proc in group.procs] == [5002]


def many(
    count: int, *, bad: int | None = None, procs: int = 2
) -> tuple[list[SwarmCard], HostState]:
    """Swarms of an app each, and a host with their procs; one proc of swarm `bad` is FATAL."""
    cards = [card(id=n, app=f"app{n:03}", size=procs) for n in range(count)]
    states = [
        (f"app{n:03}-v2-prod-abc-web-{5000 + k}", "FATAL" if (n, k) == (bad, 0) else "RUNNING")
        for n in range(count)
        for k in range(procs)
    ]
    return cards, host("atlas", *states)


def test_what_fits_one_page_is_shown_with_all_its_procs_in_alphabetical_order() -> None:
    cards, atlas = many(PROCS_SHOWN // 2, bad=7)
    board = board_of(cards, atlas)
    assert (board.page, board.pages) == (1, 1)
    assert [app.name for app in board.apps] == [one.app for one in cards]
    assert all(node.is_open for app in board.apps for node in app.swarms)


@pytest.mark.parametrize("page", [-1, 1, 2, 3, 99])
def test_more_comes_a_page_at_a_time_each_swarm_once_and_trouble_first(page: int) -> None:
    cards, atlas = many(2 * SWARMS_SHOWN + 1, bad=SWARMS_SHOWN + 7)
    found = divide({"atlas": atlas}, claims_of(cards, {"atlas": "local"}))
    board = build_board(cards, found, NOW, page=page)
    shown = [app.name for app in board.apps]
    trouble, *well = [cards[SWARMS_SHOWN + 7].app, *(one.app for one in cards)]
    well.remove(trouble)
    first, second, third = (
        [trouble, *well[: SWARMS_SHOWN - 1]],
        well[SWARMS_SHOWN - 1 : 2 * SWARMS_SHOWN - 1],
        well[2 * SWARMS_SHOWN - 1 :],
    )
    assert board.pages == 3
    assert shown == [first, second, third][board.page - 1]
    assert board.page == min(max(page, 1), 3)
    assert [node.title for app in board.apps for node in app.swarms if node.is_open] == (
        ["prod web"] if board.page == 1 else []
    )


@pytest.mark.parametrize(
    "troubled",
    [
        host("boreas", ("app050-v2-prod-abc-web-5000", "FATAL")),
        host("boreas", ("app050-v2-prod-abc-web-5000", "STOPPED")),
        host("boreas", ("app050-v2-prod-abc-web-5000", "RUNNING"), seen=NOW - 3600),
    ],
    ids=["bad", "fewer than wanted", "unknown"],
)
def test_all_kinds_of_trouble_come_first(troubled: HostState) -> None:
    cards, atlas = many(SWARMS_SHOWN + 1, procs=1)
    well = [proc for proc in atlas.procs if proc["app_name"] != "app050"]
    hosts = {"atlas": HostState("atlas", NOW, well), "boreas": troubled}
    claims = claims_of(cards, dict.fromkeys(hosts, "local"))
    board = build_board(cards, divide(hosts, claims), NOW)
    assert (board.page, board.apps[0].name) == (1, "app050")


def test_an_app_with_more_swarms_than_a_page_has_goes_on_on_the_next() -> None:
    cards = [card(id=n, config=f"c{n:03}") for n in range(SWARMS_SHOWN + 1)]
    found = divide({}, claims_of(cards, {}))
    sizes = [
        [(app.name, len(app.swarms)) for app in build_board(cards, found, NOW, page=page).apps]
        for page in (1, 2)
    ]
    assert sizes == [[("shop", SWARMS_SHOWN)], [("shop", 1)]]


def test_of_swarms_in_trouble_only_so_many_procs_are_shown_at_first() -> None:
    cards, _ = many(PROCS_SHOWN)
    states = [
        (f"app{n:03}-v2-prod-abc-web-{5000 + k}", "FATAL")
        for n in range(PROCS_SHOWN)
        for k in (0, 1)
    ]
    board = board_of(cards, host("atlas", *states))
    opened = [node for app in board.apps for node in app.swarms if node.is_open]
    assert sum(len(node.said) for node in opened) == PROCS_OPEN
    assert board.totals.troubled == 2 * PROCS_SHOWN


def test_of_strays_no_version_is_the_wrong_one() -> None:
    board = board_of([], host("atlas", ("shop-v1-old-abc-web-5003", "RUNNING")))
    stray = only_swarm(board)
    assert stray.running == 1
    assert [proc.is_other_version for proc in stray.procs] == [False]


def test_programs_of_others_that_are_down_count_as_trouble() -> None:
    board = board_of([], host("atlas", ("redis", "FATAL"), ("shop-v1-old-abc-web-5003", "FATAL")))
    assert board.totals.troubled == 2


def test_so_much_fits_a_page() -> None:
    """More, and the page grows beyond 200 KB."""
    assert (SWARMS_SHOWN, PROCS_SHOWN, PROCS_OPEN) == (100, 200, 60)
