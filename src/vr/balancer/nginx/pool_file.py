"""nginx's pool files: text from nodes, nodes from text. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, replace

from vr.specs.passing import Passing

# How many further nodes a request is offered that the first one did not take. Each costs an
# internal redirect, of which nginx allows ten.
_MOST_OFFERS = 8
AS_USUAL = Passing()


@dataclass(frozen=True)
class Site:
    """Makes a pool reachable at once as `<pool>.<domain>`, for an nginx of our own.

    `listen` is nginx's: `8080` or `127.0.0.1:8080`. The http block must map
    `$connection_upgrade` from `$http_upgrade`, as nginx's page on WebSocket proxying shows.
    Times are nginx's (`90s`, `1h`), sizes too (`64k`).
    """

    listen: str
    domain: str
    connect_timeout: str = "5s"
    read_timeout: str = "1h"
    header_size: str = "72k"
    body_size: str = ""
    buffering: str = "off"

    def address(self, pool: str) -> str:
        """The URL of a pool."""
        port = self.listen.rpartition(":")[2].split()[0]
        return f"http://{self.host_name(pool)}{'' if port == '80' else f':{port}'}/"

    def passing_on(self, passing: Passing) -> Site:
        """The site of a pool that has times and sizes of its own."""
        own = {
            "read_timeout": f"{passing.read_timeout}s" if passing.read_timeout else "",
            "header_size": passing.header_size,
            "body_size": passing.body_size,
        }
        return replace(self, **{key: value for key, value in own.items() if value})

    def host_name(self, pool: str) -> str:
        return f"{pool.lower()}.{self.domain}"


def render(
    pool: str,
    nodes: Iterable[str],
    site: Site | None = None,
    backups: Iterable[str] = (),
    passing: Passing = AS_USUAL,
) -> str:
    """The pool's file: the upstream, then the site's server if wanted.

    There must be a node: nginx rejects its whole configuration for an empty upstream, and for
    one of backups alone. With a site no failed request takes a node out of the pool: one that
    an app doesn't answer would else close the pool to everybody.
    """
    nodes, backups = list(nodes), list(backups)
    counts = " max_fails=0" if site else ""
    servers = "".join(f"  server {node}{counts};\n" for node in nodes)
    servers += "".join(f"  server {node}{counts} backup;\n" for node in backups)
    upstream = f"upstream {pool} {{\n{servers}}}\n"
    if site is None:
        return upstream
    server = _server(pool, site.passing_on(passing), len(nodes), has_backups=bool(backups))
    return _note(passing) + upstream + server


def _note(passing: Passing) -> str:
    """What is kept of it, for whoever changes the nodes alone."""
    words = [f"{key}={value}" for key, value in asdict(passing).items() if value]
    return f"# passing: {' '.join(words)}\n" if words else ""


def parse_passing(text: str) -> Passing:
    """How the requests of a pool file are passed on."""
    note = re.match(r"# passing: ([^\n]*)\n", text)
    values = dict(word.partition("=")[::2] for word in note[1].split()) if note else {}
    seconds = values.get("read_timeout", "")
    return Passing(
        read_timeout=int(seconds) if seconds.isdecimal() else None,
        body_size=values.get("body_size", ""),
        header_size=values.get("header_size", ""),
    )


def _server(pool: str, site: Site, nodes: int, *, has_backups: bool) -> str:
    body = f"  client_max_body_size {site.body_size};\n" if site.body_size else ""
    locations = "".join(_settling(pool) if has_backups else _locations(pool, nodes))
    return f"""\
server {{
  listen {site.listen};
  server_name {site.host_name(pool)};
  recursive_error_pages on;
{body}  proxy_http_version 1.1;
  proxy_connect_timeout {site.connect_timeout};
  proxy_read_timeout {site.read_timeout};
  proxy_send_timeout {site.read_timeout};
  proxy_buffering {site.buffering};
  proxy_buffer_size {site.header_size};
  proxy_buffers 8 {site.header_size};
  proxy_busy_buffers_size {site.header_size};
  proxy_set_header Host $http_host;
  proxy_set_header X-Real-IP $remote_addr;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header X-Forwarded-Host $http_host;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection $connection_upgrade;
{locations}}}
"""


def _settling(pool: str) -> Iterator[str]:
    """New nodes may die any moment: what they had begun and is safe to repeat is repeated."""
    yield f"  location / {{\n    proxy_next_upstream error;\n    proxy_pass http://{pool};\n  }}\n"


def _locations(pool: str, nodes: int) -> Iterator[str]:
    """A request goes to another node only if the one before got none of it.

    proxy_next_upstream can't say so: its `error` also repeats what a node got and did not
    answer. $upstream_bytes_sent can, and a named location per offer asks it.
    """
    offers = min(nodes - 1, _MOST_OFFERS)
    for offer in range(offers + 1):
        name = f"@offer{offer}" if offer else "/"
        was_sent = "    if ($upstream_bytes_sent ~ [1-9]) { return 502; }\n" if offer else ""
        further = f"    error_page 502 504 = @offer{offer + 1};\n" if offer < offers else ""
        yield (
            f"  location {name} {{\n{was_sent}{further}"
            f"    proxy_next_upstream off;\n    proxy_pass http://{pool};\n  }}\n"
        )


def parse(pool: str, text: str) -> list[str]:
    """The nodes in the pool's upstream block, sorted; [] without such a block."""
    return sorted(node for node, is_backup in _servers(pool, text) if not is_backup)


def parse_backups(pool: str, text: str) -> list[str]:
    """The backup nodes in the pool's upstream block, sorted."""
    return sorted(node for node, is_backup in _servers(pool, text) if is_backup)


def _servers(pool: str, text: str) -> Collection[tuple[str, bool]]:
    text = re.sub(r"#[^\n]*", "", text)
    block = re.search(rf"\bupstream\s+{re.escape(pool)}\s*\{{([^}}]*)\}}", text)
    if not block:
        return set()
    found = re.findall(r"\bserver\s+([^\s;]+)([^;]*);", block.group(1))
    return {(node, "backup" in parameters.split()) for node, parameters in found}
