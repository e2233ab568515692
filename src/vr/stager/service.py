"""The stager on the bus: takes requests, runs tasks, answers (docs/reference/staging.md).

Every stager serves subject `q` in queue group `q`. One that is full offers a request on `q.idle`,
which only stagers with a free place serve; if nobody takes it, it waits here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from vr.bus.connection import until_received
from vr.bus.outbox import Outbox
from vr.errors import InvalidInput, VelociraptorError
from vr.stager import events
from vr.stager.config import StagerConfig
from vr.stager.places import Full, Places
from vr.stager.request import StagingRequest, decode, new_task_id, parse_request, task_id_of
from vr.stager.task import TaskSettings
from vr.stager.task_log import failure, reply
from vr.stager.task_runner import TaskRunner
from vr.stager.ticket import Ticket
from vr.stager.workspace import remove_abandoned

_OFFER_SECONDS = 2.0
_OFFER_EVERY_SECONDS = 0.5
_CLEAN_EVERY_SECONDS = 5.0
_TAKEN, _FULL = b"taken", b"full"

log = logging.getLogger("vcap.stager.server")


class Stager:
    """Serves until `stop`; `outbox` sends what it has to say."""

    def __init__(
        self, config: StagerConfig, stager_id: str, client: Client, outbox: Outbox
    ) -> None:
        self.id = stager_id
        self._config = config
        self._client = client
        self._outbox = outbox
        self._runner = TaskRunner(TaskSettings.of(config, f"{stager_id[-8:]}-{os.getpid()}"))
        self._places = Places(config.max_active_tasks, config.max_queued_tasks)
        self._pool = ThreadPoolExecutor(config.max_active_tasks, thread_name_prefix="task")
        self._tickets: dict[Ticket, asyncio.Task[None]] = {}
        self._staged = self._failed = 0
        self._stopping = asyncio.Event()
        self._places_changed = asyncio.Event()

    def facts(self) -> dict[str, Any]:
        """How it is, for people and programs that look at it."""
        return {
            "queues": list(self._config.queues),
            "max_active_tasks": self._places.active,
            "active_tasks": self._places.taken,
            "waiting_tasks": self._places.waiting,
            "staged": self._staged,
            "failed": self._failed,
        }

    def stop(self) -> None:
        """Take nothing new, finish what is here, then return from `run`."""
        if not self._stopping.is_set():
            log.info("Shutdown initiated.")
            self._stopping.set()
            self._places_changed.set()

    async def run(self) -> None:
        tmp = Path(self._config.dirs.tmp)
        await _remove_abandoned(tmp)
        background = [
            asyncio.create_task(each)
            for each in (self._outbox.run(self._client), self._tell_alive(), self._clean(tmp))
        ]
        queues = [await self._subscribe(name) for name in self._config.queues]
        await self._subscribe_stops()
        await until_received(self._client, self._stopping)
        log.info("Server running")
        try:
            await self._serve_while_idle()
            for queue in queues:
                await _leave(queue)
            log.info("Waiting for remaining %d task(s) to finish.", len(self._tickets))
            while self._tickets:
                await asyncio.wait(self._tickets.values())
            await self._outbox.empty(self._client)
            await _remove_abandoned(tmp)
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
            self._pool.shutdown()
            self._runner.close()
        log.info("Shutdown complete")

    async def _subscribe(self, queue: str) -> Subscription:
        async def requested(message: Msg) -> None:
            self._accept(queue, message.reply, message.data)

        subscription = await self._client.subscribe(queue, queue=queue, cb=requested)
        log.info("Subscribed to %s", queue)
        return subscription

    async def _subscribe_stops(self) -> None:
        async def stopped(message: Msg) -> None:
            task_id = message.subject.removeprefix(events.stop_subject(""))
            for ticket in self._unanswered():
                if ticket.task_id == task_id:
                    self._answer(ticket, "Stopped, as its requester does not want it any more.")
                    self._runner.stop(task_id)

        await self._client.subscribe(events.stop_subject("*"), cb=stopped)

    async def _serve_while_idle(self) -> None:
        """Be there for the requests of full stagers, whenever there is a free place."""
        offers: list[Subscription] = []
        while not self._stopping.is_set():
            self._places_changed.clear()
            if self._places.free() and not offers:
                offers = [await self._subscribe_offers(name) for name in self._config.queues]
            elif offers and not self._places.free():
                for offer in offers:
                    await _leave(offer)
                offers = []
            await self._places_changed.wait()
        for offer in offers:
            await _leave(offer)

    async def _subscribe_offers(self, queue: str) -> Subscription:
        async def offered(message: Msg) -> None:
            if not self._places.free() or self._stopping.is_set():
                await message.respond(_FULL)
                return
            offer = msgspec.json.decode(message.data)
            self._start(Ticket(offer["task_id"], queue, offer["answer_to"], offer["request"]))
            await message.respond(_TAKEN)

        return await self._client.subscribe(f"{queue}.idle", queue=queue, cb=offered)

    def _accept(self, queue: str, answer_to: str, data: bytes) -> None:
        try:
            document = decode(data)
        except InvalidInput as error:
            log.warning("Refused a request: %s", error)
            if answer_to:
                self._outbox.send(answer_to, reply(new_task_id(), "", failure(error.message)))
            return
        ticket = Ticket(task_id_of(document), queue, answer_to, document)
        known = next((each for each in self._unanswered() if each.task_id == ticket.task_id), None)
        if known:
            # Sent again by somebody who did not hear from us for a while.
            known.answer_to = answer_to or known.answer_to
            return
        log.info("Enqueued request %s", ticket.for_log())
        self._start(ticket)

    def _start(self, ticket: Ticket) -> None:
        self._tell(ticket, "accepted")
        task = asyncio.create_task(self._serve(ticket))
        self._tickets[ticket] = task

        def done(_task: asyncio.Task[None]) -> None:
            del self._tickets[ticket]

        task.add_done_callback(done)

    async def _serve(self, ticket: Ticket) -> None:
        try:
            request = parse_request(ticket.document, ticket.task_id)
            if not await self._places.take(lambda: self._offer(ticket), _OFFER_EVERY_SECONDS):
                log.debug("Task %s went to a stager that is idle", ticket.task_id)
                return
        except InvalidInput as error:
            self._answer(ticket, error.message)
            return
        except Full:
            self._answer(
                ticket,
                f"All stagers are busy: here {self._places.taken} tasks run and "
                f"{self._places.waiting} wait, which is the limit. Try again later.",
            )
            return
        self._places_changed.set()
        try:
            if not ticket.is_answered:
                await self._stage(ticket, request)
        finally:
            self._places.release()
            self._places_changed.set()

    async def _stage(self, ticket: Ticket, request: StagingRequest) -> None:
        """Run the task and answer; what is left of it is removed before this returns."""
        loop = asyncio.get_running_loop()
        self._tell(ticket, "started")

        def line(text: str) -> None:
            loop.call_soon_threadsafe(self._line, ticket, text)

        def answer(error: str | None) -> None:
            loop.call_soon_threadsafe(self._answer, ticket, error)

        try:
            await loop.run_in_executor(self._pool, self._runner.run, request, line, answer)
        except (OSError, VelociraptorError) as error:
            log.exception("Task %s could not be run", ticket.task_id)
            self._answer(ticket, f"The stager could not run the task: {error}")

    async def _offer(self, ticket: Ticket) -> bool:
        """Give the task to a stager with a free place; False if there is none."""
        offer = {
            "task_id": ticket.task_id,
            "answer_to": ticket.answer_to,
            "request": ticket.document,
        }
        data = msgspec.json.encode(offer)
        try:
            answer = await self._client.request(f"{ticket.queue}.idle", data, _OFFER_SECONDS)
        except (TimeoutError, nats.errors.Error):
            return False
        return answer.data == _TAKEN

    def _line(self, ticket: Ticket, text: str) -> None:
        ticket.log.add(text, datetime.now())
        self._tell(ticket, "line", text)

    def _unanswered(self) -> list[Ticket]:
        return [ticket for ticket in self._tickets if not ticket.is_answered]

    def _answer(self, ticket: Ticket, error: str | None) -> None:
        if ticket.is_answered:
            return
        ticket.is_answered = True
        if error:
            self._failed += 1
        else:
            self._staged += 1
        log.info("Task %s %s", ticket.task_id, f"failed: {error}" if error else "is done")
        if ticket.answer_to:
            message = failure(error) if error else None
            self._outbox.send(ticket.answer_to, reply(ticket.task_id, ticket.log.text(), message))
        self._tell(ticket, "finished")

    def _tell(self, ticket: Ticket, kind: events.Kind, line: str = "") -> None:
        event = events.TaskEvent(ticket.task_id, self.id, kind, line)
        self._outbox.send(events.subject(ticket.task_id), events.encode(event))

    async def _tell_alive(self) -> None:
        while True:
            await asyncio.sleep(events.ALIVE_SECONDS)
            if self._client.is_connected:
                for ticket in self._unanswered():
                    self._tell(ticket, "alive")

    async def _clean(self, tmp: Path) -> None:
        while True:
            await asyncio.sleep(_CLEAN_EVERY_SECONDS)
            if not self._tickets:
                await _remove_abandoned(tmp)


async def _leave(subscription: Subscription) -> None:
    """End a subscription; what has arrived already is still handled."""
    with contextlib.suppress(nats.errors.Error, asyncio.TimeoutError):
        await asyncio.wait_for(subscription.drain(), 5)  # type: ignore[no-untyped-call]


async def _remove_abandoned(tmp: Path) -> None:
    try:
        await asyncio.to_thread(remove_abandoned, tmp)
    except (VelociraptorError, OSError) as error:
        log.warning("What dead tasks left in %s could not be removed: %s", tmp, error)
