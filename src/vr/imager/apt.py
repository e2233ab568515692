"""This machine's apt configuration as the one of an image: pure text in, pure text out.

Both of apt's formats are read; the one-line format is written, because buildpacks look for
/etc/apt/sources.list (docs/reference/buildpack.md#stack-images).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_REMOTE = ("http://", "https://", "mirror+http://", "mirror+https://")
# Fields of the one format, options of the other.
_OPTIONS = {
    "architectures": "arch",
    "signed-by": "signed-by",
    "trusted": "trusted",
    "check-valid-until": "check-valid-until",
    "check-date": "check-date",
}
_KEPT_SETTINGS = re.compile(
    r"(Acquire::(Check-Valid-Until|Check-Date|Retries|ForceIPv4"
    r"|https?::(Proxy|Timeout|No-Cache|Verify-Peer|Verify-Host)(::[\w.-]+)?)) "
    r'"([^"]+)";'
)


@dataclass(frozen=True)
class AptSource:
    """One line of sources.list: options as written in it, sorted."""

    uri: str
    suite: str
    components: tuple[str, ...]
    options: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        options = " ".join(f"{name}={value}" for name, value in self.options)
        words = ["deb", *([f"[{options}]"] if options else []), self.uri, self.suite]
        return " ".join([*words, *self.components])

    @property
    def keyring(self) -> str | None:
        """The path of the keyring that signs it, if one is named."""
        return next((value for name, value in self.options if name == "signed-by"), None)


def parse_list(text: str) -> list[AptSource]:
    """The enabled binary sources of a `.list` file that an image can reach."""
    sources = []
    for line in text.splitlines():
        match = re.fullmatch(r"\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)(?:#.*)?", line)
        if not match or not match.group(2).startswith(_REMOTE):
            continue
        written, uri, suite, components = match.groups()
        options = dict(option.split("=", 1) for option in (written or "").split() if "=" in option)
        sources.append(_source(uri, suite, components.split(), options))
    return sources


def parse_deb822(text: str) -> list[AptSource]:
    """The enabled binary sources of a `.sources` file that an image can reach."""
    sources = []
    for stanza in re.split(r"\n[ \t]*\n", text):
        fields = _fields(stanza)
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "") == "no":
            continue
        # A key written into the file itself has no place in the one-line format.
        if "-----BEGIN" in fields.get("signed-by", ""):
            continue
        options = {_OPTIONS[name]: value for name, value in fields.items() if name in _OPTIONS}
        sources += [
            _source(uri, suite, fields.get("components", "").split(), options)
            for uri in fields.get("uris", "").split()
            if uri.startswith(_REMOTE)
            for suite in fields.get("suites", "").split()
        ]
    return sources


def sources_list(sources: Iterable[AptSource]) -> str:
    """The text of a sources.list, without repetitions, in the order given."""
    return "".join(f"{line}\n" for line in dict.fromkeys(str(source) for source in sources))


def settings(dump: str) -> str:
    """Of what `apt-config dump` prints: how to get at packages, as an apt.conf."""
    found = (_KEPT_SETTINGS.fullmatch(line.strip()) for line in dump.splitlines())
    return "".join(f"{match.group(0)}\n" for match in found if match)


def _source(uri: str, suite: str, components: Iterable[str], options: dict[str, str]) -> AptSource:
    joined = {name: ",".join(value.replace(",", " ").split()) for name, value in options.items()}
    return AptSource(uri, suite, tuple(components), tuple(sorted(joined.items())))


def _fields(stanza: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if line[:1] in {" ", "\t"} and name:
            fields[name] += "\n" + line.strip()
        elif ":" in line:
            key, _, value = line.partition(":")
            name = key.strip().lower()
            fields[name] = value.strip()
    return fields
