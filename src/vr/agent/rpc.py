"""A plugin of Supervisor: the `vr` namespace of its XML-RPC. It also closes Supervisor's pages.

    [rpcinterface:vr]
    supervisor.rpcinterface_factory = vr.agent.rpc:make_vr_rpcinterface
    apps_root = /apps

None is marshalled as XML-RPC's nil.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from vr.agent.closed_pages import close_pages
from vr.paths import DEFAULT_ROOT, Root
from vr.specs.names import ProcName


class VelociraptorRPC:
    """What Velociraptor knows of the procs of this host."""

    def __init__(self, root: Root, processes: Any) -> None:
        """`processes` is Supervisor's own RPC namespace."""
        self._root = root
        self._processes = processes

    def get_velociraptor_info(self, name: str) -> dict[str, Any]:
        """The proc.yaml of a proc as a struct; {} for a foreign one, or one being removed."""
        if ProcName.parse(name) is None or "/" in name:
            return {}
        try:
            loaded = yaml.safe_load(self._root.proc(name).proc_yaml.read_text())
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            return {}
        return loaded if isinstance(loaded, dict) else {}

    def get_proc_info(self, name: str) -> dict[str, Any]:
        """`{supervisor, velociraptor}` of one proc; Supervisor's fault for an unknown one."""
        return self._both(self._processes.getProcessInfo(name))

    def get_all_procs_info(self) -> list[dict[str, Any]]:
        """The same of every proc."""
        return [self._both(info) for info in self._processes.getAllProcessInfo()]

    def _both(self, info: dict[str, Any]) -> dict[str, Any]:
        return {"supervisor": info, "velociraptor": self.get_velociraptor_info(info["name"])}


def make_vr_rpcinterface(supervisord: Any, **config: str) -> VelociraptorRPC:
    """Supervisor's factory; the only setting is `apps_root`."""
    from supervisor import xmlrpc
    from supervisor.rpcinterface import SupervisorNamespaceRPCInterface

    close_pages(supervisord)
    _marshal_none(xmlrpc)
    root = Root(Path(config.get("apps_root", DEFAULT_ROOT)))
    return VelociraptorRPC(root, SupervisorNamespaceRPCInterface(supervisord))


def _marshal_none(xmlrpc: Any) -> None:
    """Supervisor refuses None, but a proc.yaml has nulls; XML-RPC's nil says it."""
    dumps = xmlrpc.xmlrpclib.dumps

    def dumps_with_nil(*args: Any, **kwargs: Any) -> str:
        kwargs["allow_none"] = True
        return str(dumps(*args, **kwargs))

    if not getattr(xmlrpc.xmlrpclib.dumps, "marshals_none", False):
        dumps_with_nil.marshals_none = True  # type: ignore[attr-defined]
        xmlrpc.xmlrpclib.dumps = dumps_with_nil
