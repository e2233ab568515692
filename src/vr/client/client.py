"""What the API can do, as methods."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, BinaryIO, cast
from urllib.parse import quote, urlencode

from vr.client.access import Access
from vr.client.connection import ApiError, Connection, Unreachable
from vr.client.documents import (
    BuildDocument,
    DispatchDocument,
    Document,
    EventDocument,
    ProcDocument,
    SwarmDocument,
    is_serving,
)
from vr.client.sse import Message, messages

ENDED = frozenset({"succeeded", "failed", "cancelled"})
HELD = "held"
# How long a server may be away (being restarted) before following it is given up.
_PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.3
_ACTION_SECONDS = 600.0


class Client:
    """Raises ApiError with the server's own sentence, Unreachable when there is no server."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @classmethod
    def from_env(cls) -> Client:
        """A client of the server that VR_URL, or this machine's `vr up`, names."""
        return cls(Connection(Access.find()))

    # Any resource.

    def objects(self, resource: str, **filters: Any) -> list[Document]:
        """All objects of a resource that match `filters`, from all pages."""
        found: list[Document] = []
        address: str | None = f"/api/v1/{resource}/?{urlencode({'limit': 1000, **filters})}"
        while address:
            page = self.connection.request("GET", address).json()
            found += page["objects"]
            address = page["meta"]["next"]
        return found

    def page(self, resource: str, limit: int, **filters: Any) -> list[Document]:
        """The first `limit` objects (1000 at most) of a resource that match `filters`."""
        query = {"limit": limit, **filters}
        answer = self.connection.request("GET", f"/api/v1/{resource}/", query=query)
        return cast(list[Document], answer.json()["objects"])

    def get(self, resource: str, key: str | int) -> Document:
        """One object by its name or id."""
        return self.read(f"/api/v1/{resource}/{quote(str(key), safe='')}/")

    def read(self, path: str) -> Document:
        """The object at a path such as a document's `resource_uri`."""
        return cast(Document, self.connection.request("GET", path).json())

    def create(self, resource: str, **data: Any) -> Document:
        """Make an object; returns it as the server sees it."""
        created = self.connection.request("POST", f"/api/v1/{resource}/", data=data)
        return self.read(created.headers["Location"])

    def change(self, path: str, data: Mapping[str, Any]) -> None:
        """Change what `data` holds of the object at `path`."""
        self.connection.request("PATCH", path, data=data)

    def remove(self, path: str) -> None:
        self.connection.request("DELETE", path)

    def post(self, path: str, **data: Any) -> Document:
        """An action; its answer, {} if that is empty."""
        answer = self.connection.request("POST", path, data=data)
        return cast(Document, answer.json()) if answer.content else {}

    # Swarms and what becomes of them.

    def swarms(self, **filters: Any) -> list[SwarmDocument]:
        return cast(list[SwarmDocument], self.objects("swarms", **filters))

    def swarm(
        self,
        swarm: SwarmDocument,
        version: str | None = None,
        size: int | None = None,
        **manner: Any,
    ) -> str:
        """Dispatch a swarm, at another version or size if told; returns the trace id.

        `manner` says how it is to go: `hold`, `canary`, `canary_seconds`, `batch`.
        """
        wanted = {"version": version, "size": size, **manner}
        return self._start(swarm, "swarm", {k: v for k, v in wanted.items() if v is not None})

    def rollback(self, swarm: SwarmDocument, **manner: Any) -> str:
        """Bring a swarm back to the release before, in the same ways."""
        return self._start(swarm, "rollback", {k: v for k, v in manner.items() if v is not None})

    def scale(self, swarm: SwarmDocument, size: int) -> str:
        return self._start(swarm, "scale", {"size": size})

    def _start(self, swarm: SwarmDocument, action: str, data: Mapping[str, Any]) -> str:
        return str(self.post(f"{swarm['resource_uri']}{action}/", **data)["swarm_id"])

    def dispatch(self, trace_id: str) -> DispatchDocument:
        return cast(DispatchDocument, self.get("dispatches", trace_id))

    def cancel(self, trace_id: str) -> None:
        """Have an open dispatch undone; raises ApiError (409) if it is too late for that."""
        self.connection.request("POST", f"/api/v1/dispatches/{trace_id}/cancel/")

    def route(self, trace_id: str) -> None:
        """Have a held dispatch routed; raises ApiError (409) if it is not held."""
        self.connection.request("POST", f"/api/v1/dispatches/{trace_id}/route/")

    def retry(self, trace_id: str) -> str:
        """Try a failed dispatch again; returns the new one's trace id."""
        return str(self.post(f"/api/v1/dispatches/{trace_id}/retry/")["swarm_id"])

    def rescue(self, squad: str) -> list[str]:
        """Have the procs of a squad's silent hosts placed on its others; the dispatches' traces."""
        found = self.get("squads", squad)
        return list(self.post(f"{found['resource_uri']}rescue/")["swarm_ids"])

    def cancel_build(self, build: Mapping[str, Any]) -> None:
        """Have a build ended that has not ended; raises ApiError (409) if it has."""
        self.connection.request("POST", f"{build['resource_uri']}cancel/")

    def dispatches(self, swarm: SwarmDocument, *, limit: int = 20) -> list[DispatchDocument]:
        """The newest dispatches of a swarm, newest first."""
        return cast(list[DispatchDocument], self.page("dispatches", limit, swarm=swarm["id"]))

    def follow(self, trace_id: str, *, settled: bool = True) -> Iterator[DispatchDocument]:
        """The dispatch now and after each change, until it has ended or is held; unless `settled`,
        until its version serves."""
        for message in self._messages(f"/api/streams/dispatch/{trace_id}/"):
            if message.event == "end":
                return
            found = cast(DispatchDocument, json.loads(message.data))
            yield found
            if found["status"] == HELD or (not settled and is_serving(found)):
                return

    # Builds.

    def build(self, app: str, tag: str) -> BuildDocument:
        """Make and queue a new build; nothing is left if it can't be queued."""
        made = cast(BuildDocument, self.create("builds", app=app, tag=tag))
        try:
            self.post(f"{made['resource_uri']}build/")
        except ApiError:
            with suppress(ApiError, Unreachable):
                self.remove(made["resource_uri"])
            raise
        return made

    def upload(
        self, app: str, file: BinaryIO, name: str, *, tag: str, runtime: str
    ) -> BuildDocument:
        """Upload the droplet in `file` as a build of `app`; empty `tag`, `runtime`: its own."""
        form = {"app": app, "tag": tag, "runtime": runtime}
        path = "/api/v1/builds/upload/"
        answer = self.connection.upload(path, form, "droplet", name, file)
        return cast(BuildDocument, answer.json())

    def build_log(self, build: BuildDocument) -> Iterator[str]:
        """The compile log line by line as it grows, until the build has ended."""
        for message in self._messages(f"/api/streams/build_log/{build['id']}/"):
            if message.event == "end":
                return
            yield message.data

    # Procs.

    def procs(self) -> list[ProcDocument]:
        """All procs of all hosts, foreign ones too."""
        return [proc for host in self.objects("hosts") for proc in host["procs"]]

    def proc_action(self, proc: ProcDocument, action: str) -> ProcDocument:
        """`start`, `stop` or `restart`; the proc as it is afterwards."""
        # Old requests end, the proc starts and is tested before this is answered.
        answer = self.connection.request(
            "POST", _path(proc), data={"action": action}, seconds=_ACTION_SECONDS
        )
        return cast(ProcDocument, answer.json())

    def remove_proc(self, proc: ProcDocument) -> None:
        """Stop a proc and remove what is there of it, when the requests to it have ended."""
        self.connection.request("DELETE", _path(proc), seconds=_ACTION_SECONDS)

    def adopt(self, proc: ProcDocument, swarm: SwarmDocument | None = None) -> SwarmDocument:
        """Give a stray to `swarm`, or to the one that is called like it; returns its swarm."""
        told = {"swarm": swarm["resource_uri"]} if swarm else {}
        return cast(SwarmDocument, self.post(f"{_path(proc)}adopt/", **told))

    # Uptests between dispatches. Each returns the path of the round, which has `end` at last.

    def uptest(self, swarm: SwarmDocument) -> str:
        """Run the uptests of a swarm's procs."""
        return str(self.post(f"{swarm['resource_uri']}uptest/")["testrun"])

    def uptest_proc(self, proc: ProcDocument) -> str:
        """Run the uptests of one proc."""
        return str(self.post(f"{_path(proc)}uptest/")["testrun"])

    def uptest_all(self) -> str:
        """Run the uptests of all procs that serve."""
        return str(self.post("/api/v1/testruns/uptest/")["testrun"])

    def log_tail(self, proc: ProcDocument, length: int) -> str:
        """The last `length` bytes of a proc's log."""
        answer = self.connection.request("GET", f"{_path(proc)}log/", query={"bytes": length})
        return answer.text

    def log_lines(self, proc: ProcDocument, length: int) -> Iterator[str]:
        """The last `length` bytes of a proc's log as lines, then each new line."""
        path = f"/api/streams/proc_log/{proc['host']}/{quote(proc['name'], safe='')}/"
        with self.connection.lines(f"{path}?bytes={length}") as lines:
            for message in messages(lines):
                yield message.data

    # Events.

    def past_events(self, *, limit: int = 100) -> list[EventDocument]:
        """The last events, oldest first."""
        return cast(list[EventDocument], self.page("events", limit)[::-1])

    def events(self) -> Iterator[EventDocument]:
        """The last hundred events, then each new one; goes on when the server comes back."""
        for message in self._messages("/api/streams/events/"):
            yield cast(EventDocument, json.loads(message.data))

    def _messages(self, path: str) -> Iterator[Message]:
        """A stream's messages; a broken stream is taken up again where it broke.

        Raises Unreachable once the server has been away for too long.
        """
        last = ""
        heard = time.monotonic()
        while True:
            try:
                with self.connection.lines(path, last_event_id=last) as lines:
                    for message in messages(lines):
                        heard = time.monotonic()
                        last = message.id or last
                        yield message
                    heard = time.monotonic()
            except Unreachable:
                if time.monotonic() - heard > _PATIENCE_SECONDS:
                    raise
            time.sleep(_PAUSE_SECONDS)


def _path(proc: ProcDocument) -> str:
    return f"/api/v1/hosts/{quote(proc['host'], safe='')}/procs/{quote(proc['name'], safe='')}/"
