"""`vr`: everything that one does with Velociraptor, from a terminal or a script."""

from __future__ import annotations

import sys

import click

from vr import __version__
from vr.cli.groups import Lazy, LazyGroup
from vr.errors import FAILED, run_main

_COMMANDS = {
    "This machine": {
        "up": Lazy("vr.cli.up:up", "Start Velociraptor here and wait until it is healthy."),
        "down": Lazy("vr.cli.up:down", "Stop it and all its procs; nothing is left running."),
        "demo": Lazy("vr.cli.demo:demo", "Start it, and swarm the example app."),
        "status": Lazy("vr.cli.up:status", "Show its parts, and which of them ails."),
    },
    "Deploy": {
        "swarm": Lazy(
            "vr.cli.dispatches:swarm", "Bring swarms to a version; '-' is the current one."
        ),
        "rollback": Lazy("vr.cli.dispatches:rollback", "Go back to the release before."),
        "route": Lazy("vr.cli.dispatch_actions:route", "Route what was swarmed with --hold."),
        "retry": Lazy("vr.cli.dispatch_actions:retry", "Try again what failed."),
        "cancel": Lazy("vr.cli.dispatch_actions:cancel", "Undo what is being dispatched."),
        "scale": Lazy("vr.cli.dispatches:scale", "Run more or fewer procs."),
        "build": Lazy("vr.cli.builds:build", "Build an app at a tag, branch or commit."),
        "upload": Lazy("vr.cli.builds:upload", "Take a stager's droplet as a build of an app."),
    },
    "Look": {
        "list-swarms": Lazy("vr.cli.swarms:list_swarms", "List swarms and their procs' health."),
        "dispatches": Lazy("vr.cli.dispatches:dispatches", "Show what became of past swarms."),
        "procs": Lazy("vr.cli.procs:procs", "List procs; stop, start or restart them."),
        "strays": Lazy("vr.cli.strays:strays", "List procs of no swarm; adopt or remove them."),
        "logs": Lazy("vr.cli.procs:logs", "Show what procs say."),
        "builds": Lazy("vr.cli.builds:builds", "List builds, or end one."),
        "uptests": Lazy("vr.cli.uptests:uptests", "Show what uptests said; run them now."),
        "events": Lazy("vr.cli.events:events", "Show what happened; -f follows."),
    },
    "Set up": {
        "apps": Lazy("vr.cli.apps:apps", "Apps: where their code lives and what builds it."),
        "swarms": Lazy("vr.cli.swarms:swarms", "Swarms: what shall run, where, how often."),
        "squads": Lazy("vr.cli.squads:squads", "Squads of hosts."),
        "hosts": Lazy("vr.cli.hosts:hosts", "Hosts that run procs."),
        "stacks": Lazy("vr.cli.stacks:stacks", "Stacks: what apps build and run in."),
        "buildpacks": Lazy("vr.cli.buildpacks:buildpacks", "Buildpacks, in order of detection."),
        "notify": Lazy("vr.cli.notify:notify", "Who elsewhere is told of events: chat, mail, web."),
        "ingredients": Lazy("vr.cli.ingredients:ingredients", "Config that swarms share."),
    },
}


@click.group(
    cls=LazyGroup,
    commands_table=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="vr")
def vr() -> None:
    """From a repository to tested, supervised, containerised, routed processes.

    Commands talk to the server that VR_URL and VR_TOKEN name, else to the one that `vr up`
    started on this machine. Swarms are named app-config-proc; a PATTERN is a regular expression
    that such a name begins with. --json prints for machines.
    """


def main() -> int:
    """The console script; returns the exit code."""
    return run_main(_run)


def _run() -> int:
    try:
        return vr.main(prog_name="vr", standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort as abort:
        # click makes an interrupt one of these, too.
        if isinstance(abort.__cause__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        print("Nothing was done.", file=sys.stderr)
        return FAILED


if __name__ == "__main__":
    sys.exit(main())
