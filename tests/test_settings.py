import os
import re
from pathlib import Path

import fsspec
import pytest

from funathon import settings
from funathon.errors import FunathonError
from funathon.paths import ROOT


def problems(tmp_path, text):
    path = tmp_path / ".env"
    path.write_text(text)
    return {(p.name, p.problem) for p in settings.env_problems(path)}


@pytest.mark.parametrize(
    ("line", "name", "problem"),
    [
        ('LLMLAB_API_KEY="s3cr3t"', "LLMLAB_API_KEY", "quotes"),
        ("LLMLAB_API_KEY = s3cr3t", "LLMLAB_API_KEY", "spaces"),
        ("LLMLAB_KEY=s3cr3t", "LLMLAB_KEY", "not a variable"),
        ("QDRANT_URL=", "QDRANT_URL", "empty"),
        ("what is this", "line 1", "no assignment"),
        ("NACE_URL=a\nNACE_URL=b", "NACE_URL", "twice"),
    ],
)
def test_odd_lines_are_pointed_out_by_name(tmp_path, line, name, problem):
    found = problems(tmp_path, line + "\n")
    assert any(n == name and problem in p for n, p in found), found


def test_a_value_is_never_in_a_message(tmp_path):
    path = tmp_path / ".env"
    path.write_text('LLMLAB_API_KEY = "s3cr3t"\nMY_TOKEN=s3cr3t\n s3cr3t\n')
    assert "s3cr3t" not in repr(settings.env_problems(path))


def test_a_good_file_has_no_problems(tmp_path):
    assert not problems(tmp_path, "# comment\n\nNACE_URL=https://example.org/nace.tsv\nexport QDRANT_API_PORT=443\n")


def test_a_misspelt_variable_gets_a_suggestion(tmp_path):
    path = tmp_path / ".env"
    path.write_text("QDRNT_URL=x\n")
    assert settings.env_problems(path)[0].cure == "Did you mean QDRANT_URL?"


def test_what_env_leaves_out_or_empty_falls_back(monkeypatch):
    monkeypatch.setenv("NACE_URL", "")
    settings.load_settings()
    assert os.environ["NACE_URL"] == settings.DEFAULTS["NACE_URL"]
    assert not settings.is_configured("NACE_URL")


def test_env_wins_over_the_environment(tmp_path, monkeypatch):
    path = tmp_path / ".env"
    path.write_text("LABELS_URL=/elsewhere.parquet\nAWS_S3_ENDPOINT=minio.example.org\n")
    monkeypatch.setattr(settings, "ENV_FILE", path)
    monkeypatch.setenv("LABELS_URL", "/old.parquet")
    settings.load_settings()
    assert os.environ["LABELS_URL"] == "/elsewhere.parquet"
    assert settings.is_configured("LABELS_URL")
    assert fsspec.config.conf["s3"]["endpoint_url"] == "https://minio.example.org"
    assert fsspec.config.conf["s3"]["anon"] is True
    for name in ("LABELS_URL", "AWS_S3_ENDPOINT"):
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("mine/labels.csv", "{folder}/mine/labels.csv"), ("/abs/labels.csv", "/abs/labels.csv"), ("s3://b/l.csv", "s3://b/l.csv")],
)
def test_a_relative_path_starts_at_the_folder_of_env(tmp_path, monkeypatch, value, expected):
    path = tmp_path / ".env"
    path.write_text(f"LABELS_URL={value}\n")
    monkeypatch.setattr(settings, "ENV_FILE", path)
    monkeypatch.setenv("LABELS_URL", "")
    settings.load_settings()
    assert os.environ["LABELS_URL"] == expected.format(folder=tmp_path)


def test_a_file_that_is_no_utf_8_is_told(tmp_path, monkeypatch):
    path = tmp_path / ".env"
    path.write_bytes("LABELS_URL=/données.parquet\n".encode("latin-1"))
    monkeypatch.setattr(settings, "ENV_FILE", path)
    with pytest.raises(FunathonError, match="UTF-8"):
        settings.load_settings()


def test_odd_names_are_no_patterns(tmp_path):
    path = tmp_path / ".env"
    path.write_text("**LABELS_URL**=x\nKEY(=1\nNACE_URL=a\nNACE_URL=b\n")
    found = [(problem.name, problem.problem) for problem in settings.env_problems(path)]
    assert found == [
        ("line 1", "is no assignment"),
        ("line 2", "is no assignment"),
        ("NACE_URL", "stands there twice"),
    ]


def test_the_example_names_every_variable_and_holds_no_value():
    text = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^# ([A-Z0-9_]+)=", text, re.MULTILINE))
    assert named == set(settings.KNOWN) - {"MLFLOW_DISABLE_TELEMETRY"}
    assert not re.findall(r"^[A-Z]", text, re.MULTILINE)


@pytest.fixture
def env(tmp_path, monkeypatch):
    """A function that writes `.env`; what it sets is taken out of the environment again."""
    for name in settings.KNOWN:
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(settings, "ENV_FILE", tmp_path / ".env")

    def write(content):
        (tmp_path / ".env").write_bytes(content if isinstance(content, bytes) else content.encode())

    return write


@pytest.mark.parametrize(
    "content", [b"LLMLAB_API_KEY=a\0b\n", "LLMLAB_API_KEY=a\n".encode("utf-16"), "A=b\n".encode("utf-16-le")]
)
def test_nul_in_env_is_told(env, content):
    env(content)
    with pytest.raises(FunathonError, match="UTF-8"):
        settings.load_settings()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ('LLMLAB_API_KEY="pl4nted\nsecret"', "LLMLAB_API_KEY"),
        ("QDRANT_API_KEY=pl4ntedé", "QDRANT_API_KEY"),
        ("LLMLAB_URL=https://me:pl4nted@host/v1", "LLMLAB_URL"),
        ("QDRANT_URL=https://host?key=pl4nted", "QDRANT_URL"),
        ("AWS_S3_ENDPOINT=https://pl4nted@host", "AWS_S3_ENDPOINT"),
    ],
)
def test_what_would_be_shown_is_refused_by_its_name(env, content, name):
    env(content)
    with pytest.raises(FunathonError, match=name) as caught:
        settings.load_settings()
    assert "pl4nted" not in str(caught.value)


def test_a_login_in_the_address_of_mlflow_is_taken_out_of_it(env):
    env("MLFLOW_TRACKING_URI=https://me:pl4%40nted@host:5000/path\n")
    for _ in range(2):  # each cell and command loads the settings again
        settings.load_settings()
        assert os.environ["MLFLOW_TRACKING_URI"] == "https://host:5000/path"
        assert (os.environ["MLFLOW_TRACKING_USERNAME"], os.environ["MLFLOW_TRACKING_PASSWORD"]) == ("me", "pl4@nted")


@pytest.mark.slow  # imports mlflow
def test_the_files_of_a_local_mlflow_lie_in_one_place_wherever_a_program_runs(tmp_path, monkeypatch):
    import mlflow

    settings.load_settings()
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/store.db")
    monkeypatch.chdir(tmp_path)
    try:
        experiment = mlflow.get_experiment(mlflow.create_experiment("somewhere"))
    finally:
        mlflow.set_tracking_uri(before)
    assert Path(experiment.artifact_location).parent == Path(settings.DEFAULTS[settings.MLFLOW_FILES])
