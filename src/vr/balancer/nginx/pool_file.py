"""nginx's pool files: text from nodes, nodes from text. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Site:
    """Makes a pool reachable at once as `<pool>.<domain>`, for an nginx of our own.

    `listen` is nginx's: `8080` or `127.0.0.1:8080`. The http block must map
    `$connection_upgrade` from `$http_upgrade`, as nginx's page on WebSocket proxying shows.
    """

    listen: str
    domain: str

    def address(self, pool: str) -> str:
        """The URL of a pool."""
        port = self.listen.rpartition(":")[2].split()[0]
        return f"http://{self.host_name(pool)}{'' if port == '80' else f':{port}'}/"

    def host_name(self, pool: str) -> str:
        return f"{pool.lower()}.{self.domain}"


def render(pool: str, nodes: Iterable[str], site: Site | None = None) -> str:
    """The pool's file: the upstream, then the site's server if wanted.

    There must be a node: nginx rejects its whole configuration for an empty upstream.
    """
    servers = "".join(f"  server {node};\n" for node in nodes)
    upstream = f"upstream {pool} {{\n{servers}}}\n"
    return upstream + (_server(pool, site) if site else "")


def _server(pool: str, site: Site) -> str:
    return f"""\
server {{
  listen {site.listen};
  server_name {site.host_name(pool)};
  location / {{
    proxy_pass http://{pool};
    proxy_http_version 1.1;
    proxy_connect_timeout 5s;
    proxy_set_header Host $http_host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
  }}
}}
"""


def parse(pool: str, text: str) -> list[str]:
    """The nodes in the pool's upstream block, sorted; [] without such a block."""
    text = re.sub(r"#[^\n]*", "", text)
    block = re.search(rf"\bupstream\s+{re.escape(pool)}\s*\{{([^}}]*)\}}", text)
    if not block:
        return []
    return sorted(set(re.findall(r"\bserver\s+([^\s;]+)[^;]*;", block.group(1))))
