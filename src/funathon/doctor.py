"""`funathon doctor`: what the machine has, where each need stands, and the cure beside each failure."""

import importlib.metadata
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from funathon.course.building import HOW_TO_GET_QUARTO, find_quarto
from funathon.errors import FunathonError
from funathon.paths import ROOT
from funathon.services import SERVICES, Service
from funathon.settings import env_problems, load_settings

PACKAGES = (
    "torch",
    "torchtextclassifiers",
    "mlflow",
    "captum",
    "polars",
    "scikit-learn",
    "qdrant-client",
    "openai",
    "jupyterlab",
)
DISK_WANTED = 2.0
"""GB that a build, its MLflow runs and its checkpoints fit in."""


@dataclass(frozen=True)
class Finding:
    """One row of the table: `state` is ok, note (worth knowing) or failed."""

    name: str
    state: str
    found: str
    cure: str = ""

    @property
    def failed(self) -> bool:
        """Whether something does not work."""
        return self.state == "failed"


def examine() -> list[Finding]:
    """Look at the machine, at `.env` and at every service."""
    try:
        load_settings()
        settings = []
    except FunathonError as error:
        settings = [Finding(".env", "failed", error.problem, error.cure)]
    return [
        Finding("Python", "ok", platform.python_version()),
        packages(),
        device(),
        quarto(),
        disk(),
        *settings,
        *(Finding(f".env: {p.name}", "note", p.problem, p.cure) for p in env_problems()),
        *(examine_service(service) for service in SERVICES),
    ]


def packages() -> Finding:
    """Versions of the main packages, or which are missing."""
    versions, missing = [], []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding("packages", "failed", f"missing: {', '.join(missing)}", "Run `uv sync`.")
    return Finding("packages", "ok", ", ".join(versions))


def device() -> Finding:
    """The GPU if there is one, else the CPU."""
    import torch

    if torch.cuda.is_available():
        return Finding("device", "ok", f"GPU {torch.cuda.get_device_name(0)}")
    return Finding("device", "ok", f"CPU, {os.cpu_count()} cores (no GPU; the course does not need one)")


def quarto() -> Finding:
    """The version of Quarto, if it is there."""
    path = find_quarto()
    if path is None:
        return Finding("Quarto", "note", "not found; `funathon build` makes preview pages", HOW_TO_GET_QUARTO)
    done = subprocess.run([path, "--version"], capture_output=True, text=True)
    if done.returncode:
        return Finding("Quarto", "failed", f"{path} does not start", "Install it again, or remove it from PATH.")
    return Finding("Quarto", "ok", done.stdout.strip())


def disk() -> Finding:
    """Free space where the project lies."""
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < DISK_WANTED:
        return Finding("disk", "failed", f"{free:.1f} GB free", f"Free some space: a build wants {DISK_WANTED:.0f} GB.")
    return Finding("disk", "ok", f"{free:.0f} GB free")


def examine_service(service: Service) -> Finding:
    """On which column a service stands, and whether it works."""
    column = ".env" if service.configured else "embedded"
    try:
        return Finding(service.name, "ok", f"{column}: {service.check()}")
    except FunathonError as error:
        return Finding(service.name, "failed", f"{column}: {error.problem}", error.cure)


def report(findings: list[Finding]) -> Table:
    """The findings as a table."""
    marks = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "failed": "[bold red]failed[/]"}
    table = Table(title="funathon doctor", title_justify="left")
    for column in ("", "", "found", "cure"):
        table.add_column(column, overflow="fold")
    for finding in findings:
        # as plain text: an address may hold brackets, which rich would take for markup
        table.add_row(Text(finding.name), marks[finding.state], Text(finding.found), Text(finding.cure))
    return table
