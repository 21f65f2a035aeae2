import json
import pickle
import shutil
from pathlib import Path

import boto3
import numpy as np
import pytest
from moto.server import ThreadedMotoServer

from funathon.errors import FunathonError
from funathon.paths import PRETRAINED
from funathon.settings import load_settings
from funathon.supervised.classifier import confidences, scores
from funathon.supervised.pretrained import fetch_model, load_model, read_manifest, verify_model


class Bomb:
    """A pickle of it raises when it is loaded."""

    def __reduce__(self):
        return (exec, ("raise RuntimeError('the pickle ran')",))


@pytest.fixture
def copy(tmp_path):
    return Path(shutil.copytree(PRETRAINED, tmp_path / "model"))


def test_the_model_of_the_repository_is_whole_and_small():
    manifest = verify_model(PRETRAINED)
    assert sum(f["bytes"] for f in manifest.files.values()) < 28e6


@pytest.mark.parametrize("name", ["tokenizer.pkl", "metadata.pkl", "value_encoder.pkl", "pytorch_model.pkl"])
def test_a_changed_file_is_refused_by_name_before_it_is_unpickled(copy, name):
    (copy / name).write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(FunathonError, match=name):
        load_model(str(copy))


@pytest.mark.parametrize("name", ["tokenizer.pkl", "pytorch_model.pkl"])
def test_a_missing_file_is_refused_by_name(copy, name):
    (copy / name).unlink()
    with pytest.raises(FunathonError, match=name):
        load_model(str(copy))


def test_a_truncated_file_is_refused_by_name(copy):
    path = copy / "pytorch_model.pkl"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(FunathonError, match=r"pytorch_model\.pkl"):
        load_model(str(copy))


def test_a_foreign_file_is_refused_by_name(copy):
    (copy / "model_checkpoint.ckpt").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(FunathonError, match=r"model_checkpoint\.ckpt"):
        load_model(str(copy))


@pytest.mark.parametrize(
    "manifest",
    [
        "",
        "[]",
        "{}",
        '{"files": {"a": {}}, "data": {"n_train": 1}}',
        '{"files": {"../a": {"bytes": 1, "sha256": "x"}}, "data": {"n_train": 1}}',
    ],
)
def test_a_manifest_that_is_none_is_refused(copy, manifest):
    (copy / "manifest.json").write_text(manifest)
    with pytest.raises(FunathonError, match="manifest"):
        read_manifest(str(copy))


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(FunathonError, match=r"manifest\.json"):
        load_model(str(tmp_path))


@pytest.fixture
def bucket(monkeypatch):
    """An S3 server on localhost that holds the model, readable by everybody."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}".replace("0.0.0.0", "127.0.0.1")
    client = boto3.client("s3", endpoint_url=address, aws_access_key_id="x", aws_secret_access_key="x", region_name="us-east-1")
    client.create_bucket(Bucket="models")
    for path in PRETRAINED.iterdir():
        client.put_object(Bucket="models", Key=f"nace/{path.name}", Body=path.read_bytes(), ACL="public-read")
    monkeypatch.setenv("AWS_S3_ENDPOINT", address)
    load_settings()
    yield client
    server.stop()
    monkeypatch.delenv("AWS_S3_ENDPOINT")
    load_settings()


def test_the_model_loads_from_s3_without_credentials(bucket):
    model = load_model("s3://models/nace")
    assert model.predict(np.array(["bakery"]))["prediction"].shape == (1, 1)


def test_a_changed_file_on_s3_is_refused(bucket, tmp_path):
    bucket.put_object(Bucket="models", Key="nace/tokenizer.pkl", Body=pickle.dumps(Bomb()), ACL="public-read")
    with pytest.raises(FunathonError, match=r"tokenizer\.pkl"):
        fetch_model("s3://models/nace", tmp_path)


def test_a_missing_bucket_is_named(bucket):
    with pytest.raises(FunathonError, match="s3://nothing/nace"):
        load_model("s3://nothing/nace")


@pytest.fixture(scope="module")
def model():
    return load_model(str(PRETRAINED))


def test_the_model_codes_plain_cases(model):
    texts = ["dairy farm, milking 80 cows", "hairdresser", "dental practice", "taxi driver"]
    found = model.predict(np.array(texts), top_k=5)["prediction"]
    for codes, code in zip(found, ["01.41", "96.21", "86.23", "49.33"]):
        assert code in codes


def test_batched_scores_are_those_of_the_library(model):
    texts = ["wheat farm", "a very long description of a small firm that repairs bicycles in a barn near the old harbour", ""]
    ours = confidences(model, texts)
    theirs = model.predict(np.array(texts), top_k=3)
    assert ours.shape == (3, model.num_classes)
    np.testing.assert_allclose(ours.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(np.sort(ours, axis=1)[:, ::-1][:, :3], theirs["confidence"].numpy(), atol=0.006)


def test_no_texts_give_no_scores(model):
    assert scores(model, []).shape == (0, model.num_classes)


def test_the_manifest_says_how_the_model_was_made():
    manifest = json.loads((PRETRAINED / "manifest.json").read_text())
    assert set(manifest) >= {"files", "data", "settings", "versions"}
    assert manifest["settings"]["seed"] == 42
