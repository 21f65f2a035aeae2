"""What came of each label of a run, kept in a file, and the measures of all of them."""

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from rich.table import Table

from funathon.measures import Share, share
from funathon.rag.answers import CODED, OUTCOMES


@dataclass(frozen=True)
class Result:
    """What came of one label: its row in the table (from 0), the candidates, the answer, and the seconds it added to the run.

    `outcome` is one of OUTCOMES, or names the way in which the request failed.
    """

    row: int
    candidates: list[str]
    code: str | None
    confidence: float | None
    outcome: str
    detail: str
    seconds: float

    @property
    def answered(self) -> bool:
        """Whether the models answered, well or badly; a request that failed is sent again by the next run."""
        return self.outcome in OUTCOMES


class Results:
    """Results in a file of JSON lines, one line each. What is written stays written; of two lines on one row the later counts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.by_row: dict[int, Result] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:  # the last line broke off when the run did
            os.truncate(path, len(whole))
        for line in whole.splitlines():
            result = Result(**json.loads(line))
            self.by_row[result.row] = result

    def keep(self, result: Result) -> None:
        """Add a result to the file."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")
        self.by_row[result.row] = result

    def missing(self, n: int) -> list[int]:
        """The rows below `n` that have no result, or whose request failed."""
        return [row for row in range(n) if row not in self.by_row or not self.by_row[row].answered]


@dataclass(frozen=True)
class Evaluation:
    """Measures of the pipeline on one set of labels.

    `conditional` is the share of right answers among the labels whose right class was among the k candidates, and null when
    there is none; `pipeline` is that among all labels, where a failure counts as wrong. `failures` counts the labels without a
    code by outcome. The seconds are of the whole run divided by the labels.
    """

    n: int
    k: int
    retriever: dict[int, Share]
    conditional: Share | None
    pipeline: Share
    seconds_per_label: float
    failures: dict[str, int] = field(default_factory=dict)

    def shares(self) -> dict[str, Share]:
        """The shares by the name they have in the JSON."""
        named = {f"retriever@{k}": value for k, value in sorted(self.retriever.items())}
        if self.conditional is not None:
            named["conditional"] = self.conditional
        return named | {"pipeline": self.pipeline}

    def as_dict(self) -> dict:
        """What `--json` prints: the figures as shares of 1, and their 95 % intervals."""
        shares = self.shares()
        return {
            "n": self.n,
            "retriever@1": shares["retriever@1"].value,
            "retriever@5": shares["retriever@5"].value,
            "conditional": self.conditional.value if self.conditional else None,
            "pipeline": self.pipeline.value,
            "failures": self.failures,
            "seconds_per_label": self.seconds_per_label,
            "k": self.k,
            "intervals": {name: [value.low, value.high] for name, value in shares.items()},
        }

    def table(self, title: str) -> Table:
        """The figures for the terminal."""
        drawn = Table("measure", "value", title=title, caption="In brackets: 95 % Wilson intervals, for a simple random sample.")
        drawn.add_row("labels", f"{self.n:,}")
        explained = {"conditional": f"right, given that the class is among the {self.k} candidates", "pipeline": "right, of all"}
        for name, value in self.shares().items():
            drawn.add_row(explained.get(name, name.replace("retriever", "right class retrieved ")), str(value))
        for outcome, count in self.failures.items():
            drawn.add_row(f"no code: {outcome}", f"{count:,}")
        drawn.add_row("seconds a label", f"{self.seconds_per_label:.3f}")
        return drawn


def measure(results: Sequence[Result], truth: Sequence[str], k: int) -> Evaluation:
    """Measure results, one a label, against the right codes, in the same order."""
    first = {place: np.array([code in result.candidates[:place] for result, code in zip(results, truth)]) for place in {1, 5, k}}
    right = np.array([result.code == code for result, code in zip(results, truth)])
    failed = Counter(result.outcome for result in results if result.outcome != CODED)
    return Evaluation(
        n=len(results),
        k=k,
        retriever={place: share(hits) for place, hits in first.items()},
        conditional=share(right[first[k]]) if first[k].any() else None,
        pipeline=share(right),
        failures=dict(failed.most_common()),
        seconds_per_label=sum(result.seconds for result in results) / len(results),
    )
