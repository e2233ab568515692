"""What a repository URL says: where, which kind, which revision, under which local name.

Pure: nothing here touches the network or the disk, except `guess_kind`'s look at a local folder.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit, urlunsplit

from vr.errors import InvalidInput

Kind = Literal["git", "hg"]

# A name that neither git nor hg can take for an option, a range or a revset.
_REVISION = re.compile(r"(?!-)(?!.*\.\.)[\w.+/@#-]+")
_WEB = ("http", "https")
_SSH = ("ssh", "git+ssh", "ssh+git")
HIDDEN = "***"


@dataclass(frozen=True)
class Credentials:
    """User and password taken out of a web address, so that no process list shows them."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials(user={self.user!r}, password=***)"


@dataclass(frozen=True)
class Source:
    """A repository's address as users write it: `url[#revision]`."""

    url: str
    revision: str = ""

    @classmethod
    def parse(cls, text: str) -> Source:
        """Split at the first `#` (docs/reference/buildpack.md#references)."""
        url, _, revision = text.strip().partition("#")
        return cls(url, revision)

    @property
    def basename(self) -> str:
        """The last part of the URL without `.git`: for people who look into the folders."""
        path = self.url.rstrip("/").removesuffix("/.git")
        name = re.split(r"[/:]", path)[-1].removesuffix(".git")
        return re.sub(r"[^\w.+-]", "_", name).lstrip(".-") or "repository"

    @property
    def md5(self) -> str:
        """Tells repositories of equal basename apart; ignores the revision."""
        return hashlib.md5(self.url.encode(), usedforsecurity=False).hexdigest()

    @property
    def folder_name(self) -> str:
        """`<basename>-<md5 of the URL>` (docs/reference/build-yaml.md#folders)."""
        return f"{self.basename}-{self.md5}"

    @property
    def local_path(self) -> Path | None:
        """The folder that the URL names on this machine, or None if it is elsewhere."""
        parts = urlsplit(self.url)
        if parts.scheme == "file":
            return Path(unquote(parts.path))
        if "://" in self.url or not self.url:
            return None
        # `host:path` is ssh's short form, unless a slash comes first.
        head = self.url.split("/", 1)[0]
        return None if ":" in head else Path(self.url)

    @property
    def over_ssh(self) -> bool:
        """Whether ssh reaches it: `ssh://`, or its short form `host:path`."""
        scheme, separator, _ = self.url.partition("://")
        if separator:
            return scheme in _SSH
        return self.local_path is None

    @property
    def public_url(self) -> str:
        """The URL without password, for messages, logs and results."""
        return redact(self.url)

    def split_credentials(self) -> tuple[str, Credentials | None]:
        """The URL to hand to a program, and what has to reach it by another way.

        Raises InvalidInput for control characters, which could forge lines of a config file.
        """
        parts = urlsplit(self.url)
        if parts.scheme not in _WEB or parts.username is None:
            return self.url, None
        credentials = Credentials(unquote(parts.username), unquote(parts.password or ""))
        if not (credentials.user + credentials.password).isprintable():
            raise InvalidInput(self.public_url, ["the credentials hold control characters"])
        bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        return bare, credentials


def address_problem(url: str) -> str | None:
    """Why `url` can't be taken apart, such as `http://[`; None if it can."""
    try:
        urlsplit(url)
    except ValueError as error:
        return f"is no address: {error}"
    return None


def hide_credentials(url: str, known: str = "") -> tuple[str, str]:
    """A web address without its credentials, which are `***`, and these, to be kept in secret.

    `known` is what was kept of the address as it was: if it is still `***` of the same host, that
    stays. Other addresses are as they are, with nothing kept.
    """
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    if parts.scheme not in _WEB or not at:
        return url, ""
    shown = urlunsplit(parts._replace(netloc=f"{HIDDEN}@{host}"))
    if user != HIDDEN:
        return shown, f"{parts.scheme}://{user}@{host}"
    return shown, known if _origin(known) == f"{parts.scheme}://{host}" else ""


def reveal_credentials(url: str, kept: str) -> str:
    """The address that `hide_credentials` has hidden."""
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    if user != HIDDEN or _origin(kept) != f"{parts.scheme}://{host}":
        return url
    return urlunsplit(parts._replace(netloc=urlsplit(kept).netloc))


def lacks_credentials(url: str, kept: str) -> bool:
    """Whether `url` says `***` for credentials that nobody kept."""
    return urlsplit(url).netloc.startswith(f"{HIDDEN}@") and reveal_credentials(url, kept) == url


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def redact(text: str) -> str:
    """`text` with the credentials of every URL in it replaced by `***`."""
    return re.sub(r"://[^/\s'\"]*@", "://***@", text)


def revision_problem(revision: str) -> str | None:
    """Why `revision` can't name a tag, branch or commit; None if it can."""
    if _REVISION.fullmatch(revision):
        return None
    return (
        f"{revision!r} can't be a revision; a tag, a branch or a commit's hash is expected, "
        "without spaces, '..' or a dash in front"
    )


def guess_kind(source: Source) -> Kind:
    """git or hg: by what lies in a local folder, else by the URL; git when nothing tells."""
    local = source.local_path
    if local is not None and (local / ".hg").is_dir():
        return "hg"
    parts = urlsplit(source.url)
    if parts.scheme == "hg" or (parts.hostname or "").startswith("hg."):
        return "hg"
    return "git"
