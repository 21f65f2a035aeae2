import re

import pytest

from funathon.corpus.nomenclature import NOTES, ancestors, read_nomenclature
from funathon.errors import FunathonError
from funathon.paths import DEFAULT_NACE, ROOT

OFFICIAL = ROOT.parent / "shared" / "reference" / "NACE_Rev2.1_Structure_Explanatory_Notes_EN.tsv"


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


RULED = ["01", "01.50", "58.12", "58.13"]
"""Codes with an implementation rule of their own."""


def ruled(nomenclature):
    """The codes that have a rule which those above them have not."""
    rules = dict(nomenclature.select("code", "rule").iter_rows())
    parents = nomenclature.select("code", "parent_code").iter_rows()
    return [code for code, parent in parents if rules[code] and rules[code] != rules.get(parent)]


def test_rules_say_how_to_decide_and_hold_for_the_codes_below():
    nomenclature = read_nomenclature()
    assert ruled(nomenclature) == RULED
    rules = dict(nomenclature.drop_nulls("rule").select("code", "rule").iter_rows())
    assert rules.keys() == {code for code in nomenclature["code"] if code[:2] == "01" or code in RULED}
    assert rules["01.21"] == rules["01.2"] == rules["01"]
    assert rules["01.50"].startswith(rules["01"] + "\n") and "66 %" in rules["01.50"]
    assert "four times a week" in rules["58.12"] and "four times a week" in rules["58.13"]


def test_a_file_without_rules_reads_with_none(tmp_path):
    path = tmp_path / "older.tsv"
    path.write_text("CODE\tHEADING\tPARENT_CODE\tLEVEL\tIncludes\tIncludesAlso\tExcludes\nA\tx\t\t1\ta\\nb\t\t\n")
    assert read_nomenclature(str(path)).to_dicts() == [
        {"code": "A", "heading": "x", "parent_code": None, "level": 1, "rule": None}
        | {"includes": "a\nb", "includes_also": None, "excludes": None}
    ]


@pytest.mark.skipif(not OFFICIAL.is_file(), reason="the official file is not part of the repository")
def test_the_official_file_loads_through_the_same_reader():
    ours, official = read_nomenclature(), read_nomenclature(str(OFFICIAL))
    facts = ["code", "heading", "parent_code", "level"]
    assert ours.select(facts).equals(official.select(facts))
    assert ruled(official) == RULED


@pytest.mark.skipif(not OFFICIAL.is_file(), reason="the official file is not part of the repository")
def test_no_sentence_of_the_official_notes_is_copied():
    def runs(text, length=8):
        words = "".join(c if c.isalnum() else " " for c in text.lower()).split()
        return {tuple(words[i : i + length]) for i in range(len(words) - length + 1)}

    official = {row[0]: row[1:] for row in read_nomenclature(str(OFFICIAL)).select("code", *NOTES).iter_rows()}
    for code, *notes in read_nomenclature().select("code", *NOTES).iter_rows():
        theirs = set().union(*(runs(text) for text in official[code] if text))
        for text in notes:
            for bullet in (text or "").split("\n"):
                assert not runs(bullet) & theirs, f"{code}: {bullet}"


def targets(note, known):
    """Groups and classes that a note names, ranges such as `46.2 to 46.9` spelt out."""
    ranges = re.findall(r"\b(\d\d\.\d{1,2}) to (\d\d\.\d{1,2})\b", note)
    between = {code for low, high in ranges for code in known if low <= code <= high and len(code) == len(low)}
    return between | set(re.findall(r"\b\d\d\.\d{1,2}\b", note))


def test_exclusions_lead_to_codes_that_exist():
    table = read_nomenclature()
    known = set(table["code"])
    for code, excludes in table.select("code", "excludes").drop_nulls().iter_rows():
        assert targets(excludes, known) <= known, f"{code} excludes to {targets(excludes, known) - known}"


@pytest.mark.skipif(not OFFICIAL.is_file(), reason="the official file is not part of the repository")
def test_classes_exclude_to_the_official_targets_or_say_whose_reading_it_is():
    ours, official = (read_nomenclature(source).filter(level=4) for source in (None, str(OFFICIAL)))
    known = set(read_nomenclature()["code"])
    theirs = {code: targets(note or "", known) for code, note in official.select("code", "excludes").iter_rows()}
    source = re.compile(r"by our reading|by (its|their) (notes|rule)|implementation rule of 01")
    for code, note in ours.select("code", "excludes").iter_rows():
        named = targets(note or "", known)
        assert theirs[code] <= named, f"{code} lacks the exclusions to {theirs[code] - named}"
        for bullet in (note or "").split("\n"):
            if not source.search(bullet):
                assert targets(bullet, known) <= theirs[code], f"{code}: {bullet}"


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
