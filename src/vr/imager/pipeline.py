"""From a base image and a script to a new image (docs/reference/image-yaml.md)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vr.container import cgroups
from vr.container.launch import ContainerTimeout, host_mounts
from vr.container.output import LimitReached, OutputLog, Sink, run_logged
from vr.container.spec import FIRST_PROVISION_ID, Container, Mount
from vr.errors import VelociraptorError
from vr.files.download import fetch, file_name, local_path
from vr.files.pack import pack
from vr.files.scratch import scratch
from vr.files.unpack import unpack
from vr.machine.path import SYSTEM_PATH
from vr.paths import Root
from vr.runner.interactive import interact
from vr.runner.layers import obtain
from vr.runner.limits import build_limits, build_seconds
from vr.specs.image import ImageSpec

_PREFIX = "build_image-"
# Not where ca-certificates puts its own: a package can't replace a file that is a mount.
_CA_BUNDLE = "/etc/velociraptor-ca.crt"
_APT_CONFIG = "/etc/velociraptor-apt.conf"
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
# Made by LXC for each container, or meant for the running system only.
_LEFT_OUT = ("dev/", "proc/", "sys/", "run/", "tmp/", "var/tmp/")


class ProvisioningFailed(VelociraptorError):
    """The script ended with an error; `details` holds the end of its output."""


@dataclass(frozen=True)
class ImageResult:
    """A finished image: its name, the tarball and its hex MD5."""

    name: str
    tarball: Path
    md5: str


@dataclass(frozen=True)
class Prepared:
    """An unpacked base and the container that the script runs in."""

    system: Path
    container: Container
    generated: Path
    env: dict[str, str]
    script: str


def build(
    spec: ImageSpec,
    output: Path,
    *,
    root: Root | None = None,
    log: Sink | None = None,
    timeout: float | None = None,
) -> ImageResult:
    """Make the image: `<new_image_name>.tar.gz` and `.log` in `output`.

    `log` gets the script's output as it comes; the script may run for `timeout` seconds, those of
    VR_BUILD_SECONDS unless given, and use what VR_BUILD_LIMITS says. Raises ProvisioningFailed, and
    what fetching base and script raises; then there is no new tarball.
    """
    output.mkdir(parents=True, exist_ok=True)
    say = OutputLog(log)
    say.keep_in(output / f"{spec.new_image_name}.log")
    try:
        say.step(f"Unpacking the base image {spec.base_image_name}")
        with _prepared(spec, root or Root.from_env()) as job:
            say.step(f"Running {job.script.lstrip('/')}")
            _provision(spec, job, say, timeout)
            say.step("Packing the image")
            tarball = output / f"{spec.new_image_name}.tar.gz"
            md5 = pack(job.system, tarball, kind="image", exclude=_is_left_out)
        say.step(f"Done: {tarball.name}, {tarball.stat().st_size / 1e6:.0f} MB, md5 {md5}")
    finally:
        say.close()
    return ImageResult(spec.new_image_name, tarball, md5)


def shell(spec: ImageSpec, *, root: Root | None = None) -> int:
    """A root shell on this terminal where the script would run; nothing of it is kept.

    Returns the shell's exit code.
    """
    with _prepared(spec, root or Root.from_env()) as job:
        prompt = f"image {spec.new_image_name}"
        return interact(job.container, job.generated, env=job.env, prompt=prompt)


def script_environment(host: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str]:
    """The script's environment: fixed parts, the host's proxies, then `env` of the spec."""
    proxies = {name: value for name, value in host.items() if name.lower() in _PROXIES}
    return {
        "PATH": SYSTEM_PATH,
        "HOME": "/root",
        "TERM": host.get("TERM", "dumb"),
        "SSL_CERT_FILE": _CA_BUNDLE,
        "CURL_CA_BUNDLE": _CA_BUNDLE,
        "APT_CONFIG": _APT_CONFIG,
        **proxies,
        **env,
    }


def _provision(spec: ImageSpec, job: Prepared, say: OutputLog, timeout: float | None) -> None:
    timeout = build_seconds() if timeout is None else timeout
    try:
        code = run_logged(
            job.container, job.generated, [job.script], env=job.env, log=say, timeout=timeout
        )
    except ContainerTimeout as error:
        raise ProvisioningFailed(
            f"{spec.script_url} was stopped. {error.message}",
            hint="Give it more time (VR_BUILD_SECONDS).",
            details=say.tail(),
        ) from None
    except LimitReached as error:
        raise ProvisioningFailed(
            f"{spec.script_url} reached its limits. {error.message}",
            hint="Let it need less, or widen VR_BUILD_LIMITS.",
            details=say.tail(),
        ) from None
    if code:
        raise ProvisioningFailed(
            f"{spec.script_url} ended with status {code}.",
            hint="`vimage shell` opens a shell where it failed; the end of its output is above.",
            details=say.tail(),
        )


@contextmanager
def _prepared(spec: ImageSpec, root: Root) -> Iterator[Prepared]:
    with scratch(
        _work_folder(root),
        spec.new_image_name[:60],
        abandoned=lambda name: cgroups.sweep(_PREFIX + name),
    ) as folder:
        script = folder / file_name(spec.script_url)
        fetch(spec.script_url, script)
        script.chmod(0o755)
        system = folder / "root"
        unpack(_base(spec, root, folder), system, kind="image")
        generated = folder / "container"
        inside = f"/{script.name}"
        # A mount, not a copy: nothing of it can stay behind in the image.
        apt_conf = folder / "apt.conf"
        apt_conf.write_text(f'Acquire::https::CAInfo "{_CA_BUNDLE}";\n')
        mounts = (
            Mount(script, inside, is_file=True),
            Mount(apt_conf, _APT_CONFIG, is_file=True),
            *(mount for mount in host_mounts() if mount.target != "/etc/hosts"),
        )
        mounts = tuple(_apart_from_packages(mount) for mount in mounts)
        container = Container(
            name=_PREFIX + folder.name,
            lowers=(),
            upper=system,
            uid=0,
            gid=0,
            mounts=mounts,
            limits=build_limits(),
            cwd="/",
            role="provision",
        )
        yield Prepared(
            system, container, generated, script_environment(os.environ, spec.env), inside
        )


def _work_folder(root: Root) -> Path:
    """Where images are made. No user of the host gets in, to use what a script made setuid; the
    container's root, who is an ordinary user of the host, passes through.

    Raises VelociraptorError if a folder above keeps that one out.
    """
    work = root.imager
    work.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.chown(work, 0, FIRST_PROVISION_ID)
    work.chmod(0o710)
    for folder in work.absolute().parents:
        if not folder.stat().st_mode & 0o001:
            raise VelociraptorError(
                f"Images can't be made below {folder}: the container's root, who is no root of "
                "this host, may not pass through it.",
                hint=f"chmod o+x {folder}, or use another VR_ROOT.",
            )
    return work


def _apart_from_packages(mount: Mount) -> Mount:
    if mount.target.startswith("/etc/ssl/"):
        return Mount(mount.source, _CA_BUNDLE, is_file=True, optional=mount.optional)
    return mount


def _base(spec: ImageSpec, root: Root, folder: Path) -> Path:
    """The base's tarball. Without a checksum a remote one is fetched each time: the same name
    may have got other content."""
    url = spec.base_image_url
    if spec.base_image_md5 is None and local_path(url) is None:
        return fetch(url, folder / file_name(url))
    downloads = root.image(spec.base_image_name)
    downloads.mkdir(parents=True, exist_ok=True)
    tarball, _md5 = obtain(url, downloads, spec.base_image_md5, None)
    return tarball


def _is_left_out(path: str) -> bool:
    return path.startswith(_LEFT_OUT)
