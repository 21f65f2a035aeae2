"""What a network is worth on a register, and how uneven the register is, in figures."""

from dataclasses import asdict, dataclass

import numpy as np

from funathon.corpus.nomenclature import read_nomenclature
from funathon.corpus.register import Register
from funathon.corpus.splitting import Split
from funathon.measures import Share, macro_f1, share

COMMONEST = 20
"""Classes with the most texts, whose accuracy is told apart."""
RARE = 20
"""A class with fewer texts to learn from is rare."""


@dataclass(frozen=True)
class Figures:
    """What a network does on the texts of a register that it is measured on."""

    accuracy: Share
    """Of all texts: the *micro* average, in which a class counts by its texts."""
    macro_f1: float
    """Mean of the F1 scores of the classes that occur among the texts, each counting the same."""
    commonest: Share | None
    """Accuracy on the texts of the COMMONEST classes; None where there are none."""
    rare: Share | None
    """Accuracy on the texts of RARE classes."""
    new: Share | None
    """Accuracy on the texts that are not word for word among those learnt from."""

    def as_dict(self) -> dict:
        """The figures, under their names."""
        return {name: asdict(value) if isinstance(value, Share) else value for name, value in vars(self).items()}

    def rows(self) -> list[tuple[str, str]]:
        """The figures as people read them: name and value."""
        return [
            ("accuracy (micro)", str(self.accuracy)),
            ("macro-F1", f"{self.macro_f1:.3f}"),
            *(
                (name, f"{value}, {value.n:,} texts" if value else "no such text to measure on")
                for name, value in (
                    (f"accuracy, the {COMMONEST} commonest classes", self.commonest),
                    (f"accuracy, classes with fewer than {RARE} texts", self.rare),
                    ("accuracy, texts not learnt from word for word", self.new),
                )
            ),
        ]


def judge(predicted: np.ndarray, split: Split) -> Figures:
    """Measure the codes that a network gives the texts to measure on, shape (texts,)."""
    truth, right = split.y_test, predicted == split.y_test
    classes, counts = by_size(split.y_train)

    def among(chosen: np.ndarray) -> Share | None:
        return share(right[chosen]) if chosen.any() else None

    return Figures(
        accuracy=share(right),
        macro_f1=macro_f1(predicted, truth),
        commonest=among(np.isin(truth, classes[:COMMONEST])),
        rare=among(~np.isin(truth, classes[counts >= RARE])),
        new=among(~seen(split)),
    )


def by_size(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The classes among the codes of texts and how many texts each has, the largest first, two arrays of shape (classes,)."""
    classes, counts = np.unique(codes, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return classes[order], counts[order]


def seen(split: Split) -> np.ndarray:
    """Whether each text to measure on is word for word among those learnt from, shape (texts,), bool; registers repeat themselves."""
    learnt = set(split.X_train)
    return np.array([text in learnt for text in split.X_test], dtype=bool)


def numbers(register: Register, split: Split) -> dict:
    """How many rows, texts and classes there are."""
    parts = [part for part in (register.train, register.test) if part]
    classes, counts = by_size(split.y_train)
    return {
        "rows": sum(part.rows for part in parts),
        "without_code": sum(part.no_code for part in parts),
        "without_text": sum(part.no_text for part in parts),
        "training": len(split.X_train),
        "validation": len(split.X_val),
        "measured": len(split.X_test),
        "measured_word_for_word_in_training": int(seen(split).sum()),
        "measured_of_classes_without_training": int((~np.isin(split.y_test, classes)).sum()),
        "classes": len(classes),
        f"classes_with_fewer_than_{RARE}_texts": int((counts < RARE).sum()),
        "classes_in_training_only": len(set(split.y_train) - set(split.y_val)),
        f"share_of_commonest_{COMMONEST}": float(counts[:COMMONEST].sum() / counts.sum()),
    }


def commonest_classes(codes: np.ndarray) -> list[dict]:
    """The COMMONEST classes among the codes of texts, with their titles in the nomenclature at NACE_URL."""
    titles = dict(read_nomenclature().select("code", "heading").iter_rows())
    return [
        {"code": str(code), "title": titles[code], "texts": int(count)}
        for code, count in zip(*(part[:COMMONEST] for part in by_size(codes)))
    ]
