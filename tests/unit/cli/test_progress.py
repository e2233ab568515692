"""What `vr swarm` prints of a dispatch as it goes on."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from vr.cli.progress import changes, failure_of, picture


def dispatch(status: str, *steps: tuple[str, str, str, float]) -> Any:
    names = ("kind", "status", "message", "seconds")
    return {
        "name": "shop-prod-web",
        "version": "v2",
        "size": 2,
        "status": status,
        "seconds": 1.5,
        "note": "",
        "error": "An uptest failed.",
        "output": "02_version: wrong",
        "steps": [dict(zip(names, step, strict=True)) for step in steps],
    }


def test_only_what_changed_is_printed() -> None:
    queued = dispatch("queued")
    begun = dispatch("running", ("deploy", "running", "1 of 2 procs", 0.1))
    later = dispatch("running", ("deploy", "running", "1 of 2 procs", 0.9))
    done = dispatch(
        "succeeded", ("deploy", "done", "2 of 2 procs", 1.0), ("route", "done", "", 0.25)
    )
    assert changes(None, queued) == ["shop-prod-web → v2, size 2"]
    assert changes(queued, begun) == ["shop-prod-web: deploy …: 1 of 2 procs"]
    assert changes(begun, later) == []
    assert changes(later, done) == [
        "shop-prod-web: deploy done in 1.0 s: 2 of 2 procs",
        "shop-prod-web: route done in 250 ms",
        "shop-prod-web: succeeded in 1.5 s",
    ]


def test_why_a_step_failed_is_left_to_the_last_word() -> None:
    begun = dispatch("running", ("uptest", "running", "testing 2 procs", 0.1))
    failed = dispatch("running", ("uptest", "failed", "An uptest failed.", 0.25))
    assert changes(begun, failed) == ["shop-prod-web: uptest failed after 250 ms"]


def test_a_failure_has_its_reason_and_output() -> None:
    error = failure_of(dispatch("failed"))
    assert error.message == "shop-prod-web → v2 failed: An uptest failed."
    assert error.details == "02_version: wrong"


def test_what_a_dispatch_notes_is_printed_once() -> None:
    note = "The swarm's own config is v2's again."
    queued = dispatch("queued") | {"note": note}
    begun = dispatch("running") | {"note": note}
    assert changes(None, queued) == [
        "shop-prod-web → v2, size 2",
        f"shop-prod-web: {note}",
    ]
    assert changes(queued, begun) == []


def test_what_is_noted_later_is_printed_then() -> None:
    note = "The repository of shop has no tag or branch 'v2'."
    queued, begun = dispatch("queued"), dispatch("running") | {"note": note}
    assert changes(queued, begun) == [f"shop-prod-web: {note}"]


def seen_on_a_terminal(document: Any) -> str:
    console = Console(width=100)
    with console.capture() as capture:
        console.print(picture({"t": document}, {"t": 0.0}))
    return capture.get()


def test_a_terminal_shows_what_a_dispatch_notes() -> None:
    note = "The swarm's config is again as it was then."
    assert note in seen_on_a_terminal(dispatch("running") | {"note": note})


def test_a_terminal_shows_why_a_step_failed_until_the_last_word_does() -> None:
    step = ("uptest", "failed", "An uptest failed.", 0.25)
    assert "An uptest failed." in seen_on_a_terminal(dispatch("running", step))
    assert "An uptest failed." not in seen_on_a_terminal(dispatch("failed", step))
