"""The page on what the pretrained model gets wrong: wrong answers that were read one by one, each with its kind of error.

The readings are in `data/benchmarks/errors.tsv`, tab separated and without quotes. `errors.json` beside it says of which model the
answers are (the sha256 of its manifest) and how many wrong answers of each test they were drawn from.
"""

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass

from funathon.corpus.nomenclature import read_nomenclature
from funathon.course.error_kinds import KINDS, Kind
from funathon.course.results import HARD_FIRST, cell_text
from funathon.measures import share
from funathon.paths import DATA, DEFAULT_NACE, PRETRAINED
from funathon.supervised.pretrained import fingerprint, read_manifest
from funathon.supervised.review import REVIEW_BELOW

ERRORS = DATA / "benchmarks" / "errors.tsv"
ORIGIN = DATA / "benchmarks" / "errors.json"
EXAMPLES = 4
NOT_READ = "not read:"
"""How the remark begins on a text whose activity is told after the end of what the model reads."""


@dataclass(frozen=True)
class WrongAnswer:
    """A text that the model coded wrongly, and how somebody read that."""

    test: str
    code: str
    predicted: str
    confidence: float
    kind: str
    text: str
    second: str
    third: str
    remark: str
    """Empty where there is nothing to learn from it."""

    @property
    def near(self) -> bool:
        """Whether the right class is second or third."""
        return self.code in (self.second, self.third)

    @property
    def reviewed(self) -> bool:
        """Whether its confidence sends it to a person."""
        return self.confidence < REVIEW_BELOW


def read_errors() -> list[WrongAnswer]:
    """The wrong answers that were read, as they stand in ERRORS."""
    with ERRORS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [WrongAnswer(**row | {"confidence": float(row["confidence"])}) for row in rows]


def of_today(origin: dict) -> bool:
    """Whether the answers are those of the pretrained model that the course has now."""
    return origin["manifest_sha256"] == fingerprint(str(PRETRAINED))


def errors_page(errors: list[WrongAnswer] | None = None, origin: dict | None = None) -> str:
    """The page in markdown, for Quarto and the preview; by default from ERRORS and ORIGIN."""
    errors = read_errors() if errors is None else errors
    origin = origin or json.loads(ORIGIN.read_text(encoding="utf-8"))
    titles = dict(read_nomenclature(str(DEFAULT_NACE)).filter(level=4).select("code", "heading").iter_rows())
    kinds = sorted(KINDS, key=lambda kind: -sum(error.kind == kind.name for error in errors))
    return "\n".join(
        [
            FRONT,
            *([] if of_today(origin) else [ANOTHER_MODEL]),
            INTRODUCTION,
            *at_a_glance(errors, origin),
            told_apart(errors),
            "## The kinds, the commonest first\n",
            *table_of_kinds(errors, kinds),
            WHO_READ,
            *(section(kind, [error for error in errors if error.kind == kind.name], len(errors), titles) for kind in kinds),
        ]
    )


def by_test(errors: list[WrongAnswer], counted: Callable[[WrongAnswer], bool]) -> str:
    """Cells of a table: how many of each test's wrong answers are `counted`, with the share, then how many of all."""
    cells = []
    for test in HARD_FIRST:
        flags = [counted(error) for error in errors if error.test == test]
        # an interval stays on one line of its cell
        interval = str(share(flags)).replace(", ", ",\N{NO-BREAK SPACE}")
        cells.append(f"{sum(flags)}: {interval}")
    return " | ".join([*cells, str(sum(map(counted, errors)))])


def at_a_glance(errors: list[WrongAnswer], origin: dict) -> list[str]:
    """The table of what concerns all kinds."""
    tests = origin["tests"]
    drawn = [f"{tests[test]['wrong']:,} of {tests[test]['texts']:,}" for test in HARD_FIRST]
    read = [str(sum(error.test == test for error in errors)) for test in HARD_FIRST]
    return [
        f"| | {' | '.join(HARD_FIRST)} | all |",
        "|:---|:---|:---|:---|---:|",
        f"| wrong answers in the test | {' | '.join(drawn)} | {sum(tests[test]['wrong'] for test in HARD_FIRST):,} |",
        f"| read here | {' | '.join(read)} | {len(errors)} |",
        f"| the right class is second | {by_test(errors, lambda error: error.code == error.second)} |",
        f"| the right class is second or third | {by_test(errors, lambda error: error.near)} |",
        f"| confidence below {REVIEW_BELOW}: for review | {by_test(errors, lambda error: error.reviewed)} |",
        f"| neither: it passes, and the right class is not in sight | {by_test(errors, lambda error: not error.near and not error.reviewed)} |",
        "",
    ]


def told_apart(errors: list[WrongAnswer]) -> str:
    """The two kinds that review catches best and the two that it catches worst, in words."""
    reviewed = {kind: [error.reviewed for error in errors if error.kind == kind.name] for kind in KINDS}
    found = sorted((kind for kind in KINDS if reviewed[kind]), key=lambda kind: share(reviewed[kind]).value)

    def told(kind: Kind) -> str:
        return f"[{kind.name}](#{kind.anchor}) ({sum(reviewed[kind])} of {len(reviewed[kind])})"

    return (
        f"Review at {REVIEW_BELOW} does not catch all kinds alike: most of {' and '.join(map(told, found[:-3:-1]))}, least of"
        f" {' and '.join(map(told, found[:2]))}. The counts are small: take them for a hint. (`funathon code` sends a few more to review,"
        " those of which it doubts that they can be coded at all.)\n"
    )


def table_of_kinds(errors: list[WrongAnswer], kinds: list[Kind]) -> list[str]:
    """The table of kinds: number and share by test."""
    rows = [
        f"| [{kind.name}](#{kind.anchor}): {kind.short} | {by_test(errors, lambda error, kind=kind: error.kind == kind.name)} |"
        for kind in kinds
    ]
    return [f"| kind | {' | '.join(HARD_FIRST)} | all |", "|:---|:---|:---|:---|---:|", *rows, ""]


def section(kind: Kind, errors: list[WrongAnswer], n_read: int, titles: dict[str, str]) -> str:
    """What one kind of error is, what helps, and some of its `errors`, out of `n_read`."""
    counts = (
        f"**{len(errors)} of {n_read}.** In {sum(error.near for error in errors)} the right class is second or third; "
        f"{sum(error.reviewed for error in errors)} would go to review."
    )
    unread = sum(error.remark.startswith(NOT_READ) for error in errors)
    if unread:
        length = read_manifest(str(PRETRAINED)).settings["row_length"]
        counts += f" In {unread} the activity is told after the end of what the model reads, which is {length} pieces of words."
    lines = [f"## {kind.name.capitalize()}", "", counts, "", f"*Where it comes from.* {kind.cause}", ""]
    lines += [f"*What helps.* {kind.helps}", "", *(example(error, titles) for error in examples(errors)), ""]
    return "\n".join(lines)


def examples(errors: list[WrongAnswer]) -> list[WrongAnswer]:
    """The shortest texts with a remark, from each test in turn, EXAMPLES at most."""
    turns = []
    for place, test in enumerate(HARD_FIRST):
        texts = sorted((error for error in errors if error.test == test and error.remark), key=lambda error: len(error.text))
        turns += [((turn, place), error) for turn, error in enumerate(texts)]
    return [error for _, error in sorted(turns, key=lambda pair: pair[0])[:EXAMPLES]]


def example(error: WrongAnswer, titles: dict[str, str]) -> str:
    """One wrong answer as an item of a list."""

    def named(code: str) -> str:
        return f"{code} {cell_text(titles[code])}"

    return (
        f"- “{cell_text(error.text)}” ({error.test})\\\n"
        f"  Right: **{named(error.code)}**. Answered: {named(error.predicted)}, confidence {error.confidence:.2f}.\\\n"
        f"  *{cell_text(error.remark.removeprefix(NOT_READ).strip())}*"
    )


FRONT = """---
title: "What the model gets wrong"
subtitle: "Wrong answers of the pretrained model, read one by one"
---
"""
ANOTHER_MODEL = """**These are the answers of another model.** The pretrained model was changed after they had been read, so that the figures and
examples on this page are about the one before. The [model card](model-card.qmd) is about the model of today.
"""
INTRODUCTION = """The pretrained, fast network is right on most texts ([at a glance](results.qmd) says on how many). Here are those on which it is
not: 80 wrong answers of each test, drawn at random and read one by one. In brackets: 95 % Wilson intervals.
"""
WHO_READ = """**One reader** gave the kinds, a language model, and nobody has read them a second time. Each answer got one kind, the first that
explains why the model said what it said; many could have had a second, and another reader would draw some borders elsewhere. *Left open*
stands only where the answer is a fair reading of the text, too. Beside each text lay the titles of both classes and the words that had
decided, as `funathon predict` shows them; the notes were looked up where a border was in doubt.

**The texts are synthetic.** Language models wrote them, and what else stands in a description beside its activity was drawn beforehand
(see the [data sheet](data-sheet.qmd)). So the shares say what is hard in *these* tests; in a register they would be others. And now that
wrong answers have been read, whoever mends the model by this page must measure it on other texts.
"""
