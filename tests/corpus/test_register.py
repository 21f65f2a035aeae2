"""A register of one's own: read in place from a disk or from S3, columns mapped by name, nothing lost uncounted."""

import json
import socket
from pathlib import Path

import boto3
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_register import BUSINESSES, COLUMNS, made_register
from moto.server import ThreadedMotoServer
from servers import free_port, http_server

from funathon.corpus.register import Mapping, look_at_register, mapping, part_of, read_part, read_register, split_register
from funathon.corpus.splitting import LEAST
from funathon.errors import FunathonError
from funathon.settings import KNOWN, load_settings
from funathon.storage import Unreachable, polars_options

CODED = sum(count for count, _ in BUSINESSES.values())


@pytest.fixture
def register(tmp_path, monkeypatch):
    """A function that writes a table, by default the made register, and names it in the settings; it returns the path."""
    for name in KNOWN:
        monkeypatch.setenv(name, "")

    def name(table=None, file="train.parquet", variable="REGISTER_URL", **columns):
        path = tmp_path / file
        table = made_register() if table is None else table
        table.write_parquet(path) if file.endswith(".parquet") else table.write_csv(path)
        for key, value in ({variable: str(path)} | COLUMNS | columns).items():
            monkeypatch.setenv(key, value)
        return path

    return name


def test_texts_and_codes_are_found_by_name_and_what_lacks_one_is_counted(register):
    path = register()
    part = read_register().train
    assert (part.rows, part.no_code, part.no_text, len(part.labels)) == (CODED + 7, 4, 3, CODED)
    assert str(part) == f"{path}: {CODED + 7} rows, 4 without a code and 3 without a text are left out"
    assert set(part.labels["code"]) == set(BUSINESSES) and part.labels.columns == ["code", "label"]
    purposes = part.labels["label"].str.contains(". Selskapets formål", literal=True)
    assert 0 < purposes.sum() < CODED, "texts of two columns are joined where both are there"
    assert not part.labels["label"].str.contains("n/a").any()


def test_a_csv_gives_the_same(register):
    register()
    expected = read_register().train.labels
    register(file="train.csv")
    assert read_register(say=lambda line: None).train.labels.equals(expected)


def test_a_part_is_drawn_the_same_each_time(register):
    register()
    once, again = read_register(50).train, read_register(50).train
    assert once.labels.equals(again.labels) and len(once.labels) == 50
    assert str(once).endswith("are left out, 50 are drawn")
    assert len(read_register(10**6).train.labels) == CODED


def test_codes_lose_what_stands_around_them(register):
    register(made_register().with_columns(nace_21_code=" " + pl.col("nace_21_code") + "\u00a0"))
    assert set(read_register().train.labels["code"]) == set(BUSINESSES)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"REGISTER_TEXT": "company_activty"}, "Did you mean 'company_activity'"),
        ({"REGISTER_CODE": "nace_21"}, "Did you mean 'nace_21_code'"),
        ({"REGISTER_CODE": "nace_21"}, "Name the column with REGISTER_CODE"),
        ({"REGISTER_TEXT": "nace_21_code"}, "both name the column"),
        ({"REGISTER_TEXT": "company_activity, company_activity"}, "names a column twice"),
        ({"REGISTER_TEXT": "company_activity,Company_Activity"}, "one column of .* twice"),
        ({"REGISTER_CODE": "number_of_employees"}, "read as numbers"),
        ({"REGISTER_TEXT": "", "REGISTER_CODE": ""}, "no column 'label'"),
    ],
)
def test_columns_that_cannot_be_used_are_named(register, columns, words):
    register(**columns)
    with pytest.raises(FunathonError, match=words):
        read_register(say=lambda line: None)


def test_a_column_of_lists_is_no_text(register):
    register(made_register().with_columns(company_purpose=pl.lit([1, 2])))
    with pytest.raises(FunathonError, match=r"'company_purpose' of .* holds List"):
        read_register()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("45.11", "NACE Rev. 2 that Rev. 2.1 does not have"),
        ("4711", "without its point"),
        ("47.110", "longer than that of a class"),
        ("99.98", "unknown code"),
    ],
)
def test_codes_that_are_no_classes_are_refused_with_their_rows(register, code, words):
    table = made_register()
    rows = pl.Series(range(len(table)))
    register(table.with_columns(nace_21_code=pl.when(rows == 9).then(pl.lit(code)).otherwise("nace_21_code")))
    with pytest.raises(FunathonError, match=rf"{words}.* in row 10 \('{code}'"):
        read_register()


@pytest.mark.parametrize("empty", [pl.lit(None, pl.String), pl.lit("n/a"), pl.lit(" - ")])
def test_a_register_without_texts_is_refused(register, empty):
    path = register(made_register().with_columns(company_activity=empty, company_purpose=empty))
    with pytest.raises(FunathonError, match=f"{path}: none of {CODED + 7} rows has a code and a text"):
        read_register()


def test_a_register_without_rows_is_refused(register):
    register(made_register().clear())
    with pytest.raises(FunathonError, match="none of 0 rows"):
        read_register()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.sampled_from(["47.11", " 47.11", "", "00.000", "n/a", "68.20"])),
            st.one_of(st.none(), st.text(max_size=8)),
            st.one_of(st.none(), st.text(max_size=8), st.just("bakeri")),
        ),
        max_size=12,
    )
)
def test_every_row_is_kept_or_counted(rows):
    table = pl.DataFrame(rows, schema={"code": pl.String, "a": pl.String, "b": pl.String}, orient="row")
    try:
        part = part_of("table", table, ["a", "b"], "code", None, lambda line: None)
    except FunathonError as error:
        assert "none of" in str(error)
        return
    assert len(part.labels) + part.no_code + part.no_text == part.rows == len(rows)
    assert set(part.labels["code"]) <= {"47.11", "68.20"}
    given_texts = {text.strip() for _, *texts in rows for text in texts if text}
    for label in part.labels["label"]:
        assert any(character.isalpha() for character in label)
        assert label in given_texts or any(f"{a}. {b}" == label for a in given_texts for b in given_texts)


@given(st.text(max_size=30))
def test_any_list_of_columns_is_a_mapping_or_refused(text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGISTER_TEXT", text.replace("\0", ""))
        try:
            found = mapping()
        except FunathonError:
            return
    assert found.texts and found.code not in found.texts and all(name == name.strip() != "" for name in found.texts)


def test_without_a_test_file_a_part_is_kept_to_measure_on(register):
    register()
    split = split_register(read_register())
    sets = (split.y_train, split.y_val, split.y_test)
    assert sum(map(len, sets)) == CODED
    assert "03.21" in split.y_train and not {"03.21"} & {*split.y_val, *split.y_test}, "too few to divide"
    assert set(split.y_test) == set(split.y_val) == set(BUSINESSES) - {"03.21"}


def test_a_test_file_is_what_is_measured_on(register):
    register()
    register(made_register(2).head(60), "test.parquet", "REGISTER_TEST_URL")
    found = read_register()
    split = split_register(found)
    assert split.X_test.tolist() == found.test.labels["label"].to_list()
    assert len(split.X_train) + len(split.X_val) == CODED and len(split.X_val) > CODED * 0.1


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 25), min_size=1, max_size=12))
def test_any_sizes_of_classes_are_split_or_refused(sizes):
    from funathon.corpus.nomenclature import class_codes
    from funathon.corpus.register import Part, Register

    rows = [(code, f"{code} {n}") for code, size in zip(sorted(class_codes()), sizes) for n in range(size)]
    part = Part("made", pl.DataFrame(rows, schema=["code", "label"], orient="row"), len(rows), 0, 0)
    enough = sum(size >= LEAST for size in sizes)
    for register in (Register(part, None), Register(part, part)):
        if enough < 2:
            with pytest.raises(FunathonError, match="Fewer than two classes"):
                split_register(register)
            continue
        split = split_register(register)
        assert len(set(split.y_val)) == enough
        assert {*split.y_train} == {code for code, _ in rows}
        together = [split.X_train, split.X_val] if register.test else [split.X_train, split.X_val, split.X_test]
        assert sorted(np.concatenate(together)) == sorted(text for _, text in rows)


@pytest.fixture
def bucket(monkeypatch):
    """An S3 server on localhost with a register that everybody may read, named in the settings; yields the server's client."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}".replace("0.0.0.0", "127.0.0.1")
    client = boto3.client("s3", endpoint_url=address, aws_access_key_id="x", aws_secret_access_key="x", region_name="us-east-1")
    client.create_bucket(Bucket="registers")
    for name in KNOWN:
        monkeypatch.setenv(name, "")
    for key, value in ({"AWS_S3_ENDPOINT": address, "REGISTER_URL": "s3://registers/no/train.parquet"} | COLUMNS).items():
        monkeypatch.setenv(key, value)
    load_settings()
    yield client
    server.stop()
    monkeypatch.setenv("AWS_S3_ENDPOINT", "")
    load_settings()


def put(bucket, key: str, path: Path, rights: str = "public-read") -> None:
    bucket.put_object(Bucket="registers", Key=key, Body=path.read_bytes(), ACL=rights)


@pytest.fixture
def file(tmp_path):
    made_register().write_parquet(tmp_path / "train.parquet")
    return tmp_path / "train.parquet"


def test_it_is_read_from_s3_without_credentials(bucket, file):
    put(bucket, "no/train.parquet", file)
    put(bucket, "no/test.parquet", file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGISTER_TEST_URL", "s3://registers/no/test.parquet")
        found = read_register()
        assert look_at_register() == "two files with the columns 'company_activity', 'company_purpose', 'nace_21_code'"
    assert len(found.train.labels) == len(found.test.labels) == CODED


def test_with_a_key_it_is_asked_for_by_that_key(bucket, file, monkeypatch):
    put(bucket, "no/train.parquet", file, "private")
    with pytest.raises(Unreachable, match=r"Access to s3://registers/no/train.parquet is refused. Check REGISTER_URL"):
        read_register()
    for name, value in (("AWS_ACCESS_KEY_ID", "the-key"), ("AWS_SECRET_ACCESS_KEY", "pl4nted-secret")):
        monkeypatch.setenv(name, value)
    assert len(read_register().train.labels) == CODED
    assert "aws_skip_signature" not in polars_options(1) and "aws_session_token" not in polars_options(1)


def test_only_the_columns_that_are_needed_are_fetched(bucket, tmp_path, monkeypatch):
    """A column that is never read may be broken: here its bytes are zeros in the file on S3."""
    table = made_register().with_columns(ballast=pl.Series(np.random.default_rng(1).bytes(50).hex() for _ in range(CODED + 7)))
    path = tmp_path / "large.parquet"
    table.write_parquet(path, compression="uncompressed", use_pyarrow=True)
    import pyarrow.parquet as pq

    chunk = pq.read_metadata(path).row_group(0).column(len(table.columns) - 1)
    content = bytearray(path.read_bytes())
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    content[start : start + chunk.total_compressed_size] = bytes(chunk.total_compressed_size)
    path.write_bytes(content)
    put(bucket, "no/train.parquet", path)
    assert len(read_register().train.labels) == CODED
    with pytest.raises(FunathonError):
        read_part("s3://registers/no/train.parquet", "REGISTER_URL", Mapping(("ballast",), "nace_21_code"))


def test_a_missing_object_and_a_missing_bucket_are_told(bucket, monkeypatch):
    monkeypatch.setenv("REGISTER_URL", "s3://registers/no/none.parquet")
    with pytest.raises(Unreachable, match=r"There is no file s3://registers/no/none.parquet. Check REGISTER_URL"):
        read_register()
    monkeypatch.setenv("REGISTER_URL", "s3://nothing/x.parquet")
    with pytest.raises(Unreachable, match=r"s3://nothing/x.parquet"):
        read_register()


def test_a_truncated_file_is_told(bucket, file):
    file.write_bytes(file.read_bytes()[:-100])
    put(bucket, "no/train.parquet", file)
    with pytest.raises(FunathonError, match=r"s3://registers/no/train.parquet is not a readable parquet file"):
        read_register()


@pytest.mark.parametrize(
    "url",
    [
        "s3://bucket/r.parquet",
        "http://127.0.0.1:{port}/r.parquet?X-Amz-Signature=pl4nted",
        "/nowhere/r.parquet",
        "/nowhere/r.csv",
    ],
)
def test_an_address_that_does_not_answer_is_told_without_its_secrets(register, monkeypatch, url):
    register()
    port = free_port()
    monkeypatch.setenv("AWS_S3_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("REGISTER_URL", url.format(port=port))
    load_settings()
    with pytest.raises(Unreachable) as caught:
        read_register()
    told = str(caught.value)
    assert "r.parquet" in told or "r.csv" in told
    assert "REGISTER_URL" in told and "comes with the course" not in told and "pl4nted" not in told and "\n" not in told


def test_a_silent_s3_server_is_given_up(register, monkeypatch):
    register()
    monkeypatch.setattr("funathon.corpus.register.LOOK", 1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("AWS_S3_ENDPOINT", f"http://127.0.0.1:{listener.getsockname()[1]}")
        monkeypatch.setenv("REGISTER_URL", "s3://bucket/r.parquet")
        with pytest.raises(Unreachable, match="its server does not answer"):
            read_register()


def test_it_is_read_from_a_web_server(register, file, monkeypatch):
    register()
    with http_server({"/r.parquet": (200, file.read_bytes())}) as address:
        monkeypatch.setenv("REGISTER_URL", f"{address}/r.parquet?sig=pl4nted")
        part = read_register().train
    assert len(part.labels) == CODED and "pl4nted" not in json.dumps(str(part))


def test_without_a_register_it_is_said_and_nothing_is_wrong(monkeypatch):
    for name in KNOWN:
        monkeypatch.setenv(name, "")
    assert look_at_register().startswith("none")
    with pytest.raises(Unreachable, match="REGISTER_URL is not set"):
        read_register()


def test_doctor_tells_a_missing_column(register):
    register(REGISTER_CODE="nace_21")
    with pytest.raises(FunathonError, match="Did you mean 'nace_21_code'"):
        look_at_register()
