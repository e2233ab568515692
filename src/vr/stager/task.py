"""One staging task, step by step, as its log shows it (docs/reference/staging.md#steps)."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vr.errors import VelociraptorError
from vr.files.archives import Limits
from vr.files.pack import pack
from vr.files.unzip import unzip
from vr.runner.images import ImageRef
from vr.stager.assemble import assemble
from vr.stager.commands import ContainerCommands
from vr.stager.config import StagerConfig, Users
from vr.stager.plugins.registry import plugin_for
from vr.stager.request import StagingRequest
from vr.stager.transfer import download, upload
from vr.stager.users import NOBODY, throw_away_user
from vr.stager.workspace import Workspace, workspace

Tell = Callable[[str], None]

# Each step's line in the log, and the message if it fails.
SET_UP = ("Setting up temporary directories", "Failed setting up temporary directories")
DOWNLOAD = ("Downloading application", "Failed downloading app")
UNPACK = ("Unpacking application", "Failed unpacking app")
STAGE = ("Staging application", "Staging plugin failed")
CREATE = ("Creating droplet", "Failed creating droplet")
UPLOAD = ("Uploading droplet", "Failed uploading droplet")
DONE = "Done!"

TaskStep = tuple[str, str]
STEPS: tuple[TaskStep, ...] = (SET_UP, DOWNLOAD, UNPACK, STAGE, CREATE, UPLOAD)

_UNPACKED_PER_ZIPPED = 8
_MOST_ENTRIES = 200_000


@dataclass(frozen=True)
class TaskSettings:
    """What a task needs of its stager's configuration. Sizes in MB, `seconds` for each step."""

    owner: str
    tmp: Path
    seconds: int
    app_size: int
    memory: int
    users: Users | None
    image: ImageRef | None = None
    plugins: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, config: StagerConfig, owner: str) -> TaskSettings:
        return cls(
            owner=owner,
            tmp=Path(config.dirs.tmp),
            seconds=config.max_staging_duration,
            app_size=config.max_app_size,
            memory=config.staging_memory,
            users=config.users if config.secure else None,
            image=config.image,
            plugins=config.plugins,
        )


class StepFailed(VelociraptorError):
    """A step failed; the message is that of the reply."""


def run_task(
    request: StagingRequest,
    settings: TaskSettings,
    *,
    begin: Callable[[TaskStep], None],
    tell: Tell,
    done: Callable[[], None],
) -> None:
    """Stage one app. `begin` is told each step as it begins, `tell` each line of the staging.

    `done` is called as soon as the droplet is where it belongs. Raises StepFailed. Nothing of the
    task is left on this host afterwards.
    """
    with ExitStack() as stack:
        with _step(SET_UP, begin):
            space = stack.enter_context(workspace(settings.tmp, settings.owner, request.task_id))
            space.staged.mkdir(mode=0o755)
            uid = stack.enter_context(_user(settings))
        with _step(DOWNLOAD, begin):
            download(
                request.download_uri,
                space.app_zip,
                most_bytes=settings.app_size << 20,
                seconds=settings.seconds,
            )
        with _step(UNPACK, begin):
            size = settings.app_size * _UNPACKED_PER_ZIPPED
            unzip(space.app_zip, space.unstaged, limits=Limits(size << 20, _MOST_ENTRIES))
            space.app_zip.unlink()
        with _step(STAGE, begin):
            _stage(request, settings, space, uid, tell)
        with _step(CREATE, begin):
            pack(space.staged, space.droplet, prefix="./", sync=False)
        with _step(UPLOAD, begin):
            upload(request.upload_uri, space.droplet, seconds=settings.seconds)
        done()


def _stage(
    request: StagingRequest, settings: TaskSettings, space: Workspace, uid: int, tell: Tell
) -> None:
    framework = request.properties.framework_info.name
    commands = ContainerCommands(
        space,
        uid,
        tell,
        memory=settings.memory,
        # The stager itself watches the time; this is for a task that lost its stager.
        timeout=settings.seconds + 60,
        image=request.properties.image or settings.image,
    )
    assemble(
        plugin_for(framework),
        space.unstaged,
        space.staged,
        request.properties,
        commands=commands,
        owner=uid,
        log=tell,
        settings=settings.plugins.get(framework, {}),
    )
    shutil.rmtree(space.unstaged)


@contextmanager
def _step(step: TaskStep, begin: Callable[[TaskStep], None]) -> Iterator[None]:
    begin(step)
    try:
        yield
    except VelociraptorError as error:
        raise StepFailed(f"{step[1]}: {error}", details=error.details) from error
    except OSError as error:
        raise StepFailed(f"{step[1]}: {error.strerror or error}", details="") from error


@contextmanager
def _user(settings: TaskSettings) -> Iterator[int]:
    if settings.users is None:
        yield NOBODY
        return
    locks = settings.tmp.parent / f"{settings.tmp.name}-users"
    with throw_away_user(settings.users.first, settings.users.count, locks) as uid:
        yield uid
