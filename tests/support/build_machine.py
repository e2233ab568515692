"""A machine that can build: buildpacks made of a few lines, apps in repositories."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.repositories import GitRepository
from vr import builder
from vr.paths import Root
from vr.specs.build import BuildResult, BuildSpec


class Machine:
    """Builds apps into `output`."""

    def __init__(self, root: Root, image: Path, folder: Path) -> None:
        self.root = root
        self.image = image
        self.folder = folder
        self.output = folder / "output"
        self.log = b""

    def app(self, files: Mapping[str, str], name: str = "app") -> GitRepository:
        """A repository with these files, tagged v1."""
        repository = GitRepository(self.folder / name)
        repository.commit(files, tag="v1")
        return repository

    def buildpack(
        self, compile: str, *, detect: str = "echo Test", release: str = "", name: str = "pack"
    ) -> str:
        """A buildpack of these shell lines; returns its path."""
        folder = self.folder / name
        (folder / "bin").mkdir(parents=True, exist_ok=True)
        for script, lines in {"detect": detect, "compile": compile, "release": release}.items():
            if lines:
                path = folder / "bin" / script
                path.write_text(f"#!/bin/bash\nset -eu\n{lines}\n")
                path.chmod(0o755)
        return str(folder)

    def spec(self, repository: GitRepository, **changes: Any) -> BuildSpec:
        values = {
            "app_name": "shop",
            "app_repo_type": "git",
            "app_repo_url": repository.url,
            "version": "v1",
            "image_url": str(self.image),
            "image_name": "test",
            **changes,
        }
        return BuildSpec(**values)

    def build(self, repository: GitRepository, **changes: Any) -> BuildResult:
        options = {key: changes.pop(key) for key in ("timeout", "debug") if key in changes}
        seen: list[bytes] = []
        try:
            return builder.build(
                self.spec(repository, **changes),
                self.output,
                root=self.root,
                log=seen.append,
                **options,
            )
        finally:
            self.log = b"".join(seen)

    @property
    def results(self) -> set[str]:
        return {path.name for path in self.output.glob("*")}

    @property
    def workspaces(self) -> list[Path]:
        work = self.root.builder / "work"
        return [path for path in work.iterdir() if path.is_dir()] if work.exists() else []
