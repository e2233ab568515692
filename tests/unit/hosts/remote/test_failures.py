"""Errors of a host are the server's errors."""

from __future__ import annotations

import pytest

from vr.errors import Busy, InvalidInput, VelociraptorError
from vr.hosts.remote.failures import from_wire, to_wire
from vr.hosts.supervisor import HostUnreachable, SupervisorFault


@pytest.mark.parametrize("kind", [VelociraptorError, Busy, HostUnreachable])
def test_a_sentence_stays_the_sentence_and_its_kind(kind: type[VelociraptorError]) -> None:
    error = from_wire(to_wire(kind("What.", hint="Do.", details="Log."), "web1"), "web1")
    assert type(error) is kind
    assert (error.message, error.hint, error.details) == ("What.", "Do.", "Log.")


def test_refusals_of_supervisor_keep_their_code() -> None:
    error = from_wire(to_wire(SupervisorFault("here", 10, "BAD_NAME: x"), "web1"), "web1")
    assert isinstance(error, SupervisorFault)
    assert (error.code, str(error)) == (10, "Supervisor of web1: BAD_NAME: x")


def test_kinds_that_are_not_known_are_sentences_all_the_same() -> None:
    error = from_wire(to_wire(InvalidInput("file", ["key: is wrong"]), "web1"), "web1")
    assert type(error) is VelociraptorError
    assert "key: is wrong" in error.message


def test_a_full_disk_names_the_host_and_the_file() -> None:
    error = from_wire(to_wire(OSError(28, "No space left on device", "/apps/x"), "web1"), "web1")
    assert error.message == "On web1: No space left on device (/apps/x)."


def test_a_bug_over_there_is_told_as_one() -> None:
    error = from_wire(to_wire(KeyError("x"), "web1"), "web1")
    assert "web1" in error.message and "bug" in error.hint
