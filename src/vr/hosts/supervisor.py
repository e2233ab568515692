"""Supervisor's XML-RPC with timeouts, and with our errors instead of its faults."""

from __future__ import annotations

import http.client
import re
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.parsers.expat import ExpatError
from xmlrpc.client import Error, Fault, ServerProxy

from supervisor.xmlrpc import Faults, SupervisorTransport, UnixStreamHTTPConnection

from vr.errors import VelociraptorError

SECONDS = 10.0
ProcessInfo = dict[str, Any]
# XML has no way to say such characters, so no program is called by them.
_UNSAYABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class HostUnreachable(VelociraptorError):
    """The host or its Supervisor doesn't answer: what runs there is unknown, which is not
    nothing."""


class SupervisorFault(VelociraptorError):
    """Supervisor refuses. `code` is one of supervisor.xmlrpc.Faults."""

    def __init__(self, where: str, code: int, text: str) -> None:
        self.code = code
        self.text = text
        super().__init__(f"Supervisor of {where}: {text}")


class Supervisor:
    """One host's Supervisor. Each call has a connection of its own, so threads may share it."""

    def __init__(self, host: str, url: str, timeout: float = SECONDS) -> None:
        """`url` is `unix://<socket>` or `http://host:port`."""
        self._host = host
        self._url = url
        self._timeout = timeout

    def answers(self) -> bool:
        """Does anybody listen at the address?"""
        connection = _Transport(self._url, self._timeout).connect()
        try:
            connection.connect()
        except OSError:
            return False
        finally:
            connection.close()
        return True

    def pid(self) -> int:
        """The process id of supervisord itself."""
        return int(self.call("getPID"))

    def all(self) -> list[ProcessInfo]:
        """Every process, foreign ones too."""
        return list(self.call("getAllProcessInfo"))

    def by_name(self) -> dict[str, ProcessInfo]:
        """Every program by its name. Of a foreign one with several processes the last counts."""
        return {str(info["group"]): info for info in self.all()}

    def get(self, name: str) -> ProcessInfo | None:
        """One process; None if Supervisor doesn't know it."""
        if _UNSAYABLE.search(name):
            return None
        info: ProcessInfo | None = self._unless("getProcessInfo", Faults.BAD_NAME, name)
        return info

    def log_file(self, name: str) -> Path | None:
        """The host's file that a process's output goes to; None for one that isn't known, or
        keeps none."""
        info = self.get(name)
        return Path(info["stdout_logfile"]) if info and info["stdout_logfile"] else None

    def start(self, name: str) -> None:
        """Start it without waiting; one that runs is fine."""
        self._unless("startProcess", Faults.ALREADY_STARTED, name, False)

    def stop(self, name: str) -> None:
        """Begin to stop it without waiting; one that doesn't run, or isn't known, is fine."""
        self._unless("stopProcess", (Faults.NOT_RUNNING, Faults.BAD_NAME), name, False)

    def stop_all(self) -> None:
        """Begin to stop every process without waiting, all at once; those that don't run stay
        so."""
        self.call("stopAllProcesses", False)

    def shutdown(self) -> None:
        """Begin to end supervisord. It stops what still runs one by one, so stop all before."""
        self.call("shutdown")

    def signal(self, name: str, signal: str) -> None:
        """Send it a signal, such as TERM; one that doesn't run, or isn't known, is fine."""
        self._unless("signalProcess", (Faults.NOT_RUNNING, Faults.BAD_NAME), name, signal)

    def reload(self) -> list[str]:
        """Read all configuration files again; changes nothing that runs. Gives the names of the
        groups that run by another configuration than is written now."""
        [[_added, changed, _removed]] = self.call("reloadConfig")
        return list(changed)

    def add(self, name: str) -> None:
        """Begin to run a group that the configuration has; a known one is fine."""
        self._unless("addProcessGroup", Faults.ALREADY_ADDED, name)

    def remove(self, name: str) -> bool:
        """Forget a group that has stopped; an unknown one is fine. False if it runs."""
        try:
            self._unless("removeProcessGroup", Faults.BAD_NAME, name)
        except SupervisorFault as fault:
            if fault.code == Faults.STILL_RUNNING:
                return False
            raise
        return True

    def _unless(self, method: str, fine: int | tuple[int, ...], *args: Any) -> Any:
        codes = fine if isinstance(fine, tuple) else (fine,)
        try:
            return self.call(method, *args)
        except SupervisorFault as fault:
            if fault.code in codes:
                return None
            raise

    def call(self, method: str, *args: Any) -> Any:
        """What a method of Supervisor's own namespace returns.

        Raises HostUnreachable, or SupervisorFault if it refuses.
        """
        transport = _Transport(self._url, self._timeout)
        proxy = ServerProxy("http://127.0.0.1", transport=transport)
        try:
            return getattr(proxy.supervisor, method)(*args)
        except Fault as fault:
            raise SupervisorFault(self._host, int(fault.faultCode), fault.faultString) from None
        except (OSError, http.client.HTTPException, Error, ExpatError) as error:
            raise HostUnreachable(
                f"Supervisor of {self._host} does not answer at {self._url}: "
                f"{error or type(error).__name__}",
                hint="Look whether supervisord runs there.",
            ) from None
        finally:
            transport.close()


class _Transport(SupervisorTransport):  # type: ignore[misc]
    """Supervisor's own transport waits for ever."""

    def __init__(self, url: str, timeout: float) -> None:
        super().__init__(None, None, url)
        self._timeout = timeout
        self._get_connection = self.connect

    def connect(self) -> http.client.HTTPConnection:
        if self.serverurl.startswith("unix://"):
            return _UnixConnection(self.serverurl.removeprefix("unix://"), self._timeout)
        address = urlsplit(self.serverurl)
        return http.client.HTTPConnection(
            address.hostname or "", address.port or 80, timeout=self._timeout
        )


class _UnixConnection(UnixStreamHTTPConnection):  # type: ignore[misc]
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self.socketfile = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.socketfile)
