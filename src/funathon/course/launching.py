"""Links that open a notebook of the course somewhere: SSP Cloud, Colab, a download, its source."""

import os
import re
import subprocess
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from funathon.errors import FunathonError
from funathon.paths import ROOT

BRANCH = "main"
"""The branch that is published, see .github/workflows/site.yml."""
INIT_SCRIPT = "site/sspcloud.sh"
SERVICES = {"JupyterLab": "jupyter", "VS Code": "vscode"}
MACHINES = {"CPU": "python", "GPU": "pytorch-gpu"}
"""The catalogue's name for a service with each kind of machine: jupyter-python, jupyter-pytorch-gpu, …"""
MLFLOW = "https://datalab.sspcloud.fr/launcher/automation/mlflow?autoLaunch=true"
NO_REPOSITORY = (
    "Launch links appear here when the site is built from a clone whose git remote <code>origin</code> is public, "
    "or with <code>FUNATHON_REPOSITORY</code> set to its address."
)


@dataclass(frozen=True)
class Repository:
    """A public git repository: `https://{host}/{path}`. A host other than github.com is taken for a GitLab."""

    host: str
    path: str

    @property
    def url(self) -> str:
        """The address people open, and that git clones."""
        return f"https://{self.host}/{self.path}"

    @property
    def on_github(self) -> bool:
        """Whether it lies on github.com, the only place from which Colab opens notebooks."""
        return self.host == "github.com"

    def page(self, file: str) -> str:
        """Address of the page that shows a file."""
        return f"{self.url}/{'' if self.on_github else '-/'}blob/{BRANCH}/{quote(file)}"

    def raw(self, file: str) -> str:
        """Address of a file's content."""
        if self.on_github:
            return f"https://raw.githubusercontent.com/{self.path}/{BRANCH}/{quote(file)}"
        return f"{self.url}/-/raw/{BRANCH}/{quote(file)}"


def read_repository(address: str) -> Repository | None:
    """The repository at a git address, `https://host/owner/name(.git)`, `git@host:owner/name.git` or `ssh://…`.

    None for what is no address on a server, such as a folder. User names and passwords in the address are dropped.
    """
    address = address.strip().rstrip("/").removesuffix(".git")
    found = re.fullmatch(r"(?:https?|ssh|git)://(?:[^@/]+@)?([\w.-]+)(?::\d+)?/([\w.~/-]+)", address)
    found = found or re.fullmatch(r"(?:[\w.-]+@)([\w.-]+):([\w.~/-]+)", address)
    if not found or "/" not in found.group(2):
        return None
    return Repository(found.group(1).lower(), found.group(2).strip("/"))


def find_repository() -> Repository | None:
    """The repository the site points to: FUNATHON_REPOSITORY, else the git remote `origin` of this checkout, else None.

    Raises FunathonError when FUNATHON_REPOSITORY is set to something else than the address of a repository.
    """
    address = os.environ.get("FUNATHON_REPOSITORY")
    if address:
        repository = read_repository(address)
        if repository is None:
            raise FunathonError("FUNATHON_REPOSITORY is not the address of a repository.", "Write https://github.com/owner/name.")
        return repository
    try:
        done = subprocess.run(["git", "-C", str(ROOT), "remote", "get-url", "origin"], capture_output=True, text=True)
    except FileNotFoundError:  # no git
        return None
    return read_repository(done.stdout)


def sspcloud_link(repository: Repository, notebook: str, service: str, machine: str) -> str:
    """Address that starts `service` of SERVICES on `machine` of MACHINES, installs the course there and opens a notebook.

    SSP Cloud wants text values between « and ».
    """
    values = {
        "name": "«nace-course»",
        "init.personalInit": f"«{repository.raw(INIT_SCRIPT)}»",
        "init.personalInitArgs": f"«{repository.url} {notebook}»",
        "autoLaunch": "true",
    }
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items())
    return f"https://datalab.sspcloud.fr/launcher/ide/{SERVICES[service]}-{MACHINES[machine]}?{query}"


def colab_link(repository: Repository, notebook: str) -> str:
    """Address that opens a notebook of a repository on github.com in Colab."""
    return f"https://colab.research.google.com/github/{repository.path}/blob/{BRANCH}/{quote(notebook)}"


def launch_bar(notebook: str, source: str, repository: Repository | None) -> str:
    """The bar at the top of a page one folder below the site's root, as markdown that Quarto passes on unchanged.

    `notebook` and `source` are paths in the project: `notebooks/1-data.ipynb`, `chapters/1-data.py`.
    """
    items = []
    if repository:
        for service in SERVICES:
            links = "".join(
                anchor(sspcloud_link(repository, notebook, service, machine), machine, f"{service} on SSP Cloud, {machine}")
                for machine in MACHINES
            )
            items.append(f'<span class="launch-group"><span>{service} on SSP Cloud</span>{links}</span>')
        if repository.on_github:
            items.append(
                anchor(colab_link(repository, notebook.replace("notebooks/", "site/colab/")), "Colab", "Open in Google Colab")
            )
    items.append(f'<a href="../{notebook}" download>Download the notebook</a>')
    if repository:
        items.append(anchor(repository.page(source), "View source", "View the source of this chapter"))
    note = "" if repository else f"\n<p>{NO_REPOSITORY}</p>"
    inside = "\n".join(items)
    return f'```{{=html}}\n<nav class="launch" aria-label="Open the notebook">\n{inside}{note}\n</nav>\n```'


def anchor(address: str, text: str, label: str) -> str:
    """A link whose visible text is short and whose name, for those who hear it, is not."""
    return f'<a href="{escape(address)}" aria-label="{escape(label)}">{escape(text)}</a>'
