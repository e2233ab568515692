"""The pilot's log lines, in three formats and six levels (docs/reference/pilot.md#logging)."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from vr.pilot.config import LogSettings

LEVELS = ("panic", "fatal", "error", "warning", "info", "debug")
FORMATS = ("default", "text", "json")
OUTPUTS = {"stdout": 1, "stderr": 2}
_SHORT = {"warning": "WARN"}
_COLOURS = {"panic": 31, "fatal": 31, "error": 31, "warning": 33, "info": 34, "debug": 37}


class Log:
    """Writes lines straight to a descriptor.

    Nothing about logging ever stops the application: a closed or broken output is ignored.
    """

    def __init__(self) -> None:
        self._format = "default"
        self._level = LEVELS.index("info")
        self._output = 1
        self._started = time.time()

    def configure(self, settings: LogSettings) -> None:
        self._format = settings.format
        self._level = LEVELS.index(settings.level)
        self._output = OUTPUTS[settings.output]

    @property
    def debugging(self) -> bool:
        return self._level >= LEVELS.index("debug")

    def debug(self, message: str, **fields: object) -> None:
        self._write("debug", message, fields)

    def info(self, message: str, **fields: object) -> None:
        self._write("info", message, fields)

    def warning(self, message: str, **fields: object) -> None:
        self._write("warning", message, fields)

    def error(self, message: str, **fields: object) -> None:
        self._write("error", message, fields)

    def _write(self, level: str, message: str, fields: Mapping[str, object]) -> None:
        if LEVELS.index(level) > self._level:
            return
        now = time.time()
        if self._format == "json":
            line = json_line(now, level, message, fields)
        elif self._format == "text" and os.isatty(self._output):
            line = coloured_line(now - self._started, level, message, fields)
        elif self._format == "text":
            line = text_line(now, level, message, fields)
        else:
            line = default_line(now, message, fields)
        write_line(self._output, line)


def write_line(output: int, line: str) -> None:
    """One line to a descriptor, whatever its characters and whoever has closed it."""
    data = (line + "\n").encode("utf-8", "backslashreplace")
    try:
        while data:
            data = data[os.write(output, data) :]
    except OSError:
        pass


def default_line(now: float, message: str, fields: Mapping[str, object]) -> str:
    """`2015/03/26 01:27:38 message`; `now` is unix time, shown as local time."""
    stamp = time.strftime("%Y/%m/%d %H:%M:%S", time.localtime(now))
    return f"{stamp} {message}{_pairs(fields)}"


def text_line(now: float, level: str, message: str, fields: Mapping[str, object]) -> str:
    """logrus' TextFormatter without a terminal."""
    return f'time="{rfc3339(now)}" level={level} msg={_quoted(message)}{_pairs(fields)}'


def coloured_line(elapsed: float, level: str, message: str, fields: Mapping[str, object]) -> str:
    """logrus' TextFormatter on a terminal; `elapsed` is seconds since the start."""
    colour = _COLOURS[level]
    label = _SHORT.get(level, level.upper()[:4])
    pairs = "".join(
        f" \x1b[{colour}m{name}\x1b[0m={value}" for name, value in sorted(fields.items())
    )
    return f"\x1b[{colour}m{label}\x1b[0m[{int(elapsed):04d}] {message:<44}{pairs}"


def json_line(now: float, level: str, message: str, fields: Mapping[str, object]) -> str:
    """logrus' JSONFormatter: keys in alphabetical order."""
    import json

    entry = {**fields, "level": level, "msg": message, "time": rfc3339(now)}
    return json.dumps(entry, sort_keys=True, default=str)


def rfc3339(now: float) -> str:
    """Local time with its offset, `Z` for UTC."""
    local = time.localtime(now)
    offset = time.strftime("%z", local)
    zone = "Z" if offset in ("+0000", "") else f"{offset[:3]}:{offset[3:]}"
    return time.strftime("%Y-%m-%dT%H:%M:%S", local) + zone


def _pairs(fields: Mapping[str, object]) -> str:
    return "".join(f" {name}={_bare(str(value))}" for name, value in sorted(fields.items()))


def _bare(text: str) -> str:
    plain = text and all(character.isalnum() or character in "-._/@^+:" for character in text)
    return text if plain else _quoted(text)


def _quoted(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=False)
