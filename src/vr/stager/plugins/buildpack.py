"""buildpack: whatever a Heroku buildpack can build."""

from __future__ import annotations

import shlex

from vr.stager.plugins.contract import Staging, StagingFailed
from vr.stager.scripts import Startup

# Anything else would be read from the stager's own disk, on behalf of whoever asks.
_REMOTE = ("https://", "http://", "git://", "ssh://", "git@", "bundled:")


def stage(staging: Staging) -> Startup:
    """The command is `meta.command`, or the process type `web` of Procfile or buildpack."""
    reference = staging.properties.buildpack
    if reference and not (
        reference.startswith(_REMOTE) or staging.settings.get("local_buildpacks")
    ):
        raise StagingFailed(
            f"The buildpack {reference!r} is none of https, http, git, ssh or bundled:NAME.",
            hint="Folders of the stager's host need plugins.buildpack.local_buildpacks: true.",
        )
    name, commands = staging.commands.run_buildpack(reference)
    staging.log(f"Built with {name}")
    given = staging.properties.meta.get("command")
    command = given if isinstance(given, str) and given.strip() else commands.get("web")
    if not command:
        raise StagingFailed(
            "Unable to determine the startup command",
            hint="Give it as properties.meta.command, or as web in a Procfile.",
        )
    # .profile.d belongs to the buildpack: it puts what was installed into PATH.
    profile = 'for s in .profile.d/*.sh; do [ ! -r "$s" ] || . "$s"; done'
    script = f"{profile}; exec bash -c {shlex.quote(command)}"
    return Startup(f"bash -c {shlex.quote(script)}", {"HOME": "$PWD/app"})
