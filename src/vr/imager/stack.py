"""The bundled stack, made once: base and image are kept until something they come from changes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from vr.container.output import Sink
from vr.errors import VelociraptorError
from vr.files.atomic import write_atomic
from vr.files.checksums import file_md5
from vr.files.locks import Lock
from vr.imager.base import BasePlan, make_base, plan_base
from vr.imager.pipeline import ImageResult, build
from vr.paths import Root, bundled
from vr.specs.image import ImageSpec

CACHE = Path("/var/cache/velociraptor/stack")

_LOCK_SECONDS = 1800


def bundled_file() -> Path:
    """The image.yaml of the stack that comes with Velociraptor."""
    return bundled("stack") / "debian12.yaml"


def ensure_stack(
    spec: ImageSpec, cache: Path = CACHE, *, root: Root | None = None, log: Sink | None = None
) -> ImageResult:
    """The image of `spec` on a base of this machine's distribution, made if it isn't in `cache`.

    Its name ends in a hash of what it comes from: the machine's apt configuration, the script
    and its environment. What `base_image_url` says is not used. Images that another version of
    these made are removed. Raises what making base and image raises.
    """
    plan = plan_base()
    name = f"{spec.new_image_name}_{_key(spec, plan)}"
    tarball = cache / f"{name}.tar.gz"
    cache.mkdir(parents=True, exist_ok=True)
    with Lock(cache / ".lock", wait=_LOCK_SECONDS):
        if known := _known(tarball):
            return ImageResult(name, tarball, known)
        base = cache / f"{spec.base_image_name}_{plan.key}.tar.gz"
        if not base.exists():
            make_base(base, plan, root=root, log=log)
        made = build(
            msgspec.structs.replace(
                spec, base_image_url=str(base), base_image_md5=None, new_image_name=name
            ),
            cache,
            root=root,
            log=log,
        )
        write_atomic(_note(tarball), made.md5)
        _remove_others(cache, spec, keep={base.name, tarball.name})
        return made


def _key(spec: ImageSpec, plan: BasePlan) -> str:
    try:
        script = Path(spec.script_url).read_bytes()
    except OSError as error:
        raise VelociraptorError(f"{spec.script_url} can't be read: {error.strerror}.") from None
    env = msgspec.json.encode(sorted(spec.env.items()))
    return hashlib.sha256(plan.key.encode() + script + env).hexdigest()[:12]


def _known(tarball: Path) -> str | None:
    """The MD5 of a tarball that is there; noted, so that setting up again takes no time."""
    if not tarball.exists():
        return None
    note = _note(tarball)
    if not note.exists():
        write_atomic(note, file_md5(tarball))
    return note.read_text()


def _note(tarball: Path) -> Path:
    return tarball.with_name(f"{tarball.name}.md5")


def _remove_others(cache: Path, spec: ImageSpec, keep: set[str]) -> None:
    for prefix in (spec.new_image_name, spec.base_image_name):
        for path in cache.glob(f"{prefix}_????????????.*"):
            kept = path.name.removesuffix(".md5").replace(".log", ".tar.gz")
            if kept not in keep:
                path.unlink()
