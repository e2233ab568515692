"""`manage bootstrap`: what a new single-machine installation starts with; safe to repeat."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from vr.imager.stack_cache import BUNDLED_STACK, image_md5, image_name, stack_image
from vr.server import migration_state
from vr.server.files import store
from vr.server.models import ApiToken, Buildpack, Host, Image, Squad, Stack
from vr.up.database import newer

BUNDLED_BUILDPACKS = ("python", "procfile")
LOCAL_SQUAD = "local"


class Command(BaseCommand):
    """Admin with the generated password, the CLI's token, the local host, bundled buildpacks."""

    help = "Migrate, then create the admin, the CLI's token, squad, buildpacks and stack."
    # They import every page and API; `vr up` waits for this command.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        if unknown := migration_state.unknown():
            raise newer(unknown)
        call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
        with transaction.atomic():
            self._admin()
            self._local_host()
            self._buildpacks()
        self._stack()

    def _secret(self, name: str) -> str:
        path = Path(settings.VR_HOME) / "secrets" / name
        try:
            return path.read_text().strip()
        except OSError as error:
            raise CommandError(
                f"{path} can't be read: {error.strerror}. `vr up` makes it, and runs this command."
            ) from None

    def _admin(self) -> None:
        users = get_user_model().objects
        admin = users.filter(username="admin").first()
        if admin is None:
            admin = users.create_superuser("admin", password=self._secret("admin-password"))
        ApiToken.issue(admin, "cli", self._secret("cli-token"))

    def _local_host(self) -> None:
        squad, _ = Squad.objects.get_or_create(name=LOCAL_SQUAD)
        Host.objects.get_or_create(name=settings.LOCAL_HOST, defaults={"squad": squad})

    def _buildpacks(self) -> None:
        for order, name in enumerate(BUNDLED_BUILDPACKS):
            Buildpack.objects.get_or_create(
                repo_url=f"bundled:{name}",
                defaults={"desc": "Comes with Velociraptor.", "order": order * 10},
            )

    def _stack(self) -> None:
        stack, _ = Stack.objects.get_or_create(
            name=BUNDLED_STACK, defaults={"desc": "Debian, with what Python and Node apps need."}
        )
        tarball = stack_image(os.environ)
        if tarball is None:
            self.stdout.write("no stack image yet: run `make setup`")
            return
        md5, name = image_md5(tarball), image_name(tarball)
        if stack.images.filter(md5=md5, active=True).exists():
            return
        file = f"images/{tarball.name}"
        store.put(file, tarball)
        with transaction.atomic():
            stack.images.update(active=False)
            Image.objects.update_or_create(
                name=name, defaults={"stack": stack, "file": file, "md5": md5, "active": True}
            )
