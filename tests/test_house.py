"""The house keeps its plan: no wing imports from a wing above it, nothing imports in a circle, tests mirror the folders."""

import subprocess
import sys
from pathlib import Path

from funathon.paths import ROOT

PACKAGE, TESTS = ROOT / "src" / "funathon", ROOT / "tests"


def test_imports_keep_to_the_plan():
    done = subprocess.run([Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_tests_mirror_the_folders():
    wings = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert {path.parent.name for path in TESTS.glob("*/test_*.py")} == wings
    homes = {}
    for path in PACKAGE.glob("**/*.py"):
        homes.setdefault(path.stem, set()).add(path.parent.relative_to(PACKAGE))
    for path in TESTS.glob("**/test_*.py"):
        name = path.stem.removeprefix("test_")
        assert path.parent.relative_to(TESTS) in homes.get(name, {path.parent.relative_to(TESTS)}), f"{path} tests another wing"


def test_modules_are_small():
    long = {
        str(path.relative_to(PACKAGE)): n for path in PACKAGE.glob("**/*.py") if (n := len(path.read_text().splitlines())) > 300
    }
    assert long == {}
