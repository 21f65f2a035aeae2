import subprocess
from urllib.parse import parse_qs, urlsplit

import pytest

from funathon.course import launching
from funathon.course.launching import Repository, colab_link, find_repository, launch_bar, read_repository, sspcloud_link
from funathon.errors import FunathonError
from funathon.paths import ROOT

GITHUB = Repository("github.com", "owner/course")
GITLAB = Repository("git.lab.sspcloud.fr", "group/sub/course")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://github.com/owner/course.git", GITHUB),
        ("https://github.com/owner/course/", GITHUB),
        ("https://user:secret@github.com/owner/course", GITHUB),
        ("git@github.com:owner/course.git", GITHUB),
        ("ssh://git@github.com:22/owner/course.git", GITHUB),
        ("https://git.lab.sspcloud.fr/group/sub/course.git", GITLAB),
        ("/home/somebody/course", None),
        ("file:///home/somebody/course", None),
        ("C:\\course", None),
        ("../course", None),
        ("", None),
    ],
)
def test_addresses_of_remotes(address, expected):
    assert read_repository(address) == expected


def test_the_repository_is_that_of_the_remote_so_a_fork_s_site_points_to_the_fork(tmp_path, monkeypatch):
    monkeypatch.delenv("FUNATHON_REPOSITORY", raising=False)
    monkeypatch.setattr(launching, "ROOT", tmp_path)
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    assert find_repository() is None
    subprocess.run(["git", "-C", str(tmp_path), "remote", "add", "origin", "git@github.com:fork/course.git"], check=True)
    assert find_repository() == Repository("github.com", "fork/course")


def test_the_variable_goes_before_the_remote_and_nonsense_in_it_is_an_error(monkeypatch):
    monkeypatch.setenv("FUNATHON_REPOSITORY", "https://github.com/owner/course")
    assert find_repository() == GITHUB
    monkeypatch.setenv("FUNATHON_REPOSITORY", "our course")
    with pytest.raises(FunathonError, match="FUNATHON_REPOSITORY is not the address"):
        find_repository()


@pytest.mark.parametrize(
    ("service", "machine", "path"),
    [
        ("JupyterLab", "CPU", "/launcher/ide/jupyter-python"),
        ("JupyterLab", "GPU", "/launcher/ide/jupyter-pytorch-gpu"),
        ("VS Code", "CPU", "/launcher/ide/vscode-python"),
        ("VS Code", "GPU", "/launcher/ide/vscode-pytorch-gpu"),
    ],
)
def test_links_that_start_a_service_on_ssp_cloud(service, machine, path):
    link = urlsplit(sspcloud_link(GITHUB, "notebooks/1-data.ipynb", service, machine))
    assert (link.netloc, link.path) == ("datalab.sspcloud.fr", path)
    query = {name: value for name, (value,) in parse_qs(link.query).items()}
    assert query == {
        "name": "«nace-course»",
        "init.personalInit": "«https://raw.githubusercontent.com/owner/course/main/site/sspcloud.sh»",
        "init.personalInitArgs": "«https://github.com/owner/course notebooks/1-data.ipynb»",
        "autoLaunch": "true",
    }
    assert (ROOT / launching.INIT_SCRIPT).is_file()


def test_links_to_files():
    assert colab_link(GITHUB, "notebooks/1-data.ipynb").endswith("/github/owner/course/blob/main/notebooks/1-data.ipynb")
    assert GITHUB.page("chapters/1-data.py") == "https://github.com/owner/course/blob/main/chapters/1-data.py"
    assert GITLAB.page("x.py") == "https://git.lab.sspcloud.fr/group/sub/course/-/blob/main/x.py"
    assert GITLAB.raw("x.py") == "https://git.lab.sspcloud.fr/group/sub/course/-/raw/main/x.py"


def test_the_bar_offers_what_the_repository_allows():
    full = launch_bar("notebooks/1-data.ipynb", "chapters/1-data.py", GITHUB)
    assert full.count("datalab.sspcloud.fr") == 4 and "blob/main/site/colab/1-data.ipynb" in full and "View source" in full
    gitlab = launch_bar("notebooks/1-data.ipynb", "chapters/1-data.py", GITLAB)
    assert gitlab.count("datalab.sspcloud.fr") == 4 and "colab" not in gitlab
    none = launch_bar("notebooks/1-data.ipynb", "chapters/1-data.py", None)
    assert "http" not in none and "FUNATHON_REPOSITORY" in none and 'href="../notebooks/1-data.ipynb" download' in none
