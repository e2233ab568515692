"""wsgi and django: packages are installed while staging, into a virtual environment that is part
of the droplet; gunicorn serves."""

from __future__ import annotations

from vr.stager.plugins.contract import INSIDE, Staging, StagingFailed
from vr.stager.scripts import Startup

_GUNICORN = "../python/bin/gunicorn -c ../gunicorn.config"
_CONFIG = """\
import os

bind = "0.0.0.0:" + os.environ["VCAP_APP_PORT"]
workers = 2
worker_tmp_dir = "/dev/shm"
"""


def stage_wsgi(staging: Staging) -> Startup:
    """The app is `application` in wsgi.py."""
    if not staging.app.exists("wsgi.py"):
        raise StagingFailed(
            "Unable to determine WSGI startup command",
            hint="Add a wsgi.py that defines `application`.",
        )
    _install(staging, "gunicorn")
    return Startup(f"{_GUNICORN} wsgi:application", _exports())


def stage_django(staging: Staging) -> Startup:
    """Migrations run at each start, before the server."""
    modules = staging.app.glob("*/wsgi.py")
    if not staging.app.exists("manage.py") or not modules:
        raise StagingFailed(
            "Unable to determine Django startup command",
            hint="The app's root needs manage.py, and a project folder with wsgi.py.",
        )
    packages = ["gunicorn"]
    if not staging.app.exists("requirements.txt"):
        packages.append("django")
    _install(staging, *packages)
    module = modules[0].removesuffix(".py").replace("/", ".")
    migrate = (
        "(cd app; ../python/bin/python manage.py migrate --noinput >> ../logs/startup.log 2>&1)"
    )
    return Startup(f"{_GUNICORN} {module}:application", _exports(), (migrate,))


def _install(staging: Staging, *packages: str) -> None:
    staging.folder("python")
    # The system's pip: a copy of its own in each droplet would take seconds and 10 MB.
    staging.install("python3", "-m", "venv", "--without-pip", f"{INSIDE}/python")
    pip = ["python3", "-m", "pip", "--python", f"{INSIDE}/python/bin/python3"]
    argv = [*pip, "install", "--no-input", *packages]
    if staging.app.exists("requirements.txt"):
        argv += ["-r", "requirements.txt"]
    quiet = {"PIP_PROGRESS_BAR": "off", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    staging.install(*argv, env=quiet)
    staging.write("gunicorn.config", _CONFIG)


def _exports() -> dict[str, str | None]:
    return {"PYTHONUNBUFFERED": "true", "PATH": "$PWD/python/bin:$PATH"}
