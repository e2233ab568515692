"""A running stack brought to the code that is installed and to the settings of now.

Part by part, each only if it differs. supervisord and the procs are never stopped, and nginx only
reads its configuration again. Whatever can be found wrong is found before anything is stopped;
killed at any line, the next `vr up` goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vr.errors import InvalidInput, VelociraptorError
from vr.hosts.supervisor import Supervisor
from vr.text.plurals import counted
from vr.up import (
    bridge,
    changes,
    configuration,
    database,
    health,
    listener,
    nginx_reload,
    pools,
    procs,
    stamps,
    waiting,
)
from vr.up.changes import BACKGROUND, Changes
from vr.up.config import Config, port_problem
from vr.up.configuration import Configuration
from vr.up.parts import Part, parts_of
from vr.up.waiting import Say

# The longest that supervisord gives a part to end, and some for itself.
_STOP_SECONDS = 40


def refresh(config: Config, supervisord: Supervisor, say: Say) -> None:
    """Start what doesn't run and replace what runs as it should not, until all is healthy.

    Raises InvalidInput or VelociraptorError; in each case it says what still runs.
    """
    wanted = configuration.wanted(config, stamps.installed_code())
    found = _changes(config, wanted, running(supervisord), ())
    # What this version is the first to have, its own commands read already.
    wanted.write(only_missing=True)
    schema = _check(config, supervisord, found, say)
    wanted.write()
    altered = supervisord.reload()
    procs.start_if_all_was_stopped(config, supervisord)
    now = running(supervisord)
    found = _changes(config, wanted, now, altered)
    _rest(supervisord, found, say)
    if schema:
        _prepare(config, supervisord, schema, found, say)
    pools.listen_anew(config)
    _renew(config, supervisord, wanted, found, say)


def outdated(parts: Iterable[Part]) -> tuple[str, ...]:
    """The parts that run, but other code of ours than is installed."""
    ours = [part for part in parts if part.name in changes.OURS and part.pid]
    codes = {part.name: stamps.code_of(stamps.of_process(part.pid)) for part in ours}
    return changes.older(stamps.installed_code(), codes) if codes else ()


def running(supervisord: Supervisor) -> dict[str, Part]:
    """The stack's own parts that supervisord knows, by name."""
    return {part.name: part for part in parts_of(supervisord) if part.name in health.EVERY}


def _changes(
    config: Config, wanted: Configuration, known: dict[str, Part], altered: Iterable[str]
) -> Changes:
    run = {name: stamps.of_process(part.pid) for name, part in known.items() if part.pid}
    moving = [
        part
        for part, _variable, port in _ports(config)
        if part in run and _is_to_move(listener.addresses(known[part].pid), config.bind, port)
    ]
    return changes.changes(wanted.stamps, run, known, tuple(altered), moving)


def _ports(config: Config) -> tuple[tuple[str, str, int], ...]:
    """Parts that listen for people, each with the setting and the number of its port."""
    return (
        ("web", "VR_WEB_PORT", config.web_port),
        ("nginx", "VR_HTTP_PORT", config.http_port),
    )


def _is_to_move(own: set[tuple[str, int]], address: str, port: int) -> bool:
    """Whether who listens at `own` has the port, but at another address."""
    return (address, port) not in own and port in {own_port for _, own_port in own}


def _check(
    config: Config, supervisord: Supervisor, found: Changes, say: Say
) -> database.Schema | None:
    """Find what is wrong while all still runs as before. Gives the database's state, unless it
    is nobody's business."""
    known = running(supervisord)
    problems = []
    for part, variable, port in _ports(config):
        own = listener.addresses(known[part].pid) if part in known and known[part].pid else set()
        problem = port_problem(config.bind, port)
        if problem and port not in {own_port for _, own_port in own}:
            problems.append(f"port {port} {problem}; free it or set {variable} to another")
    if problems:
        raise InvalidInput("this machine", problems)
    if found.replaced:
        say(f"not as installed and set: {', '.join(found.replaced)}")
    return database.check(config, say) if found.concern_the_database else None


def _rest(supervisord: Supervisor, found: Changes, say: Say) -> None:
    """Stop what must not work while the database changes, and what is not wanted any more."""
    ending = [name for name in found.replaced if name in BACKGROUND] + list(found.removed)
    if ending:
        say(f"stopping {', '.join(ending)}")
        _stop(supervisord, ending)
    for name in found.removed:
        supervisord.remove(name)


def _prepare(
    config: Config, supervisord: Supervisor, schema: database.Schema, found: Changes, say: Say
) -> None:
    try:
        if schema.pending:
            kept = database.keep_a_copy(config)
            where = f"; as it was, it stays in {kept}" if kept else ""
            say(f"migrating the database{where}")
        database.prepare(config)
    except VelociraptorError as error:
        raise VelociraptorError(
            error.message,
            details=error.details,
            hint=f"{_after_failure(config, supervisord, found, say)} {error.hint}".rstrip(),
        ) from None


def _after_failure(config: Config, supervisord: Supervisor, found: Changes, say: Say) -> str:
    """Start what was stopped for the database, if it can work with that as it is now; gives a
    sentence about what holds."""
    stopped = [name for name in found.replaced if name in BACKGROUND]
    if not database.is_current(config):
        return (
            "web and all procs go on as before, but what works in the background was "
            "stopped, and the installed code can't work with the database as it is: nothing is "
            "built or swarmed until vr up ends well."
        )
    for name in stopped:
        _start_anew(supervisord, name, found, say)
    return (
        "The database itself is of the installed version: web and all procs go on as before, "
        "what works in the background runs again. Run vr up again when this is mended."
    )


def _renew(
    config: Config,
    supervisord: Supervisor,
    wanted: Configuration,
    found: Changes,
    say: Say,
) -> None:
    """Start the parts anew, one after the other, and wait until all is healthy."""
    for name in wanted.stamps:
        if name in found.touched and name != "web":
            _start_anew(supervisord, name, found, say)
    if "nginx" not in found.touched:
        nginx_reload.reload_if_changed(config, wanted.stamps["nginx"], say)
    if "web" in found.touched:
        _renew_web(config, supervisord, found, say)
    waiting.until_healthy(config, supervisord, say)
    nginx_reload.remember(config, wanted.stamps["nginx"])


def _renew_web(config: Config, supervisord: Supervisor, found: Changes, say: Say) -> None:
    """Replace web, while another process of the new code serves in its place."""
    part = running(supervisord).get("web")
    pid = part.pid if part else 0
    listening = listener.of_process(pid, config.bind, config.web_port) if pid else None
    with bridge.serving(config, listening):
        _start_anew(supervisord, "web", found, say)
        if listening:
            waiting.until(
                lambda: _serves(config, supervisord), waiting.UP_SECONDS, "web does not serve yet"
            )


def _serves(config: Config, supervisord: Supervisor) -> bool:
    """Whether the web process of supervisord takes requests; raises if it won't."""
    part = running(supervisord)["web"]
    if part.is_stopped:
        raise VelociraptorError(
            f"web is {part.statename}: {part.description}",
            details=waiting.tail(Path(part.logfile)),
            hint="Mend what its log says and run vr up again.",
        )
    return bridge.is_serving(config.web_ready, part.pid)


def _start_anew(supervisord: Supervisor, name: str, found: Changes, say: Say) -> None:
    _stop(supervisord, [name])
    supervisord.remove(name)
    supervisord.add(name)
    supervisord.start(name)
    say(f"{name} {'replaced' if name in found.replaced else 'started'}")


def _stop(supervisord: Supervisor, names: list[str]) -> None:
    """Stop the parts, all at once, and wait until they have ended."""
    for name in names:
        supervisord.stop(name)
    waiting.until(
        lambda: all(
            part.is_stopped for name, part in running(supervisord).items() if name in names
        ),
        _STOP_SECONDS,
        f"{counted(len(names), 'part')} still run ({', '.join(names)})",
    )
