"""A request between its arrival and its answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from vr.bus.documents import mapping
from vr.files.download import without_credentials
from vr.stager.task_log import TaskLog


@dataclass(eq=False)
class Ticket:
    """A request on its way: the document as it came, and where its answer goes."""

    task_id: str
    queue: str
    answer_to: str
    document: dict[str, Any]
    log: TaskLog = field(default_factory=TaskLog)
    is_answered: bool = False

    def for_log(self) -> str:
        """The request without its secrets: credentials of addresses, services, environment."""
        document = self.document
        framework = mapping(mapping(document.get("properties")).get("framework_info")).get("name")
        shown = {
            "task_id": self.task_id,
            "app_id": document.get("app_id"),
            "framework": framework,
            "download_uri": _shown(document.get("download_uri")),
            "upload_uri": _shown(document.get("upload_uri")),
        }
        return msgspec.json.encode(shown).decode()


def _shown(address: Any) -> str:
    try:
        return without_credentials(str(address))
    except ValueError:
        return "(no address)"
