"""The simulated register: businesses of three years, with texts of the labels, fields by profiles, and codes of Rev. 2.

Nothing in it is a real business. Texts are labels of the training and the validation set, never of a test; `data/register/` has what people
wrote for it: profiles of the classes, texts of new activities, words that go out of use, texts without an activity, places, and which class of
Rev. 2 a text had. `data/README.md` says how all of it comes together, and what it cannot be.
"""

import datetime
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from funathon.corpus.correspondence import read_correspondence
from funathon.corpus.not_codable import among_sentences, read_form_sentences
from funathon.corpus.splitting import split_labels
from funathon.corpus.varying import MOST_WORDS_OF_MAIN, MOST_WORDS_OF_SIDE, is_plain, with_side
from funathon.paths import DATA, SIDE_ACTIVITIES
from funathon.simulation.old_codes import OldCodes
from funathon.simulation.profiles import read_profiles
from funathon.simulation.wording import NewWords, new_activities
from funathon.simulation.wrong_codes import WrongCodes

BUSINESSES = 64_000
FIRST_DAY, DAYS = datetime.date(2023, 1, 1), 3 * 365
LAST_YEAR = datetime.date(2025, 1, 1)
"""From then on new activities appear and words drift."""
HAND_CODED = 6_000
"""Businesses whose class of Rev. 2.1 a person has found."""
NOT_CODABLE, TWO_ACTIVITIES, OTHER_FORM = 0.03, 1 / 8, 0.25
"""Shares of the businesses without an activity that can be coded, with two, and, of the others, with sentences of a form around it."""
NEW_ACTIVITIES, NEW_WORDS = 0.06, 0.6
"""What the share of new activities, and that of old words which new ones take the place of, reach at the end of the last year."""
SEED = 2025
HIDDEN = ("true_rev2_1", "true_rev2", "kind", "old_code_error", "source")
"""The columns of the truth, which lie apart."""


@dataclass(frozen=True)
class Activity:
    """What a business does, and which classes that is of."""

    text: str
    kind: str
    """`plain`, `two activities`, `new activity` or `not codable`."""
    rev2_1: str | None
    rev2: str | None
    side_rev2: str | None = None
    """The class of Rev. 2 of the other activity, where there are two."""
    source: str | None = None
    """`training` or `validation`: the set that the text of the main activity is of; None where it is of neither."""


def simulate(labels: pl.DataFrame, data: Path = DATA, businesses: int = BUSINESSES) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The register and the truth about it, a row a business in both, in the order of registration: the first has `id` and what an office
    knows, the second `id` and HIDDEN.

    `labels` are those of the course; `data` has the folder `register` of what people wrote. The same input gives the same tables.

    Raises FunathonError when a file of the folder is not what it should be.
    """
    table = pl.DataFrame(list(Simulation(labels, data).businesses(businesses)), infer_schema_length=None)
    return table.drop(HIDDEN), table.select("id", *HIDDEN)


class Simulation:
    """Draws businesses, the same ones each time."""

    def __init__(self, labels: pl.DataFrame, data: Path) -> None:
        self._chooser = random.Random(SEED)
        folder = data / "register"
        split = split_labels(labels)
        self._source = dict.fromkeys(split.X_train.tolist(), "training") | dict.fromkeys(split.X_val.tolist(), "validation")
        correspondence = read_correspondence(data / "correspondence.tsv")
        self._old = OldCodes(folder / "old_codes.tsv", correspondence)
        self._profiles = {profile.code: profile for profile in read_profiles(folder / "profiles.tsv")}
        self._pools: dict[str, list[str]] = defaultdict(list)
        for code, text in labels.select("code", "label").iter_rows():
            if text in self._source and self._old.of(code, text):
                self._pools[code].append(text)
        self._codes = [code for code in self._profiles if code in self._pools]
        self._shares = [self._profiles[code].share for code in self._codes]
        self._waiting: dict[str, list[str]] = {}
        self._sides = [(text, code) for code in self._codes for text in self._pools[code] if is_plain(text, MOST_WORDS_OF_SIDE)]
        self._patterns, self._sentences = lines(SIDE_ACTIVITIES), read_form_sentences()
        self._places, self._nothing = lines(folder / "places.txt"), lines(folder / "not_codable.txt")
        self._new_words, self._new = NewWords(folder / "drifting_words.tsv"), new_activities(folder / "new_activities.tsv")
        self._wrong = WrongCodes(sorted(correspondence.successors))

    def businesses(self, number: int) -> Iterator[dict]:
        """So many businesses, in the order of registration: the columns of both tables."""
        choose = self._chooser
        days = sorted(choose.randrange(DAYS) for _ in range(number))
        by_hand = set(choose.sample(range(number), min(HAND_CODED, number)))
        for place, day in enumerate(days):
            registered = FIRST_DAY + datetime.timedelta(day)
            into_last_year = max(0.0, (registered - LAST_YEAR).days / 365)
            activity = self._activity(into_last_year)
            profile = self._profiles[activity.rev2_1 or self._class()]
            # one that cannot be coded has an old code all the same
            rev2 = activity.rev2 or self._old_code_of(profile.code)
            old, error = self._wrong.drawn(rev2, activity.side_rev2, lambda: self._old_code_of(self._class()), choose)
            yield {
                "id": f"B{place + 1:06}",
                "registered": registered,
                "description": activity.text,
                **asdict(profile.draw(choose)),
                # a few places have many businesses
                "place": self._places[int(len(self._places) * choose.random() ** 2)],
                "nace_rev2": old,
                "nace_rev2_1": activity.rev2_1 if place in by_hand else None,
                "coded_by_hand": place in by_hand,
                "true_rev2_1": activity.rev2_1,
                "true_rev2": activity.rev2,
                "kind": activity.kind,
                "old_code_error": error,
                "source": activity.source,
            }

    def _activity(self, into_last_year: float) -> Activity:
        """What one business does; `into_last_year` is 0 before the last year and grows to 1 in it."""
        choose = self._chooser
        if choose.random() < NOT_CODABLE:
            return Activity(choose.choice(self._nothing), "not codable", None, None)
        if choose.random() < NEW_ACTIVITIES * into_last_year:
            code, rev2, text = choose.choice(choose.choice(self._new))
            return Activity(self._in_a_form(text), "new activity", code, rev2)
        code = self._class()
        text = self._text(code)
        rev2, source, kind, side_rev2 = self._old.of(code, text), self._source[text], "plain", None
        if choose.random() < TWO_ACTIVITIES:
            kind, (side, side_code) = "two activities", choose.choice(self._sides)
            side_rev2 = self._old.of(side_code, side)
            text = self._with_side(text, side)
        else:
            text = self._in_a_form(text)
        text = self._new_words(text, NEW_WORDS * into_last_year, choose)
        return Activity(text, kind, code, rev2, side_rev2, source)

    def _class(self) -> str:
        """A class, by the shares of the profiles."""
        return self._chooser.choices(self._codes, self._shares)[0]

    def _text(self, code: str) -> str:
        """A text of a class: each once before any comes again."""
        if not self._waiting.get(code):
            self._waiting[code] = self._chooser.sample(self._pools[code], len(self._pools[code]))
        return self._waiting[code].pop()

    def _old_code_of(self, code: str) -> str:
        """The class of Rev. 2 of some text of a class."""
        return self._old.of(code, self._chooser.choice(self._pools[code]))

    def _in_a_form(self, text: str) -> str:
        return among_sentences(text, self._sentences, self._chooser) if self._chooser.random() < OTHER_FORM else text

    def _with_side(self, main: str, side: str) -> str:
        """A main activity and another one, the first of which counts."""
        if not is_plain(main, MOST_WORDS_OF_MAIN):
            return f"{main.rstrip('. ')}. Also {side}."
        return with_side(self._chooser.choice(self._patterns), main, side)


def lines(path: Path) -> list[str]:
    """The lines of a file of texts."""
    return path.read_text(encoding="utf-8").splitlines()
