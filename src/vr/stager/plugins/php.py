"""php, served by its own web server: one process per request at a time, several of them."""

from __future__ import annotations

from vr.stager.plugins.contract import Staging
from vr.stager.scripts import RUNTIME, Startup


def stage(staging: Staging) -> Startup:
    """The pages are in `public/`, `web/` or the app's root, whichever has an index.php."""
    if staging.app.exists("composer.json"):
        staging.install("composer", "install", "--no-dev", "--no-interaction", "--no-progress")
    root = next(
        (name for name in ("public", "web") if staging.app.exists(f"{name}/index.php")), "."
    )
    return Startup(
        f"{RUNTIME} -d memory_limit={staging.memory}M -d display_errors=0 -d log_errors=1"
        f" -S 0.0.0.0:$VCAP_APP_PORT -t {root}",
        {"PHP_CLI_SERVER_WORKERS": "${PHP_CLI_SERVER_WORKERS:-4}"},
        has_children=True,
    )
