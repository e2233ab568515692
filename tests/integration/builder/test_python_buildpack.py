"""The bundled python buildpack and the example shop, on the bundled stack."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from support.build_machine import Machine
from support.containers import run
from vr.builder import build
from vr.container.launch import host_mounts
from vr.container.spec import Container
from vr.files.unpack import unpack
from vr.imager import ensure_stack
from vr.imager.stack_cache import bundled_file
from vr.paths import Root
from vr.runner.images import ensure_image
from vr.specs.build import BuildSpec
from vr.specs.image import load_spec

TOP = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def image(root: Root) -> Path:
    """The stack as `make setup` leaves it."""
    return ensure_stack(load_spec(bundled_file()), root=root).tarball


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("examples") / "shop"
    subprocess.run([TOP / "examples/make-repo", target], check=True)
    return target


def spec_of(shop: Path, image: Path) -> BuildSpec:
    return BuildSpec(
        app_name="shop",
        app_repo_type="git",
        app_repo_url=str(shop),
        version="v1",
        image_url=str(image),
        image_name="test",
    )


def test_the_shop_is_built_alike_with_cold_and_warm_cache_and_runs(
    shop: Path, image: Path, root: Root, tmp_path: Path
) -> None:
    cold = build(spec_of(shop, image), tmp_path / "cold", root=root)
    warm = build(spec_of(shop, image), tmp_path / "warm", root=root)
    assert cold.process_types.keys() == {"web", "worker"}
    assert cold.build_md5 == warm.build_md5
    assert b"using those of the last build" in (tmp_path / "warm/compile.log").read_bytes()

    layer = tmp_path / "layer"
    layer.mkdir()
    unpack(tmp_path / "warm/build.tar.gz", layer / "app", owner=(65534, 65534))
    container = Container(
        name=f"test-shop-{tmp_path.name}-x",
        lowers=(layer, ensure_image(root, str(image), "test")),
        upper=tmp_path / "upper",
        uid=65534,
        gid=65534,
        mounts=host_mounts(),
        cwd="/app",
    )
    script = (
        ". .profile.d/python.sh; gunicorn --check-config shop:app && "
        "python3 -c 'import shop; print(shop.app.test_client().get(\"/health\").json)'"
    )
    with (tmp_path / "out").open("wb") as out:
        env = {"PATH": "/usr/bin:/bin", "HOME": "/app"}
        code = run(container, tmp_path / "lxc", ["bash", "-c", script], env=env, stdout=out)
    assert (code, (tmp_path / "out").read_text()) == (0, "{'status': 'ok', 'version': 'v1'}\n")


def test_bytecode_names_the_files_where_they_will_run(machine: Machine) -> None:
    app = machine.app({"requirements.txt": "", "Procfile": "web: x\n", "boom.py": "1 / 0\n"})
    machine.build(app)
    unpack(machine.output / "build.tar.gz", machine.folder / "slug")
    code = (machine.folder / "slug/__pycache__/boom.cpython-311.pyc").read_bytes()
    assert b"/app/boom.py" in code
    assert b"/build/" not in code


@pytest.mark.parametrize("line", ["blinker", "blinker>=1.9", "./library", "-r more.txt"])
def test_requirements_that_may_mean_something_else_are_installed_each_time(
    machine: Machine, line: str
) -> None:
    library = '[project]\nname = "library"\nversion = "1"\n[tool.setuptools]\npy-modules = []\n'
    app = machine.app(
        {
            "requirements.txt": f"{line}\n",
            "Procfile": "web: x\n",
            "more.txt": "",
            "library/pyproject.toml": library,
        }
    )
    machine.build(app)
    machine.build(app)
    assert b"Installing requirements with pip" in machine.log


def test_hooks_run_with_the_apps_python_and_its_variables(machine: Machine) -> None:
    app = machine.app(
        {
            "requirements.txt": "",
            "Procfile": "web: x\n",
            "bin/post_compile": "#!/bin/sh\ncommand -v python3; echo token=$TOKEN\n",
        }
    )
    machine.build(app, env={"TOKEN": "t0ken", "PATH": "/evil"})
    assert b"/app/.heroku/python/bin/python3" in machine.log
    assert b"token=t0ken" in machine.log


def test_a_requirement_that_does_not_exist_fails_the_build_with_pips_words(
    machine: Machine,
) -> None:
    from vr.builder import CompileFailed

    app = machine.app({"requirements.txt": "./no-such-folder\n", "Procfile": "web: x\n"})
    with pytest.raises(CompileFailed):
        machine.build(app)
    assert b"no-such-folder" in machine.log


def test_another_python_version_is_mentioned(machine: Machine) -> None:
    app = machine.app(
        {"requirements.txt": "", "Procfile": "web: x\n", "runtime.txt": "python-2.7.18\n"}
    )
    machine.build(app)
    assert b"The app asks for Python 2.7.18" in machine.log


def test_node_apps_run_on_the_stack(root: Root, image: Path, tmp_path: Path) -> None:
    layer = tmp_path / "layer"
    layer.mkdir()
    container = Container(
        name=f"test-node-{tmp_path.name}-x",
        lowers=(ensure_image(root, str(image), "test"),),
        upper=tmp_path / "upper",
        uid=65534,
        gid=65534,
    )
    argv = ["node", "-e", "require('node:http'); process.exit(7)"]
    assert run(container, tmp_path / "lxc", argv, env={"PATH": "/usr/bin:/bin"}) == 7


def test_the_example_repository_is_the_same_each_time(shop: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    subprocess.run([TOP / "examples/make-repo", again], check=True)
    tags = [
        subprocess.run(
            ["git", "-C", folder, "rev-parse", "v1", "v2", "v3"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for folder in (shop, again)
    ]
    assert tags[0] == tags[1]
