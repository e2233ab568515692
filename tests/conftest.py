"""Every test runs in a home of its own, never in the machine's Velociraptor.

pytest-django reads the settings before any conftest is loaded, so they are read again here, from
an environment that points into a temporary folder. Nothing connects: tests of other rooms need
neither a database nor Redis.
"""

from __future__ import annotations

import importlib
import os
import shutil
import tempfile
from pathlib import Path

import hypothesis
from django.conf import settings
from django.db import connections

import vr.server.settings

HOME = Path(tempfile.mkdtemp(prefix="vr-test-"))


def _own_environment() -> None:
    for name in [name for name in os.environ if name.startswith("VR_")]:
        del os.environ[name]
    os.environ |= {
        "VR_HOME": str(HOME / "home"),
        "VR_ROOT": str(HOME / "apps"),
        "VR_SECRET_KEY": "only-for-tests",
        "VR_LOCAL_HOST": "testhost",
        # Nobody listens there: a test that needs Redis starts one of its own.
        "VR_REDIS_URL": f"unix://{HOME}/no-redis.sock",
    }


def _read_settings_again() -> None:
    module = importlib.reload(vr.server.settings)
    for name in dir(module):
        if name.isupper():
            setattr(settings, name, getattr(module, name))
    # In a file, as SQLite's memory database can't be shared by threads that write.
    connections.settings["default"]["TEST"]["NAME"] = str(HOME / "test.sqlite3")
    # The real ones take half a second a password, on purpose.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def _no_hurry() -> None:
    """Examples of a busy machine last as long as they last, in whatever profile is loaded."""
    hypothesis.settings.register_profile(
        "no hurry",
        parent=hypothesis.settings.default,
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
    hypothesis.settings.load_profile("no hurry")


_no_hurry()
_own_environment()
# WhiteNoise warns at every start about a folder that is not there.
(HOME / "home" / "static").mkdir(parents=True)
_read_settings_again()


def pytest_unconfigure() -> None:
    shutil.rmtree(HOME, ignore_errors=True)
