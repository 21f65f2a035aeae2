"""The workflow that publishes the site, and the script that SSP Cloud runs. Neither can be run here as it runs there."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from funathon.course.launching import BRANCH, INIT_SCRIPT
from funathon.paths import LAB_SETTINGS, ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_uses_no_secret_and_may_only_read(path):
    text = path.read_text()
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    assert "secrets." not in text
    assert "pull_request_target" not in text


def test_pull_requests_are_built_and_tested_and_only_main_is_published():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "site.yml").read_text())
    triggers = workflow[True]  # YAML takes the key `on` for the truth value
    assert "pull_request" in triggers and triggers["push"]["branches"] == [BRANCH]
    build, publish = workflow["jobs"]["build"], workflow["jobs"]["publish"]
    assert "permissions" not in build
    commands = [step["run"] for step in build["steps"] if "run" in step]
    assert "uv run funathon build" in commands and "uv run pytest" in commands
    (upload,) = [step for step in build["steps"] if "upload-pages-artifact" in step.get("uses", "")]
    assert upload["with"]["path"] == "_site"
    for condition in (upload["if"], publish["if"]):
        assert f"github.ref == 'refs/heads/{BRANCH}'" in condition and "github.event_name != 'pull_request'" in condition
    assert publish["needs"] == "build"
    assert publish["permissions"] == {"pages": "write", "id-token": "write"}


def test_every_step_names_a_version():
    for path in WORKFLOWS:
        for job in yaml.safe_load(path.read_text())["jobs"].values():
            for step in job["steps"]:
                assert "uses" not in step or re.search(r"@v\d+$", step["uses"]), step


@pytest.fixture
def init(tmp_path):
    """A function that runs the script of SSP Cloud in a home of its own, on a clone of this repository, with a uv that only
    makes the environment's Python."""
    home, tools, origin = tmp_path / "home", tmp_path / "tools", tmp_path / "course"
    home.mkdir()
    tools.mkdir()
    subprocess.run(["git", "init", "--quiet", "--initial-branch", BRANCH, str(origin)], check=True)
    (origin / "notebooks").mkdir()
    (origin / "notebooks" / "1-data.ipynb").write_text("{}")
    shutil.copytree(LAB_SETTINGS, origin / LAB_SETTINGS.relative_to(ROOT))
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    subprocess.run(["git", "-C", str(origin), "add", "."], check=True)
    subprocess.run(["git", "-C", str(origin), *identity, "commit", "--quiet", "--message", "Course"], check=True)
    uv = tools / "uv"
    uv.write_text(
        f'#!/bin/sh\necho "$PWD $@" >> {tmp_path}/uv.log\n'
        f"mkdir -p .venv/bin\nprintf '#!/bin/sh\\nexec {sys.executable} \"$@\"\\n' > .venv/bin/python\nchmod +x .venv/bin/python\n"
    )
    uv.chmod(0o755)
    environment = {"HOME": str(home), "PATH": f"{tools}:{os.environ['PATH']}"}

    def run():
        command = ["bash", str(ROOT / INIT_SCRIPT), str(origin), "notebooks/1-data.ipynb"]
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    return run, home


def test_the_script_of_ssp_cloud_installs_the_course_and_opens_the_notebook(init, tmp_path):
    run, home = init
    done = run()
    assert done.returncode == 0, done.stderr
    course = home / "work" / "course"
    assert (course / "notebooks" / "1-data.ipynb").is_file()
    assert (tmp_path / "uv.log").read_text() == f"{course} sync --no-default-groups\n"
    config = (home / ".jupyter" / "jupyter_server_config.py").read_text()
    assert 'c.LabApp.default_url = "/lab/tree/course/notebooks/1-data.ipynb"' in config
    news = json.loads((home / ".jupyter" / "labconfig" / "default_setting_overrides.json").read_text())
    assert news["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"
    kernel = json.loads((home / ".local" / "share" / "jupyter" / "kernels" / "python3" / "kernel.json").read_text())
    assert "ipykernel_launcher" in kernel["argv"]
    settings = json.loads((home / "work" / ".vscode" / "settings.json").read_text())
    assert settings["python.defaultInterpreterPath"] == f"{course}/.venv/bin/python"


def test_a_service_that_is_started_again_keeps_what_was_written(init):
    run, home = init
    run()
    notebook = home / "work" / "course" / "notebooks" / "1-data.ipynb"
    notebook.write_text('{"mine": true}')
    done = run()
    assert done.returncode == 0, done.stderr
    assert notebook.read_text() == '{"mine": true}'


def test_the_script_is_valid_bash():
    subprocess.run(["bash", "-n", str(ROOT / INIT_SCRIPT)], check=True)
