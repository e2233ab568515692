"""One step after the other, from a plain machine to a host. Each may be repeated after being cut
off anywhere: what is there already is not done again."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from vr.errors import VelociraptorError
from vr.hosts.preparing import facts, layout, software, texts
from vr.hosts.preparing.facts import Facts
from vr.hosts.remote.shell import Shell

Say = Callable[[str], object]

_APT_SECONDS = 900
_INSTALL_SECONDS = 300
_START_SECONDS = 60
_STOP_SECONDS = 180
_KEPT_RELEASES = 3


@dataclass(frozen=True)
class HostSetup:
    """What a host is told: the server's name for it, where its publisher reports to, the folder
    of procs; `wheels` is where the server keeps what it fetched for hosts. `redis_authority` is
    the text of layout.REDIS_AUTHORITY, which the address may name."""

    name: str
    redis_url: str
    wheels: Path
    apps: str = str(layout.APPS)
    redis_authority: str = ""


def prepare(shell: Shell, setup: HostSetup, say: Say) -> str:
    """Make the machine a host, telling each step; returns the name of the release that it has.

    Procs that run there go on. Raises VelociraptorError, with what was done left in place.
    """
    found = look(shell, setup.name)
    say(f"{found.system}, Python {found.minor}, {found.machine}")
    _packages(shell, found, say)
    release = _software(shell, found, setup, say)
    _configuration(shell, found, setup, say)
    _start(shell, found, say)
    doctor(shell, setup.name, say, apps=setup.apps)
    _forget_old_releases(shell)
    return release


def look(shell: Shell, name: str) -> Facts:
    """What the machine is; raises VelociraptorError if it can't be a host."""
    found = facts.parse(shell.must("looking at it", facts.LOOK))
    if found.uid != 0:
        raise VelociraptorError(
            f"{name}: commands run there as user {found.uid}, expected root.",
            hint="Name a user that sudo makes root: vr hosts add … --user U --sudo",
        )
    facts.check(name, found)
    return found


def trust_key(shell: Shell, public_key: str, user: str) -> None:
    """Let the server's key sign in as `user`, without a password from now on, by sudo too."""
    line = shlex.quote(public_key.strip())
    who = shlex.quote(user)
    shell.must(
        "letting the server's key in",
        f'home=$(getent passwd {who} | cut -d: -f6) && [ -n "$home" ] && umask 077 &&\n'
        f'mkdir -p "$home/.ssh" && file="$home/.ssh/authorized_keys" && touch "$file" &&\n'
        f'{{ grep -qxF -- {line} "$file" || printf "%s\\n" {line} >>"$file"; }} &&\n'
        f'chown {who}: "$home/.ssh" "$file"',
    )
    if user != "root":
        rule = shlex.quote(f"{user} ALL=(root) NOPASSWD: ALL\n")
        shell.must(
            "letting sudo ask for no password",
            f"umask 227 && printf %s {rule} >/etc/sudoers.d/.velociraptor.new &&\n"
            "visudo -cqf /etc/sudoers.d/.velociraptor.new &&\n"
            "mv /etc/sudoers.d/.velociraptor.new /etc/sudoers.d/velociraptor",
        )


def remove(shell: Shell, say: Say) -> None:
    """Undo it: Supervisor with all procs, the unit, our folder. System packages stay, and the
    folder of procs, which may hold volumes."""
    say("stopping Supervisor")
    unit = layout.UNIT.name
    shell.must(
        "stopping Supervisor",
        f"[ ! -e {layout.UNIT} ] || {{ systemctl disable --now {unit} 2>&1 || :; }}\n"
        f"pid=$(cat {layout.PID_FILE} 2>/dev/null || :)\n"
        '[ -z "$pid" ] || ! grep -aq supervisord "/proc/$pid/cmdline" 2>/dev/null || {\n'
        '  kill -TERM "$pid"; n=0\n'
        '  while kill -0 "$pid" 2>/dev/null && [ $n -lt 1200 ]; do sleep 0.1; n=$((n + 1)); done\n'
        '  ! kill -0 "$pid" 2>/dev/null; }',
        timeout=_STOP_SECONDS,
    )
    say("removing the software")
    shell.must(
        "removing the software",
        f"rm -f {layout.UNIT} /etc/sudoers.d/velociraptor\n"
        f"[ ! -d /run/systemd/system ] || systemctl daemon-reload\n"
        # Where it is a mount of its own, its content goes.
        f"find {layout.HOME} -mindepth 1 -delete; rmdir {layout.HOME} 2>/dev/null || :",
    )


def doctor(shell: Shell, name: str, say: Say, *, apps: str = str(layout.APPS)) -> None:
    """Try a container there; raises VelociraptorError with what vrun doctor says."""
    say("trying a container (vrun doctor)")
    result = shell.run(f"VR_ROOT={shlex.quote(apps)} {layout.CURRENT}/bin/vrun doctor", timeout=120)
    if result.status != 0:
        raise VelociraptorError(
            f"{name} has all software, but can't run procs yet.",
            details=result.output[-4000:],
            hint="Mend what vrun doctor says, then repeat it.",
        )


def _packages(shell: Shell, found: Facts, say: Say) -> None:
    if not found.missing:
        say("system packages: all there")
        return
    names = " ".join(found.missing)
    say(f"installing system packages: {names}")
    shell.must(
        f"apt-get install {names}",
        f"apt-get update -q && apt-get install -y -q --no-install-recommends {names}",
        timeout=_APT_SECONDS,
    )


def _software(shell: Shell, found: Facts, setup: HostSetup, say: Say) -> str:
    files = software.members(found.minor, found.machine, setup.wheels)
    release = software.release_name(files)
    if found.release == release:
        say(f"software: {release} is there")
        return release
    data = software.archive(files)
    say(f"bringing the software: {release}, {len(data) / 1e6:.1f} MB")
    folder = layout.RELEASES / release
    partial = layout.RELEASES / f".{release}"
    python = folder / "bin" / "python"
    site = partial / "lib" / f"python{found.minor}" / "site-packages"
    scripts = "\n".join(
        _put(partial / "bin" / name, texts.command_script(str(python), *where), "755")
        for name, where in software.COMMANDS.items()
    )
    shell.must(
        "installing the software",
        f"set -e; umask 022; mkdir -p {layout.RELEASES}; rm -rf {partial}\n"
        f"python3 -m venv --without-pip {partial}\n"
        f"tar -xz --no-same-owner -C {site}\n"
        f"{scripts}\n"
        f"{partial}/bin/python -m compileall -q {site} || :\n"
        f"rm -rf {folder}; mv {partial} {folder}\n"
        f"{folder}/bin/python -I -c 'import vr.hosts.remote.service, vr.agent.publisher'\n"
        f"ln -sfn releases/{release} {layout.CURRENT}.new; mv -T {layout.CURRENT}.new "
        f"{layout.CURRENT}",
        input=data,
        timeout=_INSTALL_SECONDS,
    )
    return release


def _configuration(shell: Shell, found: Facts, setup: HostSetup, say: Say) -> None:
    say("writing the configuration")
    parts = [
        _put(layout.SUPERVISORD_CONF, texts.supervisord_conf(setup.name, apps=setup.apps), "600"),
        _put(layout.START, texts.start_script(), "755"),
    ]
    if setup.redis_authority:
        parts.append(_put(layout.REDIS_AUTHORITY, setup.redis_authority, "644"))
    if found.has_systemd:
        parts += [_put(layout.UNIT, texts.unit(), "644"), "systemctl daemon-reload"]
    procs = shlex.quote(f"{setup.apps}/procs")
    shell.must(
        "writing the configuration",
        f"set -e; umask 077; mkdir -p {layout.ETC} {layout.RUN} {layout.LOGS}\n"
        f"(umask 022; mkdir -p {procs})\n"
        # By stdin: what is in a command line can be read by everybody there.
        f"cat >{layout.REDIS_URL}.new; mv {layout.REDIS_URL}.new {layout.REDIS_URL}\n"
        + "\n".join(parts),
        input=setup.redis_url.encode(),
    )


def _start(shell: Shell, found: Facts, say: Say) -> None:
    """Start Supervisor where it doesn't run; else let the publisher alone be the new one.

    Supervisor itself can't be replaced under its programs.
    """
    control = (
        f"{layout.CURRENT}/bin/python -m supervisor.supervisorctl -c {layout.SUPERVISORD_CONF}"
    )
    running = shell.run(f"{control} pid").status == 0
    if running:
        say("Supervisor runs, with all procs; starting the new publisher")
        shell.must("starting the publisher", f"{control} restart proc_publisher")
        return
    say("starting Supervisor")
    start = (
        f"systemctl enable --now {layout.UNIT.name}"
        if found.has_systemd
        else f"setsid {layout.START} </dev/null >/dev/null 2>&1"
    )
    shell.must(
        "starting Supervisor",
        f"{start}\nn=0; until {control} pid >/dev/null 2>&1; do\n"
        "  n=$((n + 1))\n"
        f"  [ $n -lt 100 ] || {{ tail -n 20 {layout.LOGS}/supervisord.log; exit 1; }}\n"
        "  sleep 0.1\ndone",
        timeout=_START_SECONDS,
    )


def _forget_old_releases(shell: Shell) -> None:
    """Supervisor goes on with the code that it began with, which it has in memory."""
    shell.run(
        f'cd {layout.RELEASES} && now=$(basename "$(readlink {layout.CURRENT})") &&\n'
        f'ls -1t | grep -vxF "$now" | tail -n +{_KEPT_RELEASES} | while read -r old; do\n'
        '  rm -rf "./$old"\ndone'
    )


def _put(path: PurePosixPath, text: str, mode: str) -> str:
    """A script's lines that write a file, complete or not at all."""
    new = path.with_name(f".{path.name}.new")
    return f"printf %s {shlex.quote(text)} >{new}; chmod {mode} {new}; mv {new} {path}"
