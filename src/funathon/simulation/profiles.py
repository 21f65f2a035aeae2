"""What businesses of a class are like: `data/register/profiles.tsv`, written class by class by a person who may be wrong, never measured."""

import math
import random
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from funathon.errors import FunathonError

LEGAL_FORMS = ("sole trader", "partnership", "company", "co-operative", "association", "foundation", "public body")
MISSING = {"legal_form": 0.01, "employees": 0.04, "surface": 0.08}
"""Shares of businesses that left a field empty."""


@dataclass(frozen=True)
class Fields:
    """What a business says of itself beside its activity; None where it says nothing."""

    legal_form: str | None
    employees: int | None
    surface: int | None
    """In square metres."""
    seasonal: bool


@dataclass(frozen=True)
class Profile:
    """What businesses of a class are like."""

    code: str
    share: float
    """So many of 100,000 businesses are of the class, before all shares are brought to one sum."""
    legal_forms: dict[str, int]
    """Percentages that add up to 100."""
    employees: tuple[int, int]
    """The median, and what nine in ten do not exceed."""
    surface: tuple[int, int] | None
    """The same for the premises in square metres; None where a form does not ask for them."""
    seasonal: int
    """Percentage that works in a season only."""

    def draw(self, chooser: random.Random) -> Fields:
        """The fields of one business."""
        form = chooser.choices(list(self.legal_forms), list(self.legal_forms.values()))[0]
        employees, surface = drawn(self.employees, chooser), drawn(self.surface, chooser) if self.surface else None
        seasonal = chooser.random() < self.seasonal / 100
        empty = {name for name, share in MISSING.items() if chooser.random() < share}
        return Fields(
            None if "legal_form" in empty else form,
            None if "employees" in empty else employees,
            None if "surface" in empty else surface,
            seasonal,
        )


def drawn(bounds: tuple[int, int], chooser: random.Random) -> int:
    """A whole number of a distribution with this median and this nine-tenths quantile: flat below the one, flat between both, and beyond
    with a tail as long as businesses have it, at most twenty times the quantile."""
    median, most = bounds
    rank = chooser.random()
    if rank < 0.5:
        return round(median * rank / 0.5)
    if rank < 0.9:
        return round(median + (most - median) * (rank - 0.5) / 0.4)
    return round(max(most, 1) * min(math.sqrt(0.1 / (1 - rank)), 20))


def read_profiles(path: Path) -> list[Profile]:
    """Read the profiles: tab separated, `code`, `share`, `legal_forms` (`company 60; sole trader 40`), `employees` and `surface` (two
    numbers, or `-`) and `seasonal`.

    Raises FunathonError naming the class whose profile is none.
    """
    profiles = []
    for row in pl.read_csv(path, separator="\t", quote_char=None, infer_schema=False).iter_rows(named=True):
        try:
            forms = {name: int(percent) for name, percent in (part.rsplit(" ", 1) for part in row["legal_forms"].split("; "))}
            employees = two_numbers(row["employees"])
            surface = None if row["surface"] == "-" else two_numbers(row["surface"])
            profile = Profile(row["code"], float(row["share"]), forms, employees, surface, int(row["seasonal"]))
        except (ValueError, AttributeError) as error:
            raise FunathonError(f"{path}: the profile of {row['code']} cannot be read ({error}).", "Mend that row.") from error
        if (
            sum(forms.values()) != 100
            or not set(forms) <= set(LEGAL_FORMS)
            or profile.share <= 0
            or not 0 <= profile.seasonal <= 100
        ):
            raise FunathonError(
                f"{path}: the profile of {row['code']} is none.", "Percentages of known legal forms add up to 100."
            )
        profiles.append(profile)
    return profiles


def two_numbers(text: str) -> tuple[int, int]:
    """A median and a quantile. Raises ValueError where they are none."""
    median, most = (int(part) for part in text.split())
    if not 0 <= median <= most:
        raise ValueError(f"{text!r} is no median and what nine in ten do not exceed")
    return median, most
