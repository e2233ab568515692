"""Commands of frameworks' tools, run in a container: they execute code of the app's choice."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from vr.builder import environment, pip_config, slug
from vr.builder.buildpacks import default_references, obtain
from vr.builder.pipeline import NoBuildpack
from vr.builder.untrusted import read_text
from vr.container.output import OutputLog, run_logged
from vr.container.spec import Container, Mount
from vr.errors import VelociraptorError
from vr.machine.path import SYSTEM_PATH
from vr.paths import Root
from vr.repo import Source
from vr.runner.images import ImageRef
from vr.runner.limits import build_limits
from vr.runner.system_layers import system_layers
from vr.stager.line_log import LineLog
from vr.stager.plugins.contract import INSIDE, StagingFailed
from vr.stager.workspace import Workspace

_BUILDER_SCRIPT = Path(environment.__file__).with_name("builder.sh")
_APP = f"{INSIDE}/app"
_HOME = "/tmp"


@dataclass(frozen=True)
class ContainerCommands:
    """Runs commands on the droplet in `space`, as the user `uid`, who owns its `app/`.

    Memory in MB. `timeout` in seconds is for each command; it should be longer than what the
    task as a whole may take, which is watched from outside.
    """

    space: Workspace
    uid: int
    log: Callable[[str], None]
    memory: int
    timeout: float
    image: ImageRef | None = None

    def run(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """Run one command in the app's folder; raises StagingFailed with the end of its output."""
        code, tail = self._execute(argv, env)
        if code == 127:
            raise StagingFailed(
                f"{argv[0]} is not installed where this stager stages.",
                hint="Install it on the stager's host, or in its image.",
            )
        if code:
            raise StagingFailed(f"{' '.join(argv)} ended with status {code}.", details=tail)

    def run_buildpack(self, reference: str | None) -> tuple[str, dict[str, str]]:
        """Compile the app with a buildpack, as vbuild does (docs/reference/buildpack.md)."""
        references = (reference,) if reference else default_references()
        root = self._root
        packs = {}
        for number, each in enumerate(references):
            folder = root / "buildpacks" / f"{number}_{Source.parse(each).basename}"
            folder.parent.mkdir(exist_ok=True)
            packs[f"/{folder.relative_to(root)}"] = obtain(
                each, folder, clones=Root.from_env().builder / "buildpacks"
            )
            _give(folder, self.uid)
        for name in ("env", "result", "cache"):
            (root / name).mkdir()
            os.chown(root / name, self.uid, self.uid)
        (root / "builder.sh").write_bytes(_BUILDER_SCRIPT.read_bytes())
        key = "BUILDPACK_DIR" if reference else "BUILDPACK_DIRS"
        env = {key: ":".join(packs), "HOME": "/app", "STACK": "heroku-24"}
        code, tail = self._execute(["bash", "/builder.sh", _APP, "/cache/buildpack_cache"], env)
        stage = (read_text(root / "result/stage") or "").strip()
        if stage == "detect":
            raise NoBuildpack(f"No buildpack applies to the app; tried: {', '.join(references)}.")
        if code or stage != "done":
            raise StagingFailed(
                f"The buildpack's bin/{stage} ended with status {code}.", details=tail
            )
        used = packs.get((read_text(root / "result/buildpack") or "").strip())
        release = slug.parse_release(read_text(root / "result/release.yaml") or "")
        commands, warnings = slug.process_types(self.space.staged / "app", release)
        for warning in warnings:
            self.log(warning)
        return used.url if used else "", commands

    @cached_property
    def _root(self) -> Path:
        """The container's writable layer, with a HOME for buildpacks."""
        root = self.space.root
        for folder in (root, root / "app"):
            folder.mkdir()
            folder.chmod(0o755)
        os.chown(root / "app", self.uid, self.uid)
        return root

    def _execute(self, argv: Sequence[str], env: Mapping[str, str]) -> tuple[int, str]:
        if os.geteuid() != 0:
            raise VelociraptorError("Staging this framework starts a container: run it as root.")
        passed = environment.passed_through(
            {**pip_config.read_host_settings(), **os.environ},
            environment.passed_patterns(os.environ.get("VR_BUILD_PASS_ENV", "")),
        )
        base = {
            **environment.certificate_variables(),
            "HOME": _HOME,
            "LANG": "C.UTF-8",
            "PATH": SYSTEM_PATH,
        }
        lines = LineLog(self.log)
        output = OutputLog(lines.write)
        code = run_logged(
            self._container(passed),
            self.space.generated,
            argv,
            env={**base, **passed, **env},
            log=output,
            timeout=self.timeout,
        )
        lines.finish()
        return code, output.tail()

    def _container(self, passed: Mapping[str, str]) -> Container:
        lowers, mounts = system_layers(Root.from_env(), self.image)
        certificates = tuple(
            Mount(Path(path), path, is_file=True, optional=True)
            for path in sorted(environment.certificate_files(passed))
        )
        return Container(
            name=self.space.container_name,
            lowers=lowers,
            upper=self._root,
            uid=self.uid,
            gid=self.uid,
            mounts=(*mounts, *certificates, Mount(self.space.staged, INSIDE, read_only=False)),
            limits=replace(build_limits(), memory=self.memory << 20, memsw=None),
            cwd=_APP,
        )


def _give(folder: Path, uid: int) -> None:
    """Give a folder and all in it to the user; links themselves, not what they lead to."""
    os.chown(folder, uid, uid)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent, name), uid, uid, follow_symlinks=False)
