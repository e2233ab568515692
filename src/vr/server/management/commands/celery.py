"""`manage celery worker|beat|flower …`: Celery's own commands, with the server's application."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from celery.bin.celery import celery
from django.core.management.base import BaseCommand

_APPLICATION = "vr.server.celery_app"
_BROKER = ("--broker", "-b")


class Command(BaseCommand):
    """Celery, told where the server's application is."""

    help = "Run a command of Celery, such as worker, beat or flower, with the server's settings."

    def run_from_argv(self, argv: list[str]) -> None:
        """Hand all that follows on: Celery reads its options itself, and ends the process."""
        celery.main(args=celery_arguments(argv[2:]), prog_name="celery")

    def handle(self, *args: Any, **options: Any) -> None:
        celery.main(args=celery_arguments(args), prog_name="celery", standalone_mode=False)


def celery_arguments(words: Sequence[str]) -> list[str]:
    """The arguments of `celery`: a broker may be named after the command, as Flower's users do."""
    brokers: list[str] = []
    others: list[str] = []
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if name in _BROKER:
            brokers += ["--broker", value if equals else next(rest, "")]
        else:
            others.append(word)
    return ["-A", _APPLICATION, *brokers, *others]
