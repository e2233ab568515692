"""What of the host's environment git and hg get: what they need to reach a repository.

A worker's own has the server's keys in it, which are nobody else's.
"""

from __future__ import annotations

from collections.abc import Mapping

from vr.machine.path import path_with_system

_NAMES = {
    "CURL_CA_BUNDLE", "HGRCPATH", "HOME", "LANG", "LOGNAME", "PATH", "REQUESTS_CA_BUNDLE",
    "SSH_ASKPASS", "SSH_AUTH_SOCK", "SSL_CERT_DIR", "SSL_CERT_FILE", "TMPDIR", "USER",
    "XDG_CONFIG_HOME",
}  # fmt: skip
_PROXIES = {"ALL_PROXY", "FTP_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"}
# Set by git hooks, from which `vbuild` may well be called: they point at another repository.
_ELSEWHERE = {
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_DIR", "GIT_INDEX_FILE",
    "GIT_NAMESPACE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_WORK_TREE",
}  # fmt: skip


def host_environment(host: Mapping[str, str]) -> dict[str, str]:
    """Those of the variables `host` that say how to reach repositories, and a whole PATH."""
    passed = {name: value for name, value in host.items() if _passes(name)}
    return {**passed, "PATH": path_with_system(host)}


def _passes(name: str) -> bool:
    if name.startswith("GIT_"):
        return name not in _ELSEWHERE
    return name in _NAMES or name.upper() in _PROXIES
