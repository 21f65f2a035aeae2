"""The weights of the annotators that need no endpoint: `uv run python -m funathon.recoding.weighing` writes `data/register/weights.json`.

They are measured on one half of the labels of the validation set whose class of Rev. 2 is known and has several successors; what the vote is
worth, on the other half. No annotator has learnt from these labels, though the network's settings were chosen on them.
"""

import json
import os

import numpy as np

from funathon.corpus.correspondence import read_correspondence
from funathon.corpus.labels import read_labels
from funathon.corpus.splitting import SEED, split_labels
from funathon.files import write_text
from funathon.paths import OLD_CODES
from funathon.recoding.direction import Direction, backwards, forwards, network_annotator
from funathon.recoding.evaluating import measure
from funathon.recoding.register import WEIGHTS
from funathon.recoding.votes import choices, log_odds
from funathon.settings import load_settings
from funathon.simulation.old_codes import OldCodes


def weigh(direction: Direction, rows: list[tuple[str, str, str]]) -> dict:
    """The weight of each annotator and figures of the vote, from rows of text, old code and right code."""
    annotators = direction.offline(lambda: network_annotator(os.environ["PRETRAINED_URL"]))
    several = [row for row in rows if len(direction.successors[row[1]]) > 1]
    order = np.random.default_rng(SEED).permutation(len(several))
    halves = [[several[i] for i in half] for half in np.array_split(order, 2)]
    texts, old, truth = (list(column) for column in zip(*halves[0]))
    candidates = [direction.successors[code] for code in old]
    weights = {}
    for each in annotators:
        chosen = choices(each.shares(texts, old, candidates))
        weights[each.name] = round(log_odds(np.array([row[i] == code for row, i, code in zip(candidates, chosen, truth)])), 2)
    found = measure(*(list(column) for column in zip(*halves[1])), direction, annotators, weights)
    measured = {name: round(value.value, 3) for name, value in found.annotators.items()}
    return {"weights": weights, "measured_on": len(halves[1]), "right": measured}


def main() -> None:
    """Measure both directions and write WEIGHTS."""
    load_settings()
    correspondence = read_correspondence()
    old_codes = OldCodes(OLD_CODES, correspondence)
    split = split_labels(read_labels())
    known = [(text, old_codes.of(code, text), code) for text, code in zip(split.X_val.tolist(), split.y_val.tolist())]
    rows = [row for row in known if row[1]]
    found = {
        "forth": weigh(forwards(correspondence), rows),
        "back": weigh(backwards(correspondence, split), [(text, new, old) for text, old, new in rows]),
    }
    print(json.dumps(found, indent=1))
    write_text(WEIGHTS, json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
