"""What a running stack lacks to be as it is wanted."""

from __future__ import annotations

from vr.up.changes import Changes, changes, older

WANTED = {"redis": ".1", "proc_publisher": "a.1", "web": "a.2", "worker": "a.3", "nginx": ".4"}


def test_a_stack_that_is_as_wanted_is_left_alone() -> None:
    found = changes(WANTED, WANTED, WANTED, ())
    assert found == Changes()
    assert not found.concern_the_database


def test_what_runs_other_code_or_was_told_otherwise_is_replaced_in_the_order_of_starts() -> None:
    running = WANTED | {"worker": "b.3", "web": "a.9"}
    found = changes(WANTED, running, WANTED, ())
    assert found == Changes(replaced=("web", "worker"))
    assert found.concern_the_database


def test_what_was_never_stamped_is_replaced() -> None:
    assert changes(WANTED, WANTED | {"web": ""}, WANTED, ()).replaced == ("web",)


def test_others_programs_have_no_stamp_and_are_replaced_when_their_section_differs() -> None:
    running = WANTED | {"redis": ""}
    assert changes(WANTED, running, WANTED, ()) == Changes()
    found = changes(WANTED, running, WANTED, ("redis",))
    assert found == Changes(replaced=("redis",))
    assert not found.concern_the_database


def test_a_section_that_differs_replaces_our_parts_too() -> None:
    assert changes(WANTED, WANTED, WANTED, ("web", "shop-v1-prod-1a2b-web-5000")) == Changes(
        replaced=("web",)
    )


def test_nginx_is_started_and_reads_what_is_new_but_is_not_replaced() -> None:
    assert changes(WANTED, WANTED | {"nginx": ".9"}, WANTED, ("nginx",)) == Changes()
    running = {name: stamp for name, stamp in WANTED.items() if name != "nginx"}
    assert changes(WANTED, running, WANTED, ("nginx",)) == Changes(started=("nginx",))


def test_nginx_is_replaced_when_its_port_is_to_be_another_addresss() -> None:
    assert changes(WANTED, WANTED, WANTED, (), ["nginx"]) == Changes(replaced=("nginx",))


def test_what_does_not_run_is_started_known_or_not() -> None:
    running = {"redis": "", "web": "a.2", "nginx": ""}
    found = changes(WANTED, running, {"redis", "web", "nginx", "worker"}, ())
    assert found == Changes(started=("proc_publisher", "worker"))
    assert found.concern_the_database


def test_what_is_not_wanted_any_more_is_removed() -> None:
    found = changes(WANTED, WANTED, [*WANTED, "stager", "nats"], ("nats",))
    assert found == Changes(removed=("nats", "stager"))


def test_parts_of_other_code_are_named() -> None:
    assert older("a", {"web": "a", "worker": "b", "beat": ""}) == ("worker", "beat")
