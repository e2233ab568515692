"""The bundled stack, made once: base and image are kept until something they come from changes."""

from __future__ import annotations

from pathlib import Path

import msgspec

from vr.container.output import Sink
from vr.errors import VelociraptorError
from vr.files.locks import Lock
from vr.imager import stack_cache
from vr.imager.base import BasePlan, make_base, plan_base
from vr.imager.pipeline import ImageResult, build
from vr.imager.stack_cache import CACHE
from vr.paths import Root
from vr.specs.image import ImageSpec

_LOCK_SECONDS = 1800


def ensure_stack(
    spec: ImageSpec, cache: Path = CACHE, *, root: Root | None = None, log: Sink | None = None
) -> ImageResult:
    """The image of `spec` on a base of this machine's distribution, made if it isn't in `cache`.

    Its name ends in a hash of what it comes from: the machine's apt configuration, the script
    and its environment. What `base_image_url` says is not used. Images that another version of
    these made are removed. Raises what making base and image raises.
    """
    plan = plan_base()
    tarball = stack_cache.tarball_of(cache, spec.new_image_name, _key(spec, plan))
    name = stack_cache.image_name(tarball)
    cache.mkdir(parents=True, exist_ok=True)
    with Lock(cache / ".lock", wait=_LOCK_SECONDS):
        if tarball.exists():
            known = stack_cache.image_md5(tarball)
            stack_cache.note_md5(tarball, known)
            return ImageResult(name, tarball, known)
        base = stack_cache.tarball_of(cache, spec.base_image_name, plan.key)
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
        stack_cache.note_md5(tarball, made.md5)
        names = (spec.new_image_name, spec.base_image_name)
        stack_cache.remove_others(cache, names, keep=(base, tarball))
        return made


def _key(spec: ImageSpec, plan: BasePlan) -> str:
    try:
        script = Path(spec.script_url).read_bytes()
    except OSError as error:
        raise VelociraptorError(f"{spec.script_url} can't be read: {error.strerror}.") from None
    env = msgspec.json.encode(sorted(spec.env.items()))
    return stack_cache.key_of(plan.key.encode() + script + env)
