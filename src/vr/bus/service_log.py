"""The log of a service, in Cloud Foundry's form and with its levels (docs/reference/staging.md).

[2012-11-13 17:08:57.317744] vcap.stager.server INFO -- Subscribed to staging
"""

from __future__ import annotations

import logging
import logging.handlers
import sys
from datetime import datetime
from pathlib import Path

import msgspec

from vr.errors import VelociraptorError

_SYSLOG = "/dev/log"
LEVELS = {
    "debug2": logging.DEBUG,
    "debug1": logging.DEBUG,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
    "off": logging.CRITICAL + 1,
}


class LogSettings(msgspec.Struct, frozen=True):
    """The map `logging` of a service's configuration."""

    level: str = "info"
    file: str | None = None
    syslog: str | None = None


def level_problem(level: str) -> str | None:
    """What is wrong with a `logging.level`; None if nothing is."""
    return None if level in LEVELS else f"{level!r} is none of {', '.join(LEVELS)}"


def start_logging(settings: LogSettings) -> None:
    """Send the log to the file of the settings, or to standard output; also to syslog if named.

    Raises VelociraptorError for a file that can't be written, and a machine without syslog.
    """
    try:
        handlers = _handlers(settings)
    except OSError as error:
        raise VelociraptorError(
            f"The log can't be written to {error.filename or _SYSLOG}: {error.strerror}.",
            hint="Correct logging.file or logging.syslog.",
        ) from None
    for each in handlers:
        each.setFormatter(_Form())
    logging.basicConfig(level=logging.WARNING, handlers=handlers, force=True)
    logging.getLogger("vcap").setLevel(LEVELS[settings.level])


def _handlers(settings: LogSettings) -> list[logging.Handler]:
    made: list[logging.Handler] = [
        logging.FileHandler(Path(settings.file))
        if settings.file
        else logging.StreamHandler(sys.stdout)
    ]
    if settings.syslog:
        syslog = logging.handlers.SysLogHandler(_SYSLOG)
        syslog.ident = f"{settings.syslog}: "
        made.append(syslog)
    return made


class _Form(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created)
        level = {"WARNING": "WARN", "CRITICAL": "FATAL"}.get(record.levelname, record.levelname)
        text = f"[{moment:%Y-%m-%d %H:%M:%S.%f}] {record.name} {level} -- {record.getMessage()}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text
