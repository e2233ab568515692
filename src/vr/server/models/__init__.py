"""What the database holds: intent. Supervisor holds what runs, the balancer what is routed."""

from vr.server.models.api_token import ApiToken
from vr.server.models.app import App
from vr.server.models.app_uid import AppUid
from vr.server.models.build import Build, BuildStatus
from vr.server.models.buildpack import Buildpack
from vr.server.models.dispatch import Dispatch, DispatchStatus
from vr.server.models.duty import Duty
from vr.server.models.event import Event
from vr.server.models.host import Host
from vr.server.models.host_job import HostJob, HostJobKind, HostJobStatus
from vr.server.models.image import Image
from vr.server.models.ingredient import Ingredient
from vr.server.models.log_entry import LogEntry
from vr.server.models.notice import Notice, NoticeStatus
from vr.server.models.notifier import Notifier
from vr.server.models.port_lease import PortLease
from vr.server.models.proc_health import ProcHealth, ProcStatus, Told
from vr.server.models.release import Release
from vr.server.models.server_key import ServerKey
from vr.server.models.squad import Squad
from vr.server.models.stack import Stack
from vr.server.models.step import Step, StepKind, StepStatus
from vr.server.models.swarm import Swarm
from vr.server.models.test_result import TestResult
from vr.server.models.test_run import TestRun
from vr.server.models.uptest_job import UptestJob

__all__ = [
    "ApiToken",
    "App",
    "AppUid",
    "Build",
    "BuildStatus",
    "Buildpack",
    "Dispatch",
    "DispatchStatus",
    "Duty",
    "Event",
    "Host",
    "HostJob",
    "HostJobKind",
    "HostJobStatus",
    "Image",
    "Ingredient",
    "LogEntry",
    "Notice",
    "NoticeStatus",
    "Notifier",
    "PortLease",
    "ProcHealth",
    "ProcStatus",
    "Release",
    "ServerKey",
    "Squad",
    "Stack",
    "Step",
    "StepKind",
    "StepStatus",
    "Swarm",
    "TestResult",
    "TestRun",
    "Told",
    "UptestJob",
]
