"""Everything a compile needs, fetched and laid out for its container."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vr.builder import environment, lfs_pointers, pip_config
from vr.builder.buildpacks import Buildpack, default_references, obtain
from vr.builder.cache import BuildCache, cache_key
from vr.builder.workspace import BUILD_GID, BUILD_UID, Workspace, workspace
from vr.container.launch import host_mounts
from vr.container.output import OutputLog
from vr.container.spec import Container, Mount
from vr.files.folders import private_folder
from vr.paths import Root
from vr.repo import Checkout, Source, checkout
from vr.runner.host_folders import host_skeleton, host_system_mounts
from vr.runner.images import ensure_image
from vr.runner.layers import leased
from vr.runner.limits import build_limits, fetch_seconds
from vr.specs.build import BuildSpec

_SCRIPT = Path(__file__).with_name("builder.sh")


@dataclass(frozen=True)
class Prepared:
    """A build that only has to be compiled."""

    space: Workspace
    container: Container
    env: dict[str, str]
    packs: tuple[Buildpack, ...]
    revision: str
    image_md5: str
    caches: BuildCache

    def keep_cache(self, used: Buildpack) -> None:
        """Keep what the buildpack has put into its cache, for the next build."""
        self.caches.save(cache_key(used.reference, self.image_md5), self.space.cache)


@contextmanager
def prepared(
    spec: BuildSpec,
    root: Root,
    say: OutputLog,
    *,
    debug: bool = False,
    fetched: Checkout | None = None,
) -> Iterator[Prepared]:
    """Fetch buildpacks, image and, unless it is `fetched` already, the app, and lay them out for
    the container. The folder of `fetched` is used up.
    """
    source = Source(spec.app_repo_url)
    # Code, clones and caches of all apps: no other user of the host reads them.
    private_folder(root.builder)
    with (
        leased(lambda: _system(spec, root, say)) as system,
        workspace(root.builder / "work", spec.app_name, f"{spec.app_name}-{source.md5}") as space,
    ):
        # Images are kept by content, in a folder called by its checksum.
        image_md5 = system.parent.name if spec.image_url else ""
        if fetched:
            shutil.move(fetched.folder, space.app)
        else:
            fetched = fetch(spec, space.app, root, say)
        packs = _obtain_packs(spec, root, space, say.check)
        caches = BuildCache(root.builder / "cache" / space.app_folder, check=say.check)
        for pack in packs:
            caches.restore(cache_key(pack.reference, image_md5), space.kept_cache(pack.folder))
        _write_files(spec, space)
        space.hand_over()
        passed = _passed_through()
        env = environment.script_environment(spec, fetched.revision, passed, debug=debug)
        env |= _candidates(spec, space, packs)
        yield Prepared(
            space,
            _container(space, system, _system_mounts(spec), passed),
            env,
            packs,
            fetched.revision,
            image_md5,
            caches,
        )


def fetch(spec: BuildSpec, target: Path, root: Root, say: OutputLog) -> Checkout:
    """Check the app out into the new folder `target`; raises what `checkout` raises."""
    source = Source(spec.app_repo_url)
    say.step(f"Fetching {spec.app_name} {spec.version} from {source.public_url}")
    fetched = checkout(
        spec.app_repo_url,
        spec.version,
        spec.app_repo_type,
        target,
        clones=root.builder / "repo",
        commit=spec.revision,
        timeout=fetch_seconds(),
        check=say.check,
    )
    say.step(f"{spec.version} is commit {fetched.revision}")
    if unfetched := lfs_pointers.pointers(target):
        say.step(lfs_pointers.sentence(unfetched))
    return fetched


def _system(spec: BuildSpec, root: Root, say: OutputLog) -> Path:
    """The layer below the build: the image, or what the host's own system is mounted into."""
    if not spec.image_url or not spec.image_name:
        say.step("Using the host's own system, as no image is named")
        return host_skeleton(root)
    say.step(f"Using the image {spec.image_name}")
    return ensure_image(
        root,
        spec.image_url,
        spec.image_name,
        spec.image_md5,
        check=say.check,
    )


def _system_mounts(spec: BuildSpec) -> tuple[Mount, ...]:
    return host_mounts() if spec.image_url else host_system_mounts()


def _obtain_packs(
    spec: BuildSpec, root: Root, space: Workspace, check: Callable[[], None]
) -> tuple[Buildpack, ...]:
    if spec.buildpack_url:
        references: tuple[str, ...] = (spec.buildpack_url,)
    else:
        references = spec.buildpack_urls or default_references()
    return tuple(
        obtain(
            reference,
            space.buildpack(number, Source.parse(reference).basename),
            clones=root.builder / "buildpacks",
            check=check,
        )
        for number, reference in enumerate(references)
    )


def _candidates(spec: BuildSpec, space: Workspace, packs: tuple[Buildpack, ...]) -> dict[str, str]:
    folders = [space.inside(candidate.folder) for candidate in packs]
    if spec.buildpack_url:
        return {"BUILDPACK_DIR": folders[0]}
    return {"BUILDPACK_DIRS": ":".join(folders)}


def _write_files(spec: BuildSpec, space: Workspace) -> None:
    for name, value in spec.env.items():
        (space.env / name).write_text(value)
        (space.env / name).chmod(0o600)
    script = space.upper / "builder.sh"
    script.write_bytes(_SCRIPT.read_bytes())
    script.chmod(0o755)


def _passed_through() -> dict[str, str]:
    patterns = environment.passed_patterns(os.environ.get("VR_BUILD_PASS_ENV", ""))
    host = {**pip_config.read_host_settings(), **os.environ}
    return environment.passed_through(host, patterns)


def _container(
    space: Workspace, system: Path, mounts: tuple[Mount, ...], passed: dict[str, str]
) -> Container:
    certificates = tuple(
        Mount(Path(path), path, is_file=True, optional=True)
        for path in sorted(environment.certificate_files(passed))
    )
    return Container(
        name=space.container_name,
        lowers=(system,),
        upper=space.upper,
        uid=BUILD_UID,
        gid=BUILD_GID,
        mounts=(*mounts, *certificates),
        limits=build_limits(),
        cwd=space.inside(space.app),
    )
