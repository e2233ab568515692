"""The host's pip configuration, as the environment variables that pip reads instead."""

from __future__ import annotations

import configparser
from collections.abc import Iterable
from pathlib import Path

_KEYS = {
    "index-url": "PIP_INDEX_URL",
    "extra-index-url": "PIP_EXTRA_INDEX_URL",
    "find-links": "PIP_FIND_LINKS",
    "trusted-host": "PIP_TRUSTED_HOST",
    "proxy": "PIP_PROXY",
    "cert": "PIP_CERT",
}
_SECTIONS = ("global", "install")


def read_host_settings() -> dict[str, str]:
    """What this machine's pip is configured to use; unreadable files count as absent."""
    home = Path.home()
    places = [
        Path("/etc/pip.conf"),
        Path("/etc/xdg/pip/pip.conf"),
        home / ".pip/pip.conf",
        home / ".config/pip/pip.conf",
    ]
    return settings(_read(place) for place in places)


def settings(texts: Iterable[str]) -> dict[str, str]:
    """The variables that say the same as these files; a later file wins over an earlier one."""
    found: dict[str, str] = {}
    for text in texts:
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read_string(text)
        except configparser.Error:
            continue  # pip itself will tell, to whom it concerns
        for section in _SECTIONS:
            for key, value in parser.items(section) if parser.has_section(section) else ():
                if name := _KEYS.get(key.replace("_", "-")):
                    found[name] = " ".join(value.split())
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
