"""Modules of the server that must not import one another in circles."""

from __future__ import annotations

import grimp

ROOMS = (
    "vr.server.access",
    "vr.server.answers",
    "vr.server.api",
    "vr.server.resources",
    "vr.server.streams",
)


def test_no_module_of_these_rooms_is_part_of_a_circle() -> None:
    graph = grimp.build_graph("vr")
    modules = [module for module in graph.modules if module.startswith(ROOMS)]
    assert len(modules) > 40
    circles = [
        f"{module} ⇄ {imported}"
        for module in modules
        for imported in sorted(graph.find_modules_directly_imported_by(module))
        if module != imported and graph.find_shortest_chain(imported, module)
    ]
    assert circles == []
