"""nginx's pool files."""

from __future__ import annotations

import pytest

from vr.balancer.nginx.pool_file import Site, parse, parse_backups, parse_passing, render
from vr.specs.passing import Passing

DOCUMENTED = """\
upstream my_app {
  server host3.my-squad.somewhere.com:5010;
  server host7.my-squad.somewhere.com:5011;
}
"""
NODES = ["host3.my-squad.somewhere.com:5010", "host7.my-squad.somewhere.com:5011"]


def test_a_pool_is_written_as_the_seeds_show() -> None:
    assert render("my_app", NODES) == DOCUMENTED


def test_a_pool_is_read_back() -> None:
    assert parse("my_app", DOCUMENTED) == NODES
    assert parse("my_app", render("my_app", NODES, Site("8080", "localhost"))) == NODES


def test_a_site_makes_the_pool_reachable_by_its_name() -> None:
    text = render("Shop", ["a:1"], Site("127.0.0.1:8080", "localhost"))
    assert "listen 127.0.0.1:8080;" in text
    assert "server_name shop.localhost;" in text
    assert "proxy_pass http://Shop;" in text


def test_what_people_add_to_a_file_does_not_confuse() -> None:
    text = """\
    # server old:1;
    upstream other { server x:1; }
    upstream  shop{ least_conn; server a:1 weight=2; # server b:1;
      server [::1]:5000 ; }
    server { server_name x; }
    """
    assert parse("shop", text) == ["[::1]:5000", "a:1"]


def test_a_missing_or_empty_pool_has_no_nodes() -> None:
    assert parse("shop", "") == []
    assert parse("shop", "upstream shop { }") == []


def test_backups_are_told_from_nodes() -> None:
    text = render("shop", ["b:1"], Site("8080", "localhost"), backups=["a:1"])
    assert parse("shop", text) == ["b:1"]
    assert parse_backups("shop", text) == ["a:1"]
    assert "server a:1 max_fails=0 backup;" in text
    assert parse_backups("shop", render("shop", NODES)) == []


@pytest.mark.parametrize(
    ("passing", "told"),
    [
        (Passing(), ["proxy_read_timeout 1h;", "proxy_buffer_size 72k;"]),
        (Passing(read_timeout=90), ["proxy_read_timeout 90s;", "proxy_send_timeout 90s;"]),
        (Passing(body_size="10M"), ["client_max_body_size 10M;", "proxy_read_timeout 1h;"]),
        (Passing(header_size="128k"), ["proxy_buffer_size 128k;", "proxy_buffers 8 128k;"]),
    ],
)
def test_times_and_sizes_of_a_pool_are_written_and_read_back(
    passing: Passing, told: list[str]
) -> None:
    text = render("shop", ["a:1"], Site("8080", "localhost"), ["b:1"], passing)
    assert all(f"  {one}\n" in text for one in told)
    assert parse_passing(text) == passing
    assert (parse("shop", text), parse_backups("shop", text)) == (["a:1"], ["b:1"])
    assert ("client_max_body_size" in text) is bool(passing.body_size)


def test_files_of_others_say_nothing_of_times_and_sizes() -> None:
    for text in ("", DOCUMENTED, "# passing: read_timeout=soon nonsense\n" + DOCUMENTED):
        assert parse_passing(text) == Passing()
