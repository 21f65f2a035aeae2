import polars as pl
import pytest

from funathon.corpus import assemble
from funathon.errors import FunathonError

SECTION = """
"A":
  title: "AGRICULTURE"
  includes: ["farms"]
"01":
  title: "Crops"
"01.1":
  title: "Annual crops"
"01.11":
  title: "Cereals"
  includes: ["wheat: all kinds", "barley"]
  excludes: ["rice (01.12)"]
"01.50":
  title: "Mixed"
  rule: ["less than 66 %", "otherwise elsewhere"]
"""


@pytest.fixture
def data(tmp_path):
    for name in ("nomenclature", "labels/entries", "labels/descriptions", "field_test", "entries", "descriptions"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "nomenclature" / "A.yaml").write_text(SECTION)
    (tmp_path / "labels" / "01.txt").write_text(
        "# 01.11 Cereals\nwheat farm\n~ weat, barly\nfields of barley, oats and rye near town\n"
    )
    (tmp_path / "field_test" / "01.txt").write_text("# 01.11\ncorn grower\n~ cereals!!\n")
    (tmp_path / "labels" / "entries" / "01.txt").write_text("# 01.11\nspelt, growing of\n")
    (tmp_path / "labels" / "descriptions" / "01.txt").write_text(
        "# 01.11\nThree brothers, one combine, and oats as far as one sees.\n"
    )
    (tmp_path / "entries" / "01.txt").write_text("# 01.11\nmillet (growing)\nsorghum, growing\nteff\n")
    (tmp_path / "descriptions" / "01.txt").write_text("# 01.11\nWe grow buckwheat.\n")
    return tmp_path


def test_what_is_built_is_in_date_until_a_source_changes(data):
    built = ["descriptions.parquet", "entries.parquet", "field_test.parquet", "labels.parquet", "nace_rev2_1.tsv"]
    assert sorted(assemble.outdated(data)) == built
    assemble.write(data)
    assert assemble.outdated(data) == []
    assert assemble.write(data) == []
    with (data / "labels" / "01.txt").open("a") as file:
        file.write("rye grower\n")
    assert assemble.write(data) == ["labels.parquet"]
    labels = pl.read_parquet(data / "labels.parquet")
    assert labels["kind"].to_list() == ["label"] * 4 + ["entry", "description"]
    assert pl.read_parquet(data / "entries.parquet")["register"].to_list() == ["brackets", "comma", "bare"]


def test_parents_and_levels_follow_from_the_codes(data):
    notes = assemble.read_notes(data / "nomenclature")
    assert notes.select("CODE", "PARENT_CODE", "LEVEL").rows() == [
        ("A", None, "1"),
        ("01", "A", "2"),
        ("01.1", "01", "3"),
        ("01.11", "01.1", "4"),
        ("01.50", "01.5", "4"),
    ]
    assert notes["Includes"][3] == "- wheat: all kinds\\n- barley"
    assert notes["Implementation_rule"].to_list() == [None] * 4 + ["- less than 66 %\\n- otherwise elsewhere"]


def test_registers(data):
    table = assemble.text_table(data / "labels", {"01.11": "Cereals"}, {}, assemble.register_of)
    assert table["register"].to_list() == ["terse", "messy", "phrase"]
    assert table["label"].to_list()[1] == "weat, barly"
    assert assemble.register_of("one two three four five six seven eight nine ten", False) == "long"


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        ("labels/01.txt", "wheat\n", "before the first code"),
        ("labels/01.txt", "# 99.99\nwheat\n", "99.99 is no class"),
        ("labels/01.txt", "# 01.11\nWheat farm\nwheat-farm\n", "stands under 01.11 and 01.11"),
        ("labels/entries/01.txt", "# 01.11\nMillet - growing\n", "stands under 01.11 of entries and 01.11"),
        ("nomenclature/A.yaml", "01.10:\n  title: x\n", "read as a number"),
        ("nomenclature/A.yaml", '"01":\n  include: [x]\n', "unknown key include"),
        ("nomenclature/A.yaml", '"01": [', "not valid YAML"),
        ("nomenclature/A.yaml", "", "maps no codes"),
        ("nomenclature/A.yaml", '"01":\n', "01 has no entry"),
        ("nomenclature/A.yaml", '"01.111":\n  title: x\n', "is no code"),
    ],
)
def test_a_bad_source_is_refused(data, file, text, problem):
    (data / file).write_text(text)
    with pytest.raises(FunathonError, match=problem):
        assemble.assemble(data)


def test_the_built_files_of_the_repository_are_in_date():
    assert assemble.outdated() == []
