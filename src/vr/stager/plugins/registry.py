"""Plugins by framework: ours, and those that other packages bring as entry points."""

from __future__ import annotations

from importlib.metadata import entry_points

from vr.errors import VelociraptorError
from vr.stager.plugins import (
    buildpack,
    java_web,
    node,
    php,
    python,
    ruby,
    standalone,
    static,
    vbuild,
)
from vr.stager.plugins.contract import Plugin, StagingFailed

GROUP = "vr.stager.plugins"

BUNDLED: dict[str, Plugin] = {
    "buildpack": buildpack.stage,
    "django": python.stage_django,
    "java_web": java_web.stage,
    "node": node.stage,
    "php": php.stage,
    "rack": ruby.stage_rack,
    "rails": ruby.stage_rails,
    "rails3": ruby.stage_rails,
    "sinatra": ruby.stage_sinatra,
    "standalone": standalone.stage,
    "static": static.stage,
    "vbuild": vbuild.stage,
    "wsgi": python.stage_wsgi,
}


def plugin_for(framework: str) -> Plugin:
    """The plugin for a framework; raises StagingFailed if there is none.

    Ours come first, without a look at all that is installed.
    """
    if framework in BUNDLED:
        return BUNDLED[framework]
    for found in entry_points(group=GROUP, name=framework):
        try:
            plugin: Plugin = found.load()
        except Exception as error:
            raise VelociraptorError(
                f"The plugin {framework!r} can't be loaded from {found.value}: {error!r}.",
                hint="Repair or uninstall the package that brings it.",
            ) from error
        return plugin
    raise StagingFailed(f"No plugin for the framework {framework!r}; there are: {known()}.")


def known() -> str:
    """The names of all frameworks, for people."""
    return ", ".join(sorted({*BUNDLED, *(found.name for found in entry_points(group=GROUP))}))
