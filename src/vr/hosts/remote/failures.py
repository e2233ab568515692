"""Errors on their way from a host to the server, which raises them as its own."""

from __future__ import annotations

from typing import Any

from vr.errors import Busy, VelociraptorError
from vr.hosts.supervisor import HostUnreachable, SupervisorFault

_KINDS: dict[str, type[VelociraptorError]] = {
    kind.__name__: kind for kind in (VelociraptorError, Busy, HostUnreachable)
}


def to_wire(error: Exception, host: str) -> dict[str, Any]:
    """The error as a document; one that isn't meant for users says on which host it was."""
    if isinstance(error, SupervisorFault):
        return {"kind": "SupervisorFault", "code": error.code, "text": error.text}
    if isinstance(error, VelociraptorError):
        named = [kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _KINDS]
        return {
            "kind": named[0],
            "message": error.message,
            "hint": error.hint,
            "details": error.details,
        }
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        said = error.strerror or type(error).__name__
        return {"kind": "VelociraptorError", "message": f"On {host}: {said}{where}."}
    return {
        "kind": "VelociraptorError",
        "message": f"The service on {host} failed: {type(error).__name__}: {error}",
        "hint": "This is a bug in Velociraptor, not in your input.",
    }


def from_wire(document: dict[str, Any], host: str) -> VelociraptorError:
    """The error that the document of a host stands for."""
    if document.get("kind") == "SupervisorFault":
        return SupervisorFault(host, int(document["code"]), str(document["text"]))
    kind = _KINDS.get(str(document.get("kind")), VelociraptorError)
    return kind(
        str(document.get("message", "")),
        hint=str(document.get("hint", "")),
        details=str(document.get("details", "")),
    )
