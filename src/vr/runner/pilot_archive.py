"""The pilot as one file: a zip archive that any Python 3.9 or newer runs, nothing installed.

The same sources and the same Pythons give the same bytes: times, order and modes are fixed. The
modules are in it as source, and compiled for each Python named; another version compiles them at
each start, in some 100 ms.

Only the standard library is imported here, as `bin/make-pilot` runs this outside of any virtual
environment.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]

# Run by each Python: compiles the tree into the folder that is named after it.
_COMPILE = """
import py_compile, sys
from pathlib import Path
for source in sorted(Path("vr").rglob("*.py")):
    compiled = Path(sys.implementation.cache_tag) / source.with_suffix(".pyc")
    compiled.parent.mkdir(parents=True, exist_ok=True)
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(source), str(compiled), str(source), True, invalidation_mode=mode)
"""
# What the archive starts with: compiled modules first, if there are any for this Python.
_START = """\
import sys

sys.path.insert(0, sys.path[0] + "/" + str(sys.implementation.cache_tag))

from vr.pilot.main import main

sys.exit(main())
"""


def build(target: Path, pythons: Sequence[str] = (), *, commit: str = "unknown") -> None:
    """Write the archive to `target`, complete or not at all.

    `pythons` are interpreters to compile for, by default the one that runs this; `commit` is
    what `-version` shows. Raises OSError, subprocess.CalledProcessError.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        _stage(tree, pythons or [sys.executable], commit)
        beside = target.with_name(f"{target.name}.{os.getpid()}.tmp")
        try:
            _pack(tree, beside)
            beside.chmod(0o755)
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)


def sources_key() -> str:
    """12 hex digits that change with the pilot's sources and the Python that compiles them."""
    digest = hashlib.sha256(str(sys.implementation.cache_tag).encode())
    for path in (_PACKAGE / "__init__.py", *sorted((_PACKAGE / "pilot").rglob("*.py"))):
        digest.update(f"{path.relative_to(_PACKAGE)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _stage(tree: Path, pythons: Sequence[str], commit: str) -> None:
    (tree / "vr").mkdir(parents=True)
    shutil.copyfile(_PACKAGE / "__init__.py", tree / "vr" / "__init__.py")
    ignored = shutil.ignore_patterns("__pycache__", "__main__.py")
    shutil.copytree(_PACKAGE / "pilot", tree / "vr" / "pilot", ignore=ignored)
    (tree / "__main__.py").write_text(_START)
    version = tree / "vr" / "pilot" / "version.py"
    version.write_text(version.read_text().replace('"unknown"', f'"{commit}"'))
    for python in pythons:
        subprocess.run([python, "-I", "-S", "-c", _COMPILE], cwd=tree, check=True)


def _pack(tree: Path, target: Path) -> None:
    """As the standard library's zipapp would, but with fixed order, times and modes."""
    with target.open("wb") as file:
        file.write(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(file, "w") as archive:
            for path in sorted(path for path in tree.rglob("*") if path.is_file()):
                entry = zipfile.ZipInfo(path.relative_to(tree).as_posix())
                entry.external_attr = 0o100644 << 16
                archive.writestr(entry, path.read_bytes())
