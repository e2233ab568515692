"""vbuild: from a revision of an app to a slug that any host can run."""

from vr.builder.pipeline import CompileFailed, NoBuildpack, build, compile_fetched, shell

__all__ = ["CompileFailed", "NoBuildpack", "build", "compile_fetched", "shell"]
