"""Where the server is, and the token to use it with."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vr.errors import VelociraptorError
from vr.paths import DEFAULT_HOME


@dataclass(frozen=True)
class Access:
    """Base URL without trailing slash, and a bearer token that never prints itself."""

    url: str
    token: str = field(repr=False)

    @classmethod
    def find(cls, env: Mapping[str, str] | None = None) -> Access:
        """VR_URL and VR_TOKEN, each else from `VR_HOME/cli.json`, which `vr up` writes.

        Raises VelociraptorError saying how to get one, if there is none.
        """
        env = os.environ if env is None else env
        url, token = env.get("VR_URL", ""), env.get("VR_TOKEN", "")
        if not (url and token):
            path = Path(env.get("VR_HOME") or DEFAULT_HOME) / "cli.json"
            written = _read(path)
            # A token belongs to the server that it was written for, and goes to no other.
            if url and not token and url.rstrip("/") != written.get("url", "").rstrip("/"):
                raise VelociraptorError(
                    f"There is no token for {url}: VR_TOKEN is not set.",
                    hint="Make one in the web UI's admin pages, then set VR_TOKEN.",
                )
            url = url or written.get("url", "")
            token = token or written.get("token", "")
        if not url.startswith(("http://", "https://")):
            raise VelociraptorError(
                f"VR_URL is {url!r}, but an address that begins with http:// or https:// is needed."
            )
        return cls(url.rstrip("/"), token)


def _read(path: Path) -> dict[str, str]:
    try:
        data = json.loads(path.read_text())
    except FileNotFoundError:
        raise VelociraptorError(
            f"No Velociraptor is known here: VR_URL and VR_TOKEN are not set, and {path} "
            "does not exist.",
            hint="Start one on this machine with: vr up",
        ) from None
    except PermissionError:
        raise VelociraptorError(
            f"{path} may not be read by you, as it holds a token.",
            hint="Run vr as the user that ran vr up (root), or set VR_URL and VR_TOKEN.",
        ) from None
    except (OSError, ValueError) as error:
        raise VelociraptorError(
            f"{path} can't be read: {error}", hint="`vr up` writes it anew."
        ) from None
    if not isinstance(data, dict):
        raise VelociraptorError(f"{path} holds no JSON object.", hint="`vr up` writes it anew.")
    return {key: str(data.get(key, "")) for key in ("url", "token")}
