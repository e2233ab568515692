"""Supervisor's HTTP interface without its pages.

Those pages act on GET: a link is enough to stop every program. XML-RPC and the log tails, which
`supervisorctl` uses, are left; anything else is answered with 404.
"""

from __future__ import annotations

from typing import Any


def close_pages(supervisord: Any) -> None:
    """Let no page be answered, on none of Supervisor's addresses. For its plugins, which are made
    while the servers are, and before any of them is asked."""
    from supervisor import events

    def close(_: object) -> None:
        for _config, server in supervisord.options.httpservers:
            server.handlers = [handler for handler in server.handlers if _stays(handler)]

    # The first thing that happens once all servers are there.
    events.subscribe(events.SupervisorRunningEvent, close)


def _stays(handler: Any) -> bool:
    from supervisor.http import logtail_handler, mainlogtail_handler
    from supervisor.xmlrpc import supervisor_xmlrpc_handler

    # With a password, each stands behind one that asks for it.
    behind = getattr(handler, "handler", handler)
    return isinstance(behind, supervisor_xmlrpc_handler | logtail_handler | mainlogtail_handler)
