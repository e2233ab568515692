"""The one table of settings: every one is written down once, in one of its parts."""

from __future__ import annotations

from dataclasses import dataclass, fields

from vr.settings.machine import MachineSettings
from vr.settings.server import ServerSettings
from vr.settings.setting import Setting, setting_of
from vr.settings.swarms import SwarmSettings
from vr.settings.telling import TellingSettings
from vr.settings.tools import ToolSettings


@dataclass(frozen=True, kw_only=True)
class Settings(ToolSettings, TellingSettings, SwarmSettings, ServerSettings, MachineSettings):
    """The settings as a process reads them; those that are not for it have their defaults."""


Part = MachineSettings | ServerSettings | SwarmSettings | TellingSettings | ToolSettings


def rows(part: type[Part]) -> dict[str, Setting]:
    """The rows of the table, or of a part of it, by the field that each becomes."""
    return {field.name: setting_of(field.metadata) for field in fields(part)}


TABLE = rows(Settings)
