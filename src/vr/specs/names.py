"""Names, parsed once: nothing else in the house splits on '-' (docs/reference/proc-yaml.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vr.errors import InvalidInput

PART = r"[A-Za-z0-9_.+]+"
"""What a part of a proc's name is, as a regular expression; a version, too."""
HOST_NAME = r"[A-Za-z0-9_.-]+"
"""What the name of a host is, as a regular expression."""
LONGEST_NAME = 180
"""Characters of a proc's name: containers have 200, of which their twins need some."""
_PART = re.compile(PART)
_ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]*")


def part_problem(what: str, value: str) -> str | None:
    """Why `value` can't be part of a proc name, as a sentence; None if it can.

    Parts are joined with '-' into folder, container and program names, hence the rule.
    """
    if not value:
        return f"{what}: is empty, but letters, digits or underscores are expected"
    if value.startswith("."):
        return f"{what}: {value!r} begins with a dot, which hides its folders and logs"
    if not _PART.fullmatch(value):
        bad = sorted(set(re.sub(_PART, "", value))) or [value]
        shown = " ".join("space" if c == " " else repr(c) for c in bad)
        return (
            f"{what}: {value!r} contains {shown}; "
            "only letters, digits, underscores, dots and plus signs are allowed"
        )
    return None


def account_problem(what: str, value: str) -> str | None:
    """Why apps can't run as the user account `value`, as a sentence; None if they can."""
    if value == "root":
        return f"{what}: an app can't run as root; name another user"
    if _ACCOUNT.fullmatch(value):
        return None
    return (
        f"{what}: {value!r} can't be the name of a user account; "
        "lower-case letters, digits, '_' and '-' are allowed, beginning with a letter"
    )


def tag_problem(what: str, value: str) -> str | None:
    """Why `value` can't be deployed as a version; None if it can."""
    if value and "-" in value:
        return (
            f"{what}: {value!r} contains '-', which separates the parts of a proc's name; "
            "use a tag without dashes, or the commit's hash"
        )
    if not _PART.fullmatch(value) or value.startswith("."):
        return (
            f"{what}: {value!r} can't be part of a file name; use a tag, branch or commit "
            "of letters, digits, dots and underscores, not beginning with a dot"
        )
    return None


def length_problem(app: str, version: str, config: str, proc: str) -> str | None:
    """Why the procs of such a swarm can't be named, as a sentence; None if they can."""
    length = len(str(ProcName(app, version, config, "0" * 8, proc, 65535)))
    if length <= LONGEST_NAME:
        return None
    return (
        f"app, version, config and proc name make a proc's name of {length} characters, "
        f"but containers may have {LONGEST_NAME}; shorten one of them"
    )


@dataclass(frozen=True)
class ProcName:
    """`app-version-config-hash-proc-port`: container, folder, Supervisor program and group."""

    app: str
    version: str
    config: str
    hash: str
    proc: str
    port: int

    def __str__(self) -> str:
        return "-".join([self.app, self.version, self.config, self.hash, self.proc, str(self.port)])

    @property
    def short(self) -> str:
        """`app-version-proc`, for people."""
        return f"{self.app}-{self.version}-{self.proc}"

    @classmethod
    def parse(cls, name: str) -> ProcName | None:
        """The parts, or None for a foreign proc (not six parts, or no integer port)."""
        parts = name.split("-")
        if len(parts) != 6 or not parts[5].isascii() or not parts[5].isdigit():
            return None
        app, version, config, hash_, proc, port = parts
        return cls(app, version, config, hash_, proc, int(port))

    @classmethod
    def checked(
        cls, app: str, version: str, config: str, hash_: str, proc: str, port: int, *, where: str
    ) -> ProcName:
        """Build a name from untrusted parts; raises InvalidInput naming every bad one.

        An empty hash is allowed: builds have none.
        """
        found = [
            part_problem("app_name", app),
            tag_problem("version", version),
            part_problem("config_name", config),
            part_problem("release_hash", hash_) if hash_ else None,
            part_problem("proc_name", proc),
        ]
        problems = [problem for problem in found if problem]
        if problems:
            raise InvalidInput(where, problems)
        return cls(app, version, config, hash_, proc, port)
