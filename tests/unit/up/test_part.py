"""The environment that a part of the stack is started with."""

from __future__ import annotations

from vr.up.part import environment


def test_settings_are_those_that_are_given_never_those_of_long_ago() -> None:
    inherited = {"PATH": "/bin", "VR_SITE_TITLE": "old", "VR_HOME": "/old"}
    assert environment(inherited, {"VR_HOME": "/new"}) == {"PATH": "/bin", "VR_HOME": "/new"}


def test_what_is_given_goes_before_what_is_inherited() -> None:
    assert environment({"LANG": "C"}, {"LANG": "C.UTF-8"}) == {"LANG": "C.UTF-8"}
