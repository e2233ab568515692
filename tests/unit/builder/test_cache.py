"""What buildpacks keep between builds."""

from __future__ import annotations

from pathlib import Path

from vr.builder.cache import BuildCache


def test_what_is_kept_is_roots_alone(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "app"
    folder.mkdir(parents=True)
    folder.chmod(0o755)  # as it was made before
    source = tmp_path / "new"
    source.mkdir(mode=0o755)
    BuildCache(folder).save("key", source)
    assert (folder / "key").is_dir()
    assert folder.stat().st_mode & 0o777 == 0o700
