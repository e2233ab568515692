"""A base image of this machine's own distribution, by mmdebstrap and apt's configuration here."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from vr.container.output import OutputLog, Sink
from vr.errors import VelociraptorError
from vr.files.pack import pack
from vr.files.scratch import scratch
from vr.imager import apt
from vr.imager.stack_cache import key_of
from vr.paths import Root

_APT = Path("/etc/apt")
_OS_RELEASE = Path("/etc/os-release")


@dataclass(frozen=True)
class BasePlan:
    """What a base is made of; two equal plans make the same base, as far as mirrors allow."""

    suite: str
    sources: tuple[apt.AptSource, ...]
    settings: str

    @property
    def key(self) -> str:
        """Short hash of the plan."""
        text = f"{self.suite}\n{apt.sources_list(self.sources)}\n{self.settings}"
        return key_of(text.encode())

    @property
    def packages(self) -> tuple[str, ...]:
        """What apt inside needs beyond a minimal system."""
        secure = any("https:" in source.uri for source in self.sources)
        return ("ca-certificates",) if secure else ()


def plan_base() -> BasePlan:
    """Read this machine's configuration; raises VelociraptorError if there is nothing to use."""
    suite = _suite(_OS_RELEASE.read_text())
    sources = tuple(_sources())
    if not suite or not sources:
        raise VelociraptorError(
            "This machine's apt configuration names no http or https source to make an image from.",
            hint="Check /etc/apt/sources.list and sources.list.d, or bring a base image along.",
        )
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True)
    return BasePlan(suite, sources, apt.settings(dump.stdout))


def make_base(
    target: Path, plan: BasePlan, *, root: Root | None = None, log: Sink | None = None
) -> str:
    """Make the base image `target` (.tar.gz); returns its hex MD5.

    Raises VelociraptorError with the end of mmdebstrap's output.
    """
    say = OutputLog(log)
    target.parent.mkdir(parents=True, exist_ok=True)
    work = (root or Root.from_env()).imager
    with scratch(work, "base") as folder, tempfile.NamedTemporaryFile("w", suffix=".conf") as conf:
        conf.write(plan.settings)
        conf.flush()
        system = folder / "root"
        command = _command(plan, system, Path(conf.name))
        say.step(f"Making a base image of {plan.suite}")
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process:
            assert process.stdin and process.stdout
            process.stdin.write(apt.sources_list(plan.sources).encode())
            process.stdin.close()
            while chunk := process.stdout.read1():  # type: ignore[attr-defined]
                say.write(chunk)
        if process.returncode:
            raise VelociraptorError(
                f"mmdebstrap ended with status {process.returncode}.",
                hint="Check that `apt-get update` works on this machine.",
                details=say.tail(),
            )
        return pack(system, target, kind="image")


def _command(plan: BasePlan, system: Path, conf: Path) -> list[str]:
    keyrings = {source.keyring for source in plan.sources if source.keyring}
    uploads = [
        f'--setup-hook=install -D -m 644 {shlex.quote(ring)} "$1"{shlex.quote(ring)}'
        for ring in sorted(keyrings)
        if Path(ring).is_file()
    ]
    include = [f"--include={','.join(plan.packages)}"] if plan.packages else []
    return [
        "mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory",
        f"--aptopt={conf}", *include, *uploads, plan.suite, str(system), "-",
    ]  # fmt: skip


def _sources() -> list[apt.AptSource]:
    one_line = [_APT / "sources.list", *sorted((_APT / "sources.list.d").glob("*.list"))]
    found = [
        source for path in one_line if path.is_file() for source in apt.parse_list(path.read_text())
    ]
    for path in sorted((_APT / "sources.list.d").glob("*.sources")):
        found += apt.parse_deb822(path.read_text())
    return found


def _suite(os_release: str) -> str:
    for line in os_release.splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.partition("=")[2].strip("\"'")
    return ""
