"""The simulated register: what it promises of its rows, and that no test has a part in it."""

import datetime
import random
from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funathon.corpus.correspondence import read_correspondence
from funathon.corpus.labels import fold, read_labels
from funathon.corpus.splitting import split_labels
from funathon.errors import FunathonError
from funathon.paths import DATA, DESCRIPTIONS, ENTRIES, FIELD_TEST, NOT_CODABLE, OLD_CODES, REGISTER
from funathon.simulation.files import register_files
from funathon.simulation.old_codes import OldCodes
from funathon.simulation.profiles import drawn, read_profiles
from funathon.simulation.register import simulate
from funathon.simulation.wording import NewWords, new_activities
from funathon.simulation.wrong_codes import WrongCodes


@pytest.fixture(scope="module")
def register():
    return pl.read_parquet(REGISTER / "register.parquet")


@pytest.fixture(scope="module")
def truth():
    return pl.read_parquet(REGISTER / "truth.parquet")


def test_the_files_are_those_that_their_sources_give():
    for name, content in register_files(DATA).items():
        assert (DATA / name).read_bytes() == content, f"{name} is out of date: uv run funathon data"


def test_it_has_the_size_the_years_and_the_shares_that_the_sheet_promises(register, truth):
    assert len(register) == 64_000 and register["id"].is_unique().all() and (register["id"] == truth["id"]).all()
    assert register["registered"].is_sorted()
    assert register["registered"].min() >= datetime.date(2023, 1, 1) and register["registered"].max() <= datetime.date(
        2025, 12, 31
    )
    kinds = dict(truth["kind"].value_counts().iter_rows())
    assert abs(kinds["not codable"] / 64_000 - 0.03) < 0.003 and abs(kinds["two activities"] / 64_000 - 0.125) < 0.01
    wrong = truth["old_code_error"].is_not_null().mean()
    assert abs(wrong - 0.03) < 0.003
    by_hand = register.filter("coded_by_hand").join(truth, on="id")
    assert len(by_hand) == 6_000 and by_hand["nace_rev2_1"].eq_missing(by_hand["true_rev2_1"]).all()
    assert register.filter(~pl.col("coded_by_hand"))["nace_rev2_1"].null_count() == 58_000


def test_the_old_codes_are_right_but_for_the_errors_that_it_names(register, truth):
    pairs = read_correspondence()
    table = register.join(truth, on="id")
    codable = table.filter(pl.col("true_rev2_1").is_not_null())
    assert all(new in pairs.successors[old] for old, new in codable.select("true_rev2", "true_rev2_1").unique().iter_rows())
    same = codable["nace_rev2"] == codable["true_rev2"]
    assert (same == codable["old_code_error"].is_null()).all()
    assert set(register["nace_rev2"]) <= set(pairs.successors)


def test_new_activities_appear_in_the_last_year_only_and_more_and_more(register, truth):
    table = register.join(truth, on="id").filter(kind="new activity")
    months = Counter(day.month for day in table["registered"] if day.year == 2025)
    assert set(table["registered"].dt.year()) == {2025} and months[12] > 3 * months[2]


def test_no_text_of_a_test_is_in_it(register, truth):
    split = split_labels(read_labels())
    side = dict.fromkeys(map(fold, split.X_test), "test")
    for path in (FIELD_TEST, ENTRIES, DESCRIPTIONS):
        side |= dict.fromkeys(map(fold, pl.read_parquet(path)["label"]), path.name)
    side |= dict.fromkeys(
        map(fold, pl.read_csv(NOT_CODABLE, separator="\t", quote_char=None, infer_schema=False)["text"]), "not codable"
    )
    own = set(map(fold, split.X_train)) | set(map(fold, split.X_val))
    found = [text for text in register["description"] if fold(text) in side and fold(text) not in own]
    assert not found


def test_what_people_wrote_for_it_can_be_used():
    profiles = read_profiles(REGISTER / "profiles.tsv")
    nomenclature = pl.read_csv(DATA / "nace_rev2_1.tsv", separator="\t", infer_schema=False).filter(LEVEL="4")["CODE"]
    assert [profile.code for profile in profiles] == nomenclature.to_list()
    pairs = read_correspondence()
    activities = new_activities(REGISTER / "new_activities.tsv")
    assert len(activities) == 25 and all(len(texts) == 16 for texts in activities)
    assert all(code in pairs.successors[old] for texts in activities for code, old, _ in texts)
    assert len(set((REGISTER / "places.txt").read_text().splitlines())) >= 150
    nothing = (REGISTER / "not_codable.txt").read_text().splitlines()
    assert len(set(map(fold, nothing))) == len(nothing) == 400


def test_another_draw_of_fewer_businesses_is_the_same_each_time():
    labels = read_labels()
    first, second = (simulate(labels, businesses=300) for _ in range(2))
    assert first[0].equals(second[0]) and first[1].equals(second[1]) and len(first[0]) == 300


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_a_drawn_number_is_within_reach_of_its_profile(median, more, chooser):
    numbers = [drawn((median, median + more), chooser) for _ in range(20)]
    assert all(0 <= number <= 20 * max(median + more, 1) for number in numbers)


def test_half_of_the_drawn_numbers_are_below_the_median_and_nine_in_ten_below_the_other():
    chooser = random.Random(1)
    numbers = [drawn((10, 100), chooser) for _ in range(20_000)]
    assert abs(sum(number <= 10 for number in numbers) / 20_000 - 0.5) < 0.03
    assert abs(sum(number <= 100 for number in numbers) / 20_000 - 0.9) < 0.02


@given(st.sampled_from(["10.71", "56.10", "01.11", "99.00"]), st.randoms(use_true_random=False))
def test_a_wrong_code_is_a_class_and_another_one(code, chooser):
    pairs = read_correspondence()
    wrong = WrongCodes(sorted(pairs.successors))
    for _ in range(60):
        found, kind = wrong.drawn(code, "62.01", lambda: code, chooser)
        assert found in pairs.successors and (found != code) == (kind is not None)


def test_old_words_become_new_ones_whole_and_with_their_capital():
    words, chooser = NewWords(REGISTER / "drifting_words.tsv"), random.Random(1)
    assert words("Lorry for a factory", 1.0, chooser) == "HGV for a production site"
    assert words("Lorry for a factory", 0.0, chooser) == "Lorry for a factory"
    assert words("unicyclebicycles", 1.0, chooser) == "unicyclebicycles"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("01.11\tmany\tcompany 100\t1 2\t-\t0", "cannot be read"),
        ("01.11\t3\tcompany 90\t1 2\t-\t0", "is none"),
        ("01.11\t3\tguild 100\t1 2\t-\t0", "is none"),
        ("01.11\t3\tcompany 100\t5 2\t-\t0", "cannot be read"),
    ],
)
def test_a_broken_profile_is_named(tmp_path, row, problem):
    (tmp_path / "p.tsv").write_text("code\tshare\tlegal_forms\temployees\tsurface\tseasonal\n" + row + "\n")
    with pytest.raises(FunathonError, match=rf"the profile of 01\.11 {problem}"):
        read_profiles(tmp_path / "p.tsv")


def test_an_annotation_that_the_correspondence_forbids_is_refused(tmp_path):
    (tmp_path / "old.tsv").write_text("code\tlabel\trev2\tassumed\n10.71\tbakery\t01.11\tno\n")
    with pytest.raises(FunathonError, match=r"cannot have gone from 01\.11 to 10\.71"):
        OldCodes(tmp_path / "old.tsv", read_correspondence())
    assert len(pl.read_csv(OLD_CODES, separator="\t", quote_char=None, infer_schema=False)) == 3_060
