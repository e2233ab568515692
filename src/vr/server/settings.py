"""Settings, from environment variables alone (12-factor); docs/settings.md lists them.

Nothing is read from the machine here and nothing connects: importing settings is free of
side effects.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import dj_database_url
import yaml

from vr import __version__

_env = os.environ.get


def _flag(name: str, default: str = "") -> bool:
    return (_env(name) or default).lower() in {"1", "true", "yes", "on"}


def _secret(name: str, unsafe_default: str) -> str:
    """The variable itself, or the content of the file that `<name>_FILE` names."""
    if path := _env(f"{name}_FILE"):
        return Path(path).read_text().strip()
    return _env(name) or unsafe_default


def _pairs(name: str) -> dict[str, str]:
    """`ruby=/opt/ruby/bin/ruby,node=nodejs` as a mapping."""
    pairs = (pair.partition("=") for pair in (_env(name) or "").split(",") if pair.strip())
    return {key.strip(): value.strip() for key, _, value in pairs}


VR_VERSION = __version__
VR_HOME = Path(_env("VR_HOME") or "/var/lib/velociraptor")
VR_SITE_TITLE = _env("VR_SITE_TITLE") or "Velociraptor"

DEBUG = _flag("VR_DEBUG")
# Without a key of its own an installation can't keep secrets; `vr up` makes one.
SECRET_KEY = _secret("VR_SECRET_KEY", "insecure-only-for-tests-and-tools")
ALLOWED_HOSTS = (_env("VR_ALLOWED_HOSTS") or "*").split(",")
CSRF_TRUSTED_ORIGINS = [o for o in (_env("VR_TRUSTED_ORIGINS") or "").split(",") if o]

DATABASES: dict[str, Any] = {
    "default": dj_database_url.parse(
        _env("VR_DATABASE_URL") or f"sqlite:///{VR_HOME}/velociraptor.sqlite3"
    )
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        # Writers queue at the begin of their transaction instead of failing in its middle.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }

REDIS_URL = _env("VR_REDIS_URL") or "redis://localhost:6379/0"
CELERY_BROKER_URL = _env("VR_BROKER_URL") or REDIS_URL.replace("unix://", "redis+socket://")

# Finished builds, images and logs; hosts that share the machine read them as files.
FILES_ROOT = Path(_env("VR_FILES") or VR_HOME / "files")
# Where a host fetches files from; empty means that hosts see FILES_ROOT itself.
FILES_BASE_URL = _env("VR_FILES_BASE_URL") or ""

# The largest droplet or build that may be uploaded.
UPLOAD_BYTES = int(_env("VR_UPLOAD_MB") or 1024) << 20
# What droplets' runtimes are called in the stacks' images, where that is not their name.
RUNTIMES = _pairs("VR_RUNTIMES")

# Who builds: the worker itself (local), or stagers that serve a queue on NATS (nats).
BUILDER = _env("VR_BUILDER") or "local"
NATS_URI = _secret("VR_NATS_URI", "nats://127.0.0.1:4222")
NATS_QUEUE = _env("VR_NATS_QUEUE") or "staging"
# Where stagers reach this server; and how long a build may wait and take.
FARM_URL = _env("VR_FARM_URL") or FILES_BASE_URL
FARM_SECONDS = int(_env("VR_FARM_SECONDS") or 3600)

VR_ROOT = Path(_env("VR_ROOT") or "/apps")
# The folder of vrun and vrun_precise on the local host.
TOOLS = Path(_env("VR_TOOLS") or Path(sys.executable).parent)
# Supervisor of a host: the local one by its socket, others by name.
LOCAL_HOST = _env("VR_LOCAL_HOST") or ""
SUPERVISOR_URL = _env("VR_SUPERVISOR_URL") or f"unix://{VR_HOME}/run/supervisor.sock"
# What procs are told of service discovery, for the pilot and for whoever else asks.
DISCOVERY = {
    name: address
    for name, address in (("CONSUL", _env("VR_CONSUL")), ("ETCD", _env("VR_ETCD")))
    if address
}
PORT_RANGE = _env("VR_PORT_RANGE") or "5000-5999"
# How long a new proc may take until it is ready, and old connections to a retired one to end.
START_SECONDS = float(_env("VR_START_SECONDS") or 60)
DRAIN_SECONDS = float(_env("VR_DRAIN_SECONDS") or 35)
# The most procs that a swarm may have.
LARGEST_SWARM = 1000


def _balancers() -> dict[str, dict[str, Any]]:
    path = _env("VR_BALANCERS_FILE")
    if not path:
        return {"default": {"BACKEND": "vr.balancer.dummy.DummyBalancer"}}
    loaded: dict[str, Any] = yaml.safe_load(Path(path).read_text()) or {}
    return dict(loaded.get("BALANCERS", loaded))


BALANCERS = _balancers()
# The balancer that forms offer first.
DEFAULT_BALANCER = _env("VR_DEFAULT_BALANCER") or next(iter(BALANCERS), "")

ROOT_URLCONF = "vr.server.urls"
ASGI_APPLICATION = "vr.server.asgi.application"
INSTALLED_APPS = [
    "vr.server",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "ninja",  # so that the API's documentation page is served from here, not from elsewhere
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "vr.server.web.security.ContentSecurityPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "vr.server.web.context.site",
            ]
        },
    }
]
STATIC_URL = "/static/"
STATIC_ROOT = Path(_env("VR_STATIC") or VR_HOME / "static")
WHITENOISE_USE_FINDERS = True
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"}
]
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
