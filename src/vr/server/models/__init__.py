"""What the database holds: intent. Supervisor holds what runs, the balancer what is routed."""

from vr.server.models.access import ApiToken
from vr.server.models.apps import App, Build, Buildpack, BuildStatus, Release
from vr.server.models.dispatch import (
    Dispatch,
    DispatchStatus,
    PortLease,
    Step,
    StepKind,
    StepStatus,
)
from vr.server.models.events import Event, LogEntry
from vr.server.models.hosts import Host, Squad
from vr.server.models.stacks import Image, Stack
from vr.server.models.swarms import Ingredient, Swarm
from vr.server.models.uptests import TestResult, TestRun

__all__ = [
    "ApiToken",
    "App",
    "Build",
    "BuildStatus",
    "Buildpack",
    "Dispatch",
    "DispatchStatus",
    "Event",
    "Host",
    "Image",
    "Ingredient",
    "LogEntry",
    "PortLease",
    "Release",
    "Squad",
    "Stack",
    "Step",
    "StepKind",
    "StepStatus",
    "Swarm",
    "TestResult",
    "TestRun",
]
