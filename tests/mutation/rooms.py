"""Which modules are pure enough that their tests should notice every change, and which tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parent.parent
PROJECT = TESTS.parent
SOURCES = PROJECT / "src" / "vr"


@dataclass(frozen=True)
class Room:
    """Modules below src/vr, and the tests below tests/ that should notice their changes.

    Tests that need Django's models take seconds more to begin.
    """

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]
    needs_django: bool = False

    def tests_of(self, module: str) -> list[Path]:
        """The room's tests, those that are called after the module first."""
        called = f"test_{Path(module).stem}.py"
        folder = TESTS / Path(self.tests[0])
        own = (folder if folder.is_dir() else folder.parent) / called
        return [*([own] if own.exists() else []), *(TESTS / test for test in self.tests)]


ROOMS = (
    Room(
        "planner",
        tuple(f"server/swarming/{name}.py" for name in ("plan", "lineup", "plan_types", "placing")),
        (
            "unit/server/swarming/test_plan.py",
            "unit/server/swarming/test_lineup.py",
            "unit/server/swarming/test_placing.py",
            "unit/server/swarming/test_plan_simulation.py",
        ),
    ),
    Room(
        "specs",
        tuple(f"specs/{path.name}" for path in sorted((SOURCES / "specs").glob("[a-z]*.py"))),
        ("unit/specs",),
    ),
    Room(
        "unpack",
        ("files/unpack.py", "files/unzip.py", "files/archives.py"),
        ("unit/files/test_unpack.py", "unit/files/test_unzip.py", "unit/files/test_archives.py"),
    ),
    Room(
        "lxc",
        ("container/lxc.py", "container/network.py", "container/mountpoints.py"),
        (
            "unit/container/test_lxc.py",
            "unit/container/test_network.py",
            "unit/container/test_mountpoints.py",
        ),
    ),
    Room("board", ("server/web/board.py",), ("unit/server/web/test_board.py",), needs_django=True),
    Room("interfaces", ("pilot/interfaces.py",), ("unit/pilot/test_interfaces.py",)),
    Room("dea", ("dea/environment.py",), ("unit/dea/test_environment.py",)),
    Room(
        "stager",
        ("stager/detection.py", "stager/scripts.py"),
        ("unit/stager/test_detection.py", "unit/stager/test_scripts.py"),
    ),
)
