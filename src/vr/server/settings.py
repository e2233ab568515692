"""Django's settings, from environment variables alone (12-factor); docs/settings.md lists them.

What each variable is stands in vr.settings.table. A wrong environment ends the process here,
with sentences: every process of the server reads this module first. Nothing is asked of the
machine but the files that variables name, and nothing connects.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from vr import __version__
from vr.server.logs import json_logging
from vr.settings.reading import settings_or_exit
from vr.settings.s3 import S3Address
from vr.settings.tls import rabbitmq_tls, redis_address

_given = settings_or_exit(os.environ)

VR_VERSION = __version__
VR_HOME = _given.home
VR_SITE_TITLE = _given.site_title

DEBUG = _given.debug
# Without a key of its own an installation can't keep secrets; `vr up` makes one.
SECRET_KEY = _given.secret_key
# Django's signatures and our encrypted fields can be read with these, too.
SECRET_KEY_FALLBACKS = list(_given.secret_key_fallbacks)
ALLOWED_HOSTS = list(_given.allowed_hosts)
CSRF_TRUSTED_ORIGINS = list(_given.trusted_origins)
_origins = [urlsplit(origin) for origin in CSRF_TRUSTED_ORIGINS]
# Host names that are the pages' own, as far as anybody told: no app may answer by them.
UI_HOST_NAMES = frozenset(
    {name.lower() for name in ALLOWED_HOSTS if not name.startswith(("*", "."))}
    | {origin.hostname for origin in _origins if origin.hostname}
)

DATABASES: dict[str, Any] = {"default": _given.database}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        # Writers queue at the begin of their transaction instead of failing in its middle.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    # A server that is away must not keep pages waiting.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)

TLS_AUTHORITY = _given.tls_authority
REDIS_URL = redis_address(_given.redis_url, TLS_AUTHORITY)
# What the publishers of other hosts report to; there the authority lies elsewhere.
HOSTS_REDIS_URL = _given.hosts_redis_url
CELERY_BROKER_URL = redis_address(_given.broker_url, TLS_AUTHORITY).replace(
    "unix://", "redis+socket://"
)
CELERY_BROKER_USE_SSL = rabbitmq_tls(_given.broker_url, TLS_AUTHORITY)
# For workers that are started without this option.
CELERY_WORKER_POOL = "threads"

# Finished builds, images and logs; hosts that share the machine read them as files.
FILES_ROOT = _given.files
# The bucket that they lie in instead; FILES_ROOT then is this machine's for work in hand.
S3 = S3Address(
    bucket=_given.s3_bucket,
    endpoint=_given.s3_endpoint,
    region=_given.s3_region,
    access_key=_given.s3_access_key,
    secret_key=_given.s3_secret_key,
)
# Where a host fetches files from; empty means that hosts see FILES_ROOT itself.
FILES_BASE_URL = _given.files_base_url
# The internal address at which an nginx in front of this server has FILES_ROOT; empty: none is.
ACCEL_PREFIX = _given.accel_prefix

# The largest droplet or build that may be uploaded.
UPLOAD_BYTES = _given.upload_mb << 20
# The largest request of another kind.
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 << 20
# The most procs that a swarm may have.
LARGEST_SWARM = _given.largest_swarm
# What droplets' runtimes are called in the stacks' images, where that is not their name.
RUNTIMES = _given.runtimes

# Who builds: the worker itself (local), or stagers that serve a queue on NATS (nats).
BUILDER = _given.builder
NATS_URI = _given.nats_uri or "nats://127.0.0.1:4222"
NATS_QUEUE = _given.nats_queue
# Where stagers reach this server; and how long a build may wait and take.
FARM_URL = _given.farm_url or _given.files_base_url
FARM_SECONDS = _given.farm_seconds

VR_ROOT = _given.root
# The folder of vrun and vrun_precise on the local host.
TOOLS = _given.tools
# Supervisor of a host: the local one by its socket, others by name.
LOCAL_HOST = _given.local_host
SUPERVISOR_URL = _given.supervisor_url
# What procs are told of service discovery, for the pilot and for whoever else asks.
DISCOVERY = {
    name: address for name, address in (("CONSUL", _given.consul), ("ETCD", _given.etcd)) if address
}
# The ports that procs may get.
PORT_RANGE = _given.ports
# What bounds procs whose swarms set no limits.
DEFAULT_LIMITS = _given.default_limits
# What those may write that have no limit of that, and what must be free on hosts for new ones.
PROC_DISK = _given.proc_disk
FREE_DISK = _given.free_disk
# The service accounts that apps may run as.
RUN_AS = _given.run_as
# Where the volumes of those who are no admins may lie on hosts.
VOLUME_ROOTS = _given.volume_roots
# The user ids that apps get on hosts.
HOST_UIDS = _given.host_uids
# How long a new proc may take until it is ready, and old connections to a retired one to end.
START_SECONDS = _given.start_seconds
SETTLE_SECONDS = _given.settle_seconds
# Who may read /metrics: token, loopback or off.
METRICS_ACCESS = _given.metrics_access
# Where traces of dispatches go; empty: nowhere.
OTLP_ENDPOINT = _given.otlp_endpoint
OTLP_HEADERS = _given.otlp_headers
# Where notices may go beside the internet.
NOTICE_NETWORKS = _given.notice_networks
# How often procs are uptested between dispatches; 0: never.
UPTEST_SECONDS = _given.uptest_seconds
DRAIN_SECONDS = _given.drain_seconds
# How long a version may wait to be routed, and some of its procs are tried beside the old ones.
HOLD_SECONDS = _given.hold_seconds
CANARY_SECONDS = _given.canary_seconds

# How much is kept of a proc's log.
LOG_MB = _given.log_mb
LOG_BACKUPS = _given.log_backups

BALANCERS = _given.balancers
# The balancer that forms offer first.
DEFAULT_BALANCER = _given.default_balancer

if _given.log_format == "json":
    # Ours alone: Django's own handlers would write lines for people beside it.
    LOGGING_CONFIG = "logging.config.dictConfig"
    LOGGING = json_logging()
LOG_FORMAT = _given.log_format

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
    "vr.server.refusals.JsonRefusals",
    "django.middleware.security.SecurityMiddleware",
    "vr.server.outages.Outages",
    "vr.server.web.security.ContentSecurityPolicy",
    "vr.server.web.static_files.StaticFiles",
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
STATIC_ROOT = _given.static
WHITENOISE_USE_FINDERS = True
# Not in a cookie: that would be one more for others to see.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
# Cookies know host names, not ports: other programs on ours see them, and may set those that are
# called as theirs. Apps on names beside ours may set any for the domain above, but none that
# begins with __Host-, which browsers only take over TLS.
_has_tls = bool(_origins) and all(origin.scheme == "https" for origin in _origins)
_prefix = "__Host-" if _has_tls else ""
SESSION_COOKIE_NAME = f"{_prefix}vr_session"
SESSION_COOKIE_SECURE = _has_tls
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = f"{_prefix}vr_csrf"
CSRF_COOKIE_SECURE = _has_tls
CSRF_COOKIE_SAMESITE = "Lax"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"}
]
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
