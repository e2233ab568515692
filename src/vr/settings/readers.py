"""What the text of a variable must be, and the typed value that it becomes."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from pathlib import Path, PurePosixPath
from typing import Generic, TypeVar
from urllib.parse import urlsplit

import dj_database_url

from vr.bus.addresses import http_uri_problem, nats_uri_problem
from vr.specs.accounts import parse_uids
from vr.specs.limits import limits_problems, parse_limits_or_none
from vr.specs.names import HOST_NAME
from vr.specs.proc import FIRST_HOST_UID, LAST_HOST_UID
from vr.specs.sizes import parse_size

T = TypeVar("T")
D = TypeVar("D")
T_co = TypeVar("T_co", covariant=True)

_FLAGS = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}
_DATABASES = ("sqlite", "postgres", "postgresql", "pgsql")
_REDIS = ("redis", "rediss", "unix")
_BROKERS = (*_REDIS, "redis+socket", "sentinel", "amqp", "amqps", "pyamqp")


@dataclass(frozen=True)
class Reader(Generic[T_co]):
    """`parse` makes the value, or raises ValueError for a text that is not as `expected` says.

    It may raise InvalidInput instead, where the text is a file with problems of its own.
    """

    expected: str
    parse: Callable[[str], T_co]


def optional(reader: Reader[T], absent: D) -> Reader[T | D]:
    """`absent` where nothing is given, else what `reader` says."""
    return Reader(reader.expected, lambda text: reader.parse(text) if text else absent)


def whole(lowest: int, highest: int) -> Reader[int]:
    """A whole number, both bounds included."""

    def parse(text: str) -> int:
        # No signs, blanks, underscores or digits of other scripts, which int() would take.
        _demand(text.isascii() and text.isdigit() and lowest <= int(text) <= highest)
        return int(text)

    return Reader(f"a number {lowest} to {highest}", parse)


def seconds(lowest: float, highest: float) -> Reader[float]:
    """A duration, both bounds included; parts of a second are allowed."""

    def parse(text: str) -> float:
        value = float(text)
        _demand(lowest <= value <= highest)  # which is false for nan, too
        return value

    return Reader(f"seconds from {lowest:g} to {highest:g}", parse)


def one_of(*choices: str) -> Reader[str]:
    """One of these words."""

    def parse(text: str) -> str:
        _demand(text in choices)
        return text

    return Reader(" or ".join(choices), parse)


def _demand(fits: object) -> None:
    if not fits:
        raise ValueError


def _flag(text: str) -> bool:
    _demand(text.lower() in _FLAGS)
    return _FLAGS[text.lower()]


def _text(text: str) -> str:
    _demand(text.isprintable())
    return text


def _key(text: str) -> str:
    _demand(text)
    return text


def _path(text: str) -> Path:
    path = Path(text)
    _demand(path.is_absolute() and "\0" not in text)
    return path


def _folders(text: str) -> tuple[str, ...]:
    words = _words(text)
    _demand(all(PurePosixPath(word).is_absolute() and word.isprintable() for word in words))
    _demand(not any(".." in PurePosixPath(word).parts for word in words))
    return words


def _plain_folder(text: str) -> Path:
    _demand(not re.search(r"[\s:,%;\"']", text))
    return _path(text)


def _existing_file(text: str) -> Path:
    path = Path(text)
    _demand(path.is_file())
    return path


def _existing_folder(text: str) -> Path:
    path = Path(text)
    _demand(path.is_dir())
    return path


def _ports(text: str) -> range:
    low, dash, high = text.partition("-")
    high = high if dash else low
    _demand(text.isascii() and low.isdigit() and high.isdigit())
    _demand(1024 <= int(low) <= int(high) <= 65535)
    return range(int(low), int(high) + 1)


def _uids(text: str) -> range:
    uids = parse_uids(text)
    _demand(FIRST_HOST_UID <= uids.start < uids.stop <= LAST_HOST_UID + 1)
    return uids


def ports_text(ports: range) -> str:
    """The text that PORTS reads as `ports`."""
    return f"{ports.start}-{ports.stop - 1}"


def _ip_address(text: str) -> str:
    try:
        socket.getaddrinfo(text, 0, flags=socket.AI_NUMERICHOST)
    except OSError:
        raise ValueError from None
    return text


def _host_name(text: str) -> str:
    _demand(re.fullmatch(HOST_NAME, text))
    return text


def _address(text: str) -> str:
    _demand(re.fullmatch(r"\S+", text))
    return text


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _networks(text: str) -> tuple[str, ...]:
    return tuple(str(ip_network(word)) for word in _words(text))


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _origins(text: str) -> tuple[str, ...]:
    words = _words(text)
    _demand(not any(http_uri_problem(word) for word in words))
    return words


def _pairs(text: str) -> dict[str, str]:
    pairs = [word.partition("=") for word in _words(text)]
    found = {name.strip(): value.strip() for name, _, value in pairs}
    _demand(len(found) == len(pairs) and all(name and value for name, value in found.items()))
    return found


def _proc_disk(text: str) -> str | None:
    if text.strip() == "none":
        return None
    _demand(not list(limits_problems({"disk_limit": text})))
    return text.strip()


def _http_url(text: str) -> str:
    _demand(not http_uri_problem(text))
    return text


def _url_folder(text: str) -> str:
    _demand(re.fullmatch(r"/([\w.~-]+/)+", text, re.ASCII))
    return text


def _bucket(text: str) -> str:
    _demand(re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", text))
    return text


def _nats_url(text: str) -> str:
    _demand(not nats_uri_problem(text))
    return text


def _url(text: str, schemes: Collection[str]) -> str:
    """The URL, if it names a scheme of these, and a host; or a path, for a socket."""
    parts = urlsplit(text)
    is_socket = parts.scheme in {"unix", "redis+socket"}
    # Asking for a port that is none raises ValueError.
    _demand(parts.scheme in schemes and parts.port != 0)
    _demand(parts.path.startswith("/") if is_socket else parts.netloc)
    return text


def _database(text: str) -> dict[str, object]:
    _demand(text.partition("://")[0] in _DATABASES)
    return {**dj_database_url.parse(text)}


FLAG = Reader("1, true, yes or on; or 0, false, no or off", _flag)
KEY = Reader("a key", _key)
TEXT = Reader("printable text in one line", _text)
PATH = Reader("an absolute path", _path)
# For folders whose names go into the configuration of nginx, Supervisor and LXC.
PLAIN_FOLDER = Reader(
    "an absolute path without blanks, quotes or any of : , % ;",
    _plain_folder,
)
FOLDERS = Reader("absolute paths separated by commas, such as /srv,/mnt/data", _folders)
EXISTING_FILE = Reader("a file that is there", _existing_file)
EXISTING_FOLDER = Reader("a folder that is there", _existing_folder)
PORTS = Reader("two ports such as 5000-5999, from 1024 to 65535", _ports)
UIDS = Reader(
    f"two user ids such as 200000-265535, from {FIRST_HOST_UID} to {LAST_HOST_UID}", _uids
)
HOST = Reader("a host name or an IPv4 address", _host_name)
IP_ADDRESS = Reader("an IP address", _ip_address)
ADDRESS = Reader("an address such as 127.0.0.1:8500", _address)
NETWORK = Reader("an IPv4 network such as 10.214.0.0/16", IPv4Network)
NETWORKS = Reader("networks such as 10.0.0.0/8,fd00::/8, separated by commas", _networks)
WORDS = Reader("words separated by commas", _words)
LINES = Reader("words, one a line", _lines)
ORIGINS = Reader("origins such as https://vr.example.org, separated by commas", _origins)
PAIRS = Reader("pairs such as ruby=/opt/ruby/bin/ruby,node=nodejs", _pairs)
LIMITS = Reader(
    "limits such as mem_limit=1G,cpu_limit=2,pids_limit=512; or none", parse_limits_or_none
)
SIZE = Reader("a size such as 1G or 512M", parse_size)
PROC_DISK = Reader("a size such as 4G, at least 8M; or none", _proc_disk)
HTTP_URL = Reader("an address that begins with http:// or https://", _http_url)
URL_FOLDER = Reader("a path that begins and ends with /, such as /stored/", _url_folder)
BUCKET = Reader("3 to 63 small letters, digits, dots and hyphens", _bucket)
NATS_URL = Reader("an address such as nats://user:password@host:port", _nats_url)
REDIS_URL = Reader(
    "an address such as redis://host:6379/0 or unix:///path/of/a/socket",
    lambda text: _url(text, _REDIS),
)
BROKER_URL = Reader(
    "an address of RabbitMQ or Redis, such as amqp://user:password@host/ or redis://host:6379/0",
    lambda text: _url(text, _BROKERS),
)
SUPERVISOR_URL = Reader(
    "an address such as unix:///path/of/a/socket or http://127.0.0.1:9001",
    lambda text: _url(text, ("unix", "http")),
)
DATABASE = Reader(
    "an address such as postgres://user:password@host/name or sqlite:////path/of/a/file",
    _database,
)
