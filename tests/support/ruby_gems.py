"""Gems for tests without any server of gems: Debian's, packed again as they came."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_PACK = """
require "rubygems/package"
target = ARGV.shift
ARGV.each do |name|
  spec = Gem::Specification.find_by_name(name).dup
  Dir.chdir(spec.gem_dir) do
    spec.files = Dir["{bin,exe,lib}/**/*"].select { |path| File.file?(path) }
    Gem::Package.build(spec, true, false, File.join(target, spec.file_name))
  end
end
"""


def gem_files(folder: Path, *names: str) -> dict[str, bytes]:
    """The .gem files of Debian's gems, by file name."""
    target = folder / "gems"
    target.mkdir()
    _run(folder, "ruby", "-e", _PACK, str(target), *names)
    return {path.name: path.read_bytes() for path in target.iterdir()}


def locked(folder: Path, *names: str) -> dict[str, str]:
    """Gemfile and Gemfile.lock for these gems, in the versions that Debian has."""
    source = folder / "locked"
    source.mkdir()
    lines = ["source 'https://gems.invalid'", *(f"gem '{name}'" for name in names)]
    (source / "Gemfile").write_text("\n".join(lines))
    _run(source, "bundle", "lock", "--local")
    return {name: (source / name).read_text() for name in ("Gemfile", "Gemfile.lock")}


def _run(folder: Path, *argv: str) -> None:
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"}
    done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
