"""The environment of detect, compile and release (docs/reference/buildpack.md#environment).

Pure: the host's environment comes in as a mapping.
"""

from __future__ import annotations

import fnmatch
import re
import uuid
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from vr.machine.path import SYSTEM_PATH
from vr.specs.build import BuildSpec

CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
"""Where the host's CA certificates are in the container."""

# Zip files, hence wheels, can't hold an earlier time than 1980.
_SOURCE_DATE_EPOCH = "315532800"

_CERTIFICATES = (
    "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS", "NPM_CONFIG_CAFILE", "PIP_CERT",
    "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE",
)  # fmt: skip
_ADDRESSES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "NPM_CONFIG_REGISTRY")
DEFAULT_PASSED = (
    *_CERTIFICATES, *_ADDRESSES,
    "PIP_TRUSTED_HOST", "PIP_DEFAULT_TIMEOUT", "PIP_RETRIES", "PIP_PROXY",
    "NPM_CONFIG_PROXY", "NPM_CONFIG_HTTPS_PROXY", "NPM_CONFIG_NOPROXY", "NPM_CONFIG_STRICT_SSL",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
)  # fmt: skip


def script_environment(
    spec: BuildSpec, revision: str, passed: Mapping[str, str], *, debug: bool = False
) -> dict[str, str]:
    """The whole environment: fixed parts, what the host passes, nothing else.

    The same commit gets the same REQUEST_ID: an app that stamps it into its files is still built
    the same way twice.
    """
    request = uuid.uuid5(uuid.NAMESPACE_URL, f"{spec.app_repo_url}#{revision}")
    env = {
        **certificate_variables(),
        "CURL_CONNECT_TIMEOUT": "30",
        "CURL_TIMEOUT": "180",
        "SOURCE_DATE_EPOCH": _SOURCE_DATE_EPOCH,
        **passed,
        "BUILDPACK_LOG_FILE": "/dev/null",
        "HOME": "/app",
        "LANG": "C.UTF-8",
        "PATH": SYSTEM_PATH,
        "REQUEST_ID": str(request),
        "SOURCE_VERSION": revision,
        "STACK": spec.heroku_stack,
    }
    return env | ({"BUILDPACK_XTRACE": "1"} if debug else {})


def certificate_variables() -> dict[str, str]:
    """What makes the usual tools trust the host's CA certificates, in a container."""
    return dict.fromkeys(_CERTIFICATES, CA_BUNDLE)


def passed_patterns(setting: str) -> tuple[str, ...]:
    """The names that pass: the usual ones and those of VR_BUILD_PASS_ENV.

    That lists names by comma or blank, with `*` for any characters; `-NAME` keeps one out.
    """
    return (*DEFAULT_PASSED, *filter(None, re.split(r"[,\s]+", setting)))


def passed_through(host: Mapping[str, str], patterns: tuple[str, ...]) -> dict[str, str]:
    """Those of the host's variables that builds get; names match in upper and lower case.

    Package indexes on the host's own disk are left out, because the container does not see it.
    """
    wanted = [pattern for pattern in patterns if not pattern.startswith("-")]
    unwanted = [pattern[1:] for pattern in patterns if pattern.startswith("-")]
    chosen = {}
    for name, value in sorted(host.items()):
        if not _matches(name, wanted) or _matches(name, unwanted):
            continue
        if name.upper() in _ADDRESSES:
            value = _remote_only(value)
        if value and re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
            chosen[name] = value
    return chosen


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name.upper(), pattern.upper()) for pattern in patterns)


def certificate_files(passed: Mapping[str, str]) -> set[str]:
    """The host's own CA files that `passed` names, which have to be mounted where they are."""
    named = {value for name, value in passed.items() if name.upper() in _CERTIFICATES}
    return {path for path in named if PurePosixPath(path).is_absolute() and path != CA_BUNDLE}


def _remote_only(value: str) -> str:
    return " ".join(word for word in value.split() if word.startswith(("http://", "https://")))
