"""README and docs/ hold when their commands are typed as they stand there, one page after another.

Changed are only what a private stack has elsewhere (ports, folders) and addresses of example.org.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.big_folders import big_folder
from support.documents import TOP, Sample, commands, sample
from support.images import test_image as make_test_image
from support.ports import free_port
from support.repositories import GitRepository
from support.stack import BIN, Stack
from support.waiting import until

SECONDS = 300
_MARK = "=== what was typed: "


class Terminal:
    """A shell at which a user types what the pages show."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.folder = folder
        # Whoever has just installed a machine has told git nothing about himself.
        self.env = stack.env | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}

    def here(self, text: str) -> str:
        """The text with this stack's ports and folders."""
        for shown, real in (
            ("localhost:8080", f"localhost:{self.stack.http_port}"),
            ("127.0.0.1:8000", f"127.0.0.1:{self.stack.web_port}"),
            ("/var/lib/velociraptor", str(self.stack.home / "vr")),
        ):
            text = text.replace(shown, real)
        return text

    def run(self, lines: list[str]) -> list[str]:
        """Type the lines into one shell: what each printed. The first that fails ends the test."""
        script = "\n".join(f"printf '%s\\n' '{_MARK}'\n{self.here(line)}" for line in lines)
        done = subprocess.run(
            ["bash", "-e"],
            input=script,
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        printed = done.stdout.split(f"{_MARK}\n")[1:]
        assert done.returncode == 0, (
            f"{lines[len(printed) - 1]}\nexited {done.returncode}\n{printed[-1]}\n{done.stderr}"
        )
        return printed

    def follow(self, *shown: Sample) -> None:
        """Type the commands of these blocks; what they print must be what the page shows."""
        typed = [command for one in shown for command in commands(one)]
        printed = self.run([command.line for command in typed])
        for command, text in zip(typed, printed, strict=True):
            assert command.agrees(text), f"{command.line}\nprinted {text}\nnot {command.shown}"

    def write(self, name: str, *shown: Sample) -> Path:
        """A file of the folder with what these blocks hold."""
        path = self.folder / name
        path.write_text(self.here("".join(one.text for one in shown)))
        return path


@pytest.fixture(scope="module")
def tried() -> Iterator[Stack]:
    """A stack on which README's 'Try it' was done: `make run` is `bin/setup` and `vr demo`."""
    stack = Stack(big_folder("vr-docs-"), procs=60)
    # As /apps, which others than root pass through: the roots of containers that make images.
    stack.home.chmod(0o755)
    stack.env["VR_NATS_PORT"] = str(free_port())
    try:
        stack.vr("demo")
        yield stack
        stack.down()
        assert stack.leftovers() == []
    finally:
        stack.remove()


@pytest.fixture
def terminal(tried: Stack, tmp_path: Path) -> Terminal:
    return Terminal(tried, tmp_path)


def test_an_app_of_ones_own_runs_right_after_the_example(terminal: Terminal) -> None:
    terminal.follow(
        sample("README.md", "# git init --quiet hello"), sample("README.md", "# vr apps add hello")
    )
    assert terminal.stack.version("shop") == "v1", "the example app is still there"


def test_what_readme_says_to_do_then_works(terminal: Terminal) -> None:
    table = re.findall(r"^\| (`vr [^|]+) \|", (TOP / "README.md").read_text(), re.MULTILINE)
    lines = [line for cell in table for line in re.findall(r"`(vr [^`]+)`", cell)]
    assert "vr rollback shop" in lines
    terminal.run(lines)
    assert terminal.stack.version("shop") == "v1"


def test_the_first_page_s_example_and_what_comes_afterwards(terminal: Terminal) -> None:
    terminal.follow(
        sample("docs/swarms.md", "# vr swarms add shop web"),
        sample("docs/swarms.md", "# vr rollback shop-prod-web"),
        sample("docs/swarms.md", "# vr swarm shop-prod-web v1 --hold"),
        sample("README.md", "# vr swarm shop v2"),
    )
    assert terminal.stack.version("shop_prod") == "v2"


def test_the_api_answers_curl(terminal: Terminal) -> None:
    terminal.stack.vr("swarms", "remove", "shop-prod-web", "--yes", check=False)
    terminal.follow(sample("docs/api.md", "# export VR_URL"))


def test_the_client_swarms_from_python(terminal: Terminal) -> None:
    path = terminal.write("swarm.py", sample("docs/api.md", "from vr.client import Client"))
    (printed,) = terminal.run([f"{sys.executable} {path}"])
    assert printed.splitlines()[-1].startswith("succeeded ['build', 'release'")


def test_a_new_key_is_taken(terminal: Terminal) -> None:
    secrets = terminal.stack.home / "vr" / "secrets"
    shutil.copy(secrets / "secret-key", secrets / "former-secret-keys")
    terminal.folder = TOP
    terminal.run(sample("docs/settings.md", "export VR_HOME=").text.splitlines())
    (secrets / "former-secret-keys").unlink()


def test_build_yaml_builds(terminal: Terminal) -> None:
    terminal.write("build.yaml", sample("docs/builder.md", "app_name: shop"))
    terminal.run(["vbuild build build.yaml"])
    with tarfile.open(terminal.folder / "build.tar.gz") as slug:
        assert "edition.py" in slug.getnames()


def test_build_yaml_with_image_and_buildpack_builds(terminal: Terminal) -> None:
    buildpack = GitRepository(terminal.folder / "buildpack")
    shutil.copytree(TOP / "buildpacks" / "python", buildpack.path, dirs_exist_ok=True)
    buildpack.commit({}, tag="v7")
    (image, *_) = terminal.run(["vimage stack"])[0].split()
    path = terminal.write(
        "build.yaml",
        sample("docs/builder.md", "app_name: shop"),
        sample("docs/builder.md", "image_url:"),
    )
    path.write_text(
        path.read_text()
        .replace("https://git.example.org/buildpack.git", buildpack.url)
        .replace("/srv/images/debian12.tar.gz", image)
    )
    terminal.run(["vbuild build build.yaml"])
    (by_hand,) = sample("docs/builder.md", "/builder.sh").text.splitlines()
    (printed,) = terminal.run([f"echo '{by_hand}' | vbuild shell build.yaml 2>&1"])
    assert "Using the stack's Python" in printed


def test_image_yaml_makes_an_image(terminal: Terminal) -> None:
    terminal.run(["vimage stack"])
    # Smaller than that of `vimage base`, which takes minutes.
    (terminal.folder / "debian12_base.tar.gz").symlink_to(make_test_image())
    terminal.write("image.yaml", sample("docs/stacks.md", "base_image_url:"))
    terminal.write("provision.sh", sample("docs/stacks.md", "#!/bin/sh"))
    terminal.run(["vimage build image.yaml"])
    with tarfile.open(terminal.folder / "debian12_20260101_1.tar.gz") as image:
        member = image.extractfile("etc/motd")
        assert member and member.read() == b"Welcome to an image of our own\n"


def test_a_proc_runs_without_a_server(terminal: Terminal) -> None:
    port = free_port()
    setup, run = commands(sample("docs/runners.md", "# vrun_precise setup"))
    path = terminal.write("hello.yaml", sample("docs/runners.md", "# hello.yaml"))
    path.write_text(path.read_text().replace("5001", str(port)))
    (printed,) = terminal.run([setup.line])
    assert printed.strip() == setup.shown.strip().replace("5001", str(port))
    running = subprocess.Popen(
        [str(BIN / run.line.split()[0]), *run.line.split()[1:]],
        cwd=terminal.folder,
        env=terminal.env,
        stdin=subprocess.DEVNULL,
    )

    def answers() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    try:
        until(answers, "the proc answers", seconds=60)
    finally:
        running.terminate()
        running.wait(30)
        terminal.run(["vrun_precise teardown hello.yaml"])
    terminal.run([one.line for one in commands(sample("docs/runners.md", "# vrun gc --dry-run"))])
    (checked,) = commands(sample("docs/runners.md", "# vrun doctor"))
    assert "container: starts and ends" in terminal.run([checked.line])[0]


def test_the_farm_builds_and_a_droplet_is_swarmed(terminal: Terminal) -> None:
    lines = sample("docs/stager.md", "VR_BUILDER=nats vr up").text.splitlines()
    assert len(lines) == 2
    terminal.run([*lines])
    terminal.folder = TOP
    try:
        droplet = sample("docs/stager.md", "export NATS_URI=").text.splitlines()
        assert "Hello" in terminal.run([line for line in droplet if line])[-1]
    finally:
        (TOP / "node.tgz").unlink(missing_ok=True)
