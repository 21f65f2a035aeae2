from pathlib import Path

import pytest

from funathon.corpus.nomenclature import ancestors, read_nomenclature
from funathon.errors import FunathonError
from funathon.paths import DEFAULT_NACE

OFFICIAL = Path(__file__).parents[2] / "shared" / "reference" / "NACE_Rev2.1_Structure_Explanatory_Notes_EN.tsv"


def test_ours_has_every_code_at_its_level():
    table = read_nomenclature()
    assert table.group_by("level").len().sort("level")["len"].to_list() == [22, 87, 287, 651]


def test_every_class_has_ancestors_at_three_levels():
    table = ancestors(read_nomenclature())
    row = table.filter(**{"class": "06.10"}).row(0, named=True)
    assert (row["group"], row["division"], row["section"]) == ("06.1", "06", "B")
    assert len(table) == 651


def test_notes_have_real_line_breaks():
    notes = read_nomenclature().filter(level=4)["includes"].drop_nulls()
    assert notes.str.contains("\n").any()
    assert not notes.str.contains("\\n", literal=True).any()


@pytest.mark.skipif(not OFFICIAL.is_file(), reason="the official file is not part of the repository")
def test_the_official_file_loads_through_the_same_reader():
    ours, official = read_nomenclature(), read_nomenclature(str(OFFICIAL))
    facts = ["code", "heading", "parent_code", "level"]
    assert ours.select(facts).equals(official.select(facts))


@pytest.mark.skipif(not OFFICIAL.is_file(), reason="the official file is not part of the repository")
def test_no_sentence_of_the_official_notes_is_copied():
    def runs(text, length=8):
        words = "".join(c if c.isalnum() else " " for c in text.lower()).split()
        return {tuple(words[i : i + length]) for i in range(len(words) - length + 1)}

    columns = ["includes", "includes_also", "excludes"]
    official = {row[0]: row[1:] for row in read_nomenclature(str(OFFICIAL)).select("code", *columns).iter_rows()}
    for code, *notes in read_nomenclature().select("code", *columns).iter_rows():
        theirs = set().union(*(runs(text) for text in official[code] if text))
        for text in notes:
            for bullet in (text or "").split("\n"):
                assert not runs(bullet) & theirs, f"{code}: {bullet}"


def test_exclusions_lead_to_codes_that_exist():
    import re

    table = read_nomenclature()
    known = set(table["code"])
    for code, excludes in table.select("code", "excludes").drop_nulls().iter_rows():
        for reference in re.findall(r"\b\d\d\.\d{1,2}\b", excludes):
            assert reference in known, f"{code} excludes to {reference}"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"CODE\tHEADING\nA\tx\n", "PARENT_CODE"),
        (b"", "tab-separated"),
        (b"CODE\tHEADING\tPARENT_CODE\tLEVEL\tIncludes\tIncludesAlso\tExcludes\n01\tx\tA\t2\t\t\t\n", "'01'"),
        (b"CODE\tHEADING\tPARENT_CODE\tLEVEL\tIncludes\tIncludesAlso\tExcludes\nA\tx\t\tnine\t\t\t\n", "'A'"),
    ],
)
def test_a_bad_file_is_refused_with_its_fault(tmp_path, content, word):
    path = tmp_path / "bad.tsv"
    path.write_bytes(content)
    with pytest.raises(FunathonError, match=word) as error:
        read_nomenclature(str(path))
    assert "NACE_URL" in error.value.cure


def test_the_default_is_in_the_repository():
    assert DEFAULT_NACE.is_file()
