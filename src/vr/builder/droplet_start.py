"""The scripts by which a proc starts a droplet. Pure.

A DEA replaces the runtime's token, gives variables (docs/reference/dea.md#environment), and runs
`./startup -p PORT` in the droplet's root; a proc has only a command.
"""

from __future__ import annotations

import json
import re
import shlex
from string import Template

TOKEN = "%VCAP_LOCAL_RUNTIME%"
START_SCRIPT = "start_droplet"
START = f"exec ./{START_SCRIPT}"
"""The command of the proc `web`, run in /app: the droplet's root."""

# Into files that nobody reads and that grow for ever; the proc's own log is rotated and shown.
# The script is somebody else's: nothing of the pattern tracks back.
_INTO_FILES = re.compile(
    r"(?<!\s)\s++>\s*+(?:(?:\.\./)++|\$DROPLET_BASE_DIR/)logs/stdout\.log"
    r"\s++2>\s*+(?:(?:\.\./)++|\$DROPLET_BASE_DIR/)logs/stderr\.log(?=\s*+&)"
)

_SCRIPT = Template("""\
#!/bin/bash
# Written by Velociraptor: starts the droplet as a DEA does.
${check}export VCAP_APP_HOST=0.0.0.0 VCAP_APP_PORT="$${PORT-}"
[ -n "$${VCAP_SERVICES-}" ] || export VCAP_SERVICES='{}'
export VMC_APP_HOST="$$VCAP_APP_HOST" VMC_APP_PORT="$$VCAP_APP_PORT" VMC_SERVICES="$$VCAP_SERVICES"

# What is known of the app came with the release; what is known of this instance is added.
instance() {
    local id now
    read -r id </proc/sys/kernel/random/uuid
    now=$$(date +%s)
    printf '"instance_id": "%s", "instance_index": 0, "host": "0.0.0.0", ' "$${id//-/}"
    printf '"port": %s, "start": %s, ' "$${PORT:-null}" "$$now"
    printf '"started_at_timestamp": %s, "state_timestamp": %s' "$$now" "$$now"
}
case $${VCAP_APPLICATION-} in
'{"'*'}') VCAP_APPLICATION="$${VCAP_APPLICATION%?}, $$(instance)}" ;;
*) VCAP_APPLICATION="{$$(instance)}" ;;
esac
export VCAP_APPLICATION

rm -f run.pid
exec ./startup $${PORT:+-p "$$PORT"}
""")

_CHECK = Template("""\
if ! command -v -- $executable >/dev/null; then
    echo "error: this droplet needs the runtime $runtime, and its app's stack has" \\
        "no $shown in its image" >&2
    echo "hint: Give the app a stack whose image has it, or name its path in VR_RUNTIMES and" \\
        "upload the droplet again." >&2
    exit 127
fi
""")


def needs_runtime(startup: str) -> bool:
    return TOKEN in startup


def started_by(startup: str, executable: str) -> str:
    """The droplet's `startup` with the runtime's executable, and its output on the proc's own."""
    return _INTO_FILES.sub("", startup.replace(TOKEN, shlex.quote(executable)))


def start_script(runtime: str, executable: str) -> str:
    """The script that a proc runs in the droplet's root.

    Without the executable in the image it says so and ends with status 127.
    """
    check = ""
    if runtime:
        check = _CHECK.substitute(
            executable=shlex.quote(executable), runtime=runtime, shown=_shown(executable)
        )
    return _SCRIPT.substitute(check=check)


def _shown(executable: str) -> str:
    """For the inside of double quotes."""
    return re.sub(r'["\\$`]', "", executable)


def environment(app: str, tag: str, runtime: str) -> dict[str, str]:
    """The variables that a release of the droplet brings: VCAP_APPLICATION, as far as it is the
    same for all instances (`start_droplet` adds the rest)."""
    names: dict[str, object] = {"name": app, "version": tag, "uris": []}
    facts = {
        **names,
        **{f"application_{key}": value for key, value in names.items()},
        "users": [],
        "runtime": runtime or None,
    }
    return {"VCAP_APPLICATION": json.dumps(facts)}
