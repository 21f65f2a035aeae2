"""The model card of the pretrained model, with every figure measured when it is written.

`funathon train` writes it. For a model that is there already, `uv run python -m funathon.supervised.model_card` measures it again and writes
`data/pretrained/MODEL_CARD.md`. Figures of other methods come from the files in `data/benchmarks`, which the runs of those
methods left there.
"""

import json

import numpy as np
from torchTextClassifiers import torchTextClassifiers

from funathon.corpus.judging import Texts, judged_sets, read_tests
from funathon.corpus.labels import read_labels
from funathon.corpus.nomenclature import read_nomenclature
from funathon.corpus.not_codable import read_not_codable
from funathon.corpus.splitting import Split, split_labels
from funathon.files import write_text
from funathon.measures import calibration_error, share, threshold_for
from funathon.paths import DATA, NOT_CODABLE, PRETRAINED
from funathon.supervised.baselines import BASELINES
from funathon.supervised.classifier import scores, softmax
from funathon.supervised.codability import Codability, doubts, load_codability
from funathon.supervised.evaluation import PRECISION, Report, Weak, accuracy_by, judge, worst_classes
from funathon.supervised.pretrained import CARD, Manifest, load_model, read_manifest
from funathon.supervised.review import REVIEW_BELOW

VARIANTS_FILE = DATA / "benchmarks" / "variants.json"
KINDS = ("label", "entry", "description")
"""The kinds of labels that `variants` tells apart."""
EARLIER = "(before)"
EARLIER_TOLD = f"{EARLIER}: trained, and on the sets of labels judged, before the labels were changed last.\n"
WORST = 10
LENGTHS = {"1 to 5 words": (1, 5), "6 to 9 words": (6, 9), "10 words and more": (10, np.inf)}
"""The lengths by which the registers of the field test are told apart."""


def model_card(model: torchTextClassifiers, codability: Codability, manifest: Manifest, split: Split) -> str:
    """The text of MODEL_CARD.md for a trained model: what it is, and its figures on the tests, the hard ones first, and on the test and
    validation sets of its labels.

    A model of other classes than those of the tests is neither judged by them nor set beside other methods.
    """
    classes = model.value_encoder.label_encoder.classes_
    tests = read_tests()
    in_field = set(tests["field test"]["code"]) == set(classes)
    sets = judged_sets(split, tests if in_field else {})
    scored = {name: scores(model, texts) for name, (texts, _) in sets.items()}
    thresholds = [REVIEW_BELOW, *chosen_threshold(scored["validation"], classes, split.y_val)]
    reports = {name: judge(scored[name], classes, truth, thresholds) for name, (_, truth) in sets.items()}
    right = {name: reports[name].candidates[:, 0] == truth for name, (_, truth) in sets.items()}
    before = {}
    for name in sets:
        raw = softmax(scored[name] * manifest.settings["temperature"])
        before[name] = f"{calibration_error(raw.max(axis=1), right[name]):.3f}"

    lines = [INTRODUCTION.format(n_train=manifest.n_train, n_classes=len(classes))]
    if manifest.training_digest != split.training_digest:
        lines.append(CHANGED)
    lines += ["## Figures\n", *heading("", *reports)]
    figures = {name: dict(report.rows()) for name, report in reports.items()}
    for measure in figures["test"]:
        if measure == "calibration error":
            lines.append(row("calibration error before temperature scaling", *before.values()))
            lines.append(row("calibration error after it", *(values[measure] for values in figures.values())))
        else:
            lines.append(row(measure, *(values[measure] for values in figures.values())))
    lines += [INTERVALS, THRESHOLDS.format(default=REVIEW_BELOW, precision=100 * PRECISION, found=found_threshold(thresholds))]
    if in_field:
        lines += [TESTS_TOLD, "## By form\n", *heading("test", "form", "texts", "top-1 accuracy")]
        for name, table in tests.items():
            forms = accuracy_by(table["register"].to_numpy(), right[name])
            lines += [row(name, form, str(accuracy.n), str(accuracy)) for form, accuracy in forms]
    lines += ["\n## Texts that cannot be coded\n", *not_codable(model, codability, sets)]
    lines += ["\nTop-1 accuracy by the number of words:\n", *heading("length", *sets)]
    lengths = {name: np.array([len(text.split()) for text in texts]) for name, (texts, _) in sets.items()}
    for length, (least, most) in LENGTHS.items():
        inside = {name: right[name][(least <= counts) & (counts <= most)] for name, counts in lengths.items()}
        lines.append(
            row(length, *(f"{values.mean():.1%} of {len(values):,}" if len(values) else "" for values in inside.values()))
        )

    if in_field:
        lines += ["\n## Beside other methods\n", *compared(reports, manifest)]
        lines += ["\n## What was tried\n", *variants(manifest)]
    titles = dict(read_nomenclature().select("code", "heading").iter_rows())
    lines.append("\n## Worst classes\n")
    lines.append(WORST_CLASSES)
    for name, (_, truth) in sets.items():
        lines += [f"\n### {name.capitalize()}\n", *heading("class", "right", "most often taken for")]
        for weak in worst_classes(truth, reports[name].candidates[:, 0], WORST):
            hits = f"{round(weak.accuracy.value * weak.accuracy.n)} of {weak.accuracy.n}"
            lines.append(row(f"{weak.code} {titles[weak.code]}", hits, taken_for(weak, titles)))
    lines += ["\n## Settings\n", *heading("setting", "value")]
    lines += [row(name, str(value)) for name, value in manifest.settings.items()]
    return "\n".join(lines) + "\n"


def not_codable(model: torchTextClassifiers, codability: Codability, sets: dict[str, Texts]) -> list[str]:
    """What share of the texts that cannot be coded is recognised, by kind, and how many of the others are taken for such."""
    table = read_not_codable(NOT_CODABLE)
    doubted = {name: doubts(model, codability, texts) for name, (texts, _) in sets.items()}
    found = doubts(model, codability, table["text"])
    lines = [NOT_CODABLE_TOLD, *heading("texts", "number", "called not codable")]
    lines += [row("**not codable, all kinds**", str(len(found)), str(share(found)))]
    lines += [row(f"— {kind}", str(each.n), str(each)) for kind, each in accuracy_by(table["kind"].to_numpy(), found)]
    return lines + [row(f"{name} (false alarms)", f"{len(each):,}", str(share(each))) for name, each in doubted.items()]


def chosen_threshold(scored: np.ndarray, classes: np.ndarray, truth: np.ndarray) -> list[float]:
    """The threshold for PRECISION on validation labels, rounded so that one can type it: a list of one, or of none."""
    probabilities = softmax(scored)
    found = threshold_for(probabilities.max(axis=1), classes[probabilities.argmax(axis=1)] == truth, PRECISION)
    return [] if found is None else [round(found, 3)]


def found_threshold(thresholds: list[float]) -> str:
    """What the choice on the validation set has come to, in words."""
    return f"it is {thresholds[1]:g}" if len(thresholds) > 1 else "there is none"


def taken_for(weak: Weak, titles: dict[str, str]) -> str:
    """What the texts of a class are most often taken for, and how many of them: one class or two, else how many classes."""
    if len(weak.mistaken_for) > 2:
        return f"{len(weak.mistaken_for)} classes, {weak.mistaken_for[0][1]} × each"
    return "; ".join(f"{n} × {code} {titles[code]}" for code, n in weak.mistaken_for)


def compared(reports: dict[str, Report], manifest: Manifest) -> list[str]:
    """The table with the baselines."""
    own = manifest.training_seconds
    lines = [
        "Trained on the same rows (training set and notes), judged on the same sets. Times are processor seconds: what one core",
        "works on the training. `uv run --group benchmark python -m funathon.supervised.baselines` measures the others again.",
        EARLIER_TOLD,
        *heading("method", *(f"{name}, top-1" for name in reports), "field test, top-5", "training, s"),
    ]
    for method, found in json.loads(BASELINES.read_text(encoding="utf-8")).items():
        accuracies = [f"{found[name]['top1']:.1%}" for name in reports]
        lines.append(
            row(
                named(method, found, manifest),
                *accuracies,
                f"{found['field test']['top5']:.1%}",
                f"{found['training_seconds']:,.0f}",
            )
        )
    accuracies = [f"{report.top[1].value:.1%}" for report in reports.values()]
    seconds = "not recorded" if own is None else f"{own:,.0f}"
    return [*lines, row("**this model**", *accuracies, f"{reports['field test'].top[5].value:.1%}", seconds)]


def named(name: str, found: dict, manifest: Manifest) -> str:
    """The name of another method or network, marked when what was `found` of it is of other training texts than the model's."""
    return name if found.get("sha256_train") == manifest.training_digest else f"{name} {EARLIER}"


def variants(manifest: Manifest) -> list[str]:
    """The table of networks that were trained in another way."""
    found = json.loads(VARIANTS_FILE.read_text(encoding="utf-8"))
    lines = [
        "What each part of the training is worth: accuracy on the validation set, of all its labels, and of those written as on a form, as",
        "index entries and as descriptions. Each network was trained once, with one seed; differences below one point may be chance.",
        "`uv run python -m funathon.supervised.variants` measures them again.",
        EARLIER_TOLD,
        *heading("network", "all", "as on a form", "entries", "descriptions"),
    ]
    return [
        *lines,
        *(row(named(name, each, manifest), *(f"{each[kind]:.1%}" for kind in ("all", *KINDS))) for name, each in found.items()),
    ]


def heading(*cells: str) -> list[str]:
    """The first two lines of a markdown table."""
    return [row(*cells), row(*["---"] * len(cells))]


def row(*cells: str) -> str:
    """A row of a markdown table."""
    return f"| {' | '.join(cells)} |"


INTRODUCTION = """# Model card

The pretrained model of the course: free-text descriptions of an activity, in English, into the {n_classes} classes of the
nomenclature. This card is written by `funathon.supervised.model_card`, which measures every accuracy of the model when it writes it.

**What it is.** A network in the wrapper of torchTextClassifiers: two weighted means of token embeddings, each with a linear
head, averaged (`funathon.supervised.network`). Its tokens and the first values of its embeddings come from all-MiniLM-L6-v2 (Apache
2.0). How much a token counts depends on itself and on the tokens around it. It learnt from right codes and from the mean scores of two
teachers, networks of the same kind that were trained before it from other random numbers (`funathon.supervised.distilling`). All read each text
alone, among form sentences and beside a side activity (`funathon.corpus.varying`). It was trained on {n_train:,} labels, the training set, and on the titles and inclusions of the nomenclature. Settings were
chosen on the validation set; the confidences were calibrated on it by temperature scaling.

**What it is for.** Teaching. The labels of the course are synthetic (see `data/README.md`): figures on them say nothing about
how it would do on a real register. The commands take a whole register all the same: to try out the way from texts to reviewed codes, and to be
used with a model of one's own. Before an office uses what a model writes, it needs: a probability sample of its own population, coded by two people who do
not see each other's codes nor the model's; a threshold chosen on one part of that sample and measured on the other; people who code
what lies below it; and an answer to where its texts may be read, as they can be confidential. (`funathon code`, `predict` and `evaluate` send them
nowhere.) What the model gives is a prediction, not a ruling. It reads English; of another language it knows a few pieces of words
at most, and a text without any letter it knows gets no code.

**Loading it.** The files are pickles, and a pickle is a program: whoever can change the file can make it delete your files or
send them away when you load it. `funathon.supervised.pretrained.load_model` compares every file with the checksums of `manifest.json` before
it reads any. Do not load a model of this kind that you cannot verify.
"""


CHANGED = """**The labels have changed since.** This model, and the other methods and networks that it is compared with, learnt from labels
as they were before. The model's own accuracies are measured on the labels of today; those of the other methods and networks were
measured on the labels of that time.
"""

INTERVALS = """
In brackets: 95 % Wilson intervals. They take each set for a simple random sample. It is none: the sets are stratified by class, and
one writer wrote all labels of some twenty neighbouring classes. For other writers the figures are less certain than they say.
"""

THRESHOLDS = """**Thresholds.** *Coverage* is the share of all texts whose confidence reaches a threshold, *precision* the share of these
that is right. {default:g} is the default of `funathon code`, which marks what is below it for review; no target of quality is behind
it. The other threshold is the lowest with a precision of {precision:g} % on the validation set: {found}. There it was
chosen, so only its figures on the other sets say what it is worth, and they differ from one kind of text to another. Raising a
threshold lowers the coverage; it need not raise the precision.
"""

WORST_CLASSES = """With so few texts a class, chance has a large part in these lists. The last column has the class that most of the wrong
answers name, and how many do; where more than two share the first place, how many classes they are."""

NOT_CODABLE_TOLD = """A linear model says beside the confidence whether a text can be coded at all (`funathon.supervised.codability`). Its bound lets 2 %
of the validation set pass for not codable. The test (`data/not_codable.tsv`) is of texts that nobody could code, written apart.
"""

TESTS_TOLD = """The **descriptions** and the **entries** were written by hand from the official notes, apart from the labels, by language models that had not
seen these, and read critically by others (`data/README.md`). When each test was looked at
while the course was made stands there too. The model learnt from other texts of the same two forms, written to a like brief, so that people's
own will be harder.

The **field test** (`data/field_test.parquet`) was written apart from the labels. It is the easy one.
`funathon evaluate data/field_test.parquet` gives its column.
"""


if __name__ == "__main__":
    write_text(
        PRETRAINED / CARD,
        model_card(
            load_model(str(PRETRAINED)),
            load_codability(str(PRETRAINED)),
            read_manifest(str(PRETRAINED)),
            split_labels(read_labels()),
        ),
    )
