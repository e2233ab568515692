"""What the database holds: intent. Supervisor holds what runs, the balancer what is routed."""

from vr.server.models.api_token import ApiToken
from vr.server.models.build import App, Build, Buildpack, BuildStatus, Release
from vr.server.models.dispatch import (
    Dispatch,
    DispatchStatus,
    PortLease,
    Step,
    StepKind,
    StepStatus,
)
from vr.server.models.event import Event, LogEntry
from vr.server.models.host import Host, Squad
from vr.server.models.stack import Image, Stack
from vr.server.models.swarm import Ingredient, Swarm
from vr.server.models.test_result import TestResult, TestRun

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
