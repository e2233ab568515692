"""What the Cloud Controller knew of each framework: its detection rules and usual runtime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vr.stager.app_folder import AppFolder
from vr.stager.detection import mismatches


@dataclass(frozen=True)
class Framework:
    """A framework's detection rules, and the runtime and executable it needs."""

    name: str
    runtime: str
    rules: Sequence[dict[str, str | bool]]


_SINATRA = "\\s*require[\\s\\(]*['\"]sinatra(/base)?['\"]"

# In the order of detection: what says more about an app comes first.
FRAMEWORKS = (
    Framework("rails", "ruby", [{"config/application.rb": True}, {"config/environment.rb": True}]),
    Framework("sinatra", "ruby", [{"*.rb": _SINATRA}, {"config/environment.rb": False}]),
    Framework("rack", "ruby", [{"config.ru": True}, {"config/environment.rb": False}]),
    Framework("django", "python3", [{"manage.py": "."}, {"*/wsgi.py": "."}]),
    Framework("wsgi", "python3", [{"wsgi.py": "."}]),
    Framework("node", "node", [{"*.js": "."}]),
    Framework("php", "php", [{"*.php": True}]),
    Framework("java_web", "java", [{"*.war": True}]),
    Framework("static", "nginx", [{"index.html": True}]),
    Framework("static", "nginx", [{"public/index.html": True}]),
    Framework("standalone", "", []),
    Framework("buildpack", "", []),
)


def named(name: str) -> Framework | None:
    """A framework whose rules the caller vouches for."""
    for framework in FRAMEWORKS:
        if framework.name == name:
            return framework
    return None


def detect(app: AppFolder) -> Framework | None:
    """The first framework whose rules hold; None if none does."""
    for framework in FRAMEWORKS:
        if framework.rules and not mismatches(app, framework.rules):
            return framework
    return None
