"""The bundled stack's images are made once, and again when something they come from changes."""

from __future__ import annotations

from pathlib import Path

from vr.imager.base import plan_base
from vr.imager.stack import ensure_stack
from vr.paths import Root
from vr.specs.image import ImageSpec


def test_an_image_is_made_anew_only_when_its_script_changes(
    root: Root, made: Path, tmp_path: Path
) -> None:
    cache, script = tmp_path / "cache", tmp_path / "provision.sh"
    cache.mkdir()
    # The base of this machine, which takes a quarter of a minute to make, is there already.
    (cache / f"base_{plan_base().key}.tar.gz").symlink_to(made / "test_new.tar.gz")
    spec = ImageSpec(
        base_image_url="unused",
        base_image_name="base",
        new_image_name="small",
        script_url=str(script),
    )
    script.write_text("#!/bin/sh\ntrue\n")
    first = ensure_stack(spec, cache, root=root)
    made_at = first.tarball.stat().st_mtime_ns

    assert ensure_stack(spec, cache, root=root) == first
    assert first.tarball.stat().st_mtime_ns == made_at

    script.write_text("#!/bin/sh\nrm -rf /usr/lib/apt\n")
    second = ensure_stack(spec, cache, root=root)
    assert second.name != first.name
    assert not first.tarball.exists()
    assert second.tarball.exists()
