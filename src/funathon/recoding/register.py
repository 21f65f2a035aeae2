"""Recoding a register: what `funathon recode` runs."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from funathon.corpus.correspondence import read_correspondence
from funathon.corpus.tables.table import GUESSED, Reading, Table
from funathon.paths import REGISTER
from funathon.rag.kept import content_hash, model_state
from funathon.recoding.annotators import Annotator
from funathon.recoding.chat import ByChat, announce, models_of
from funathon.recoding.direction import Direction, backwards, forwards, network_annotator
from funathon.recoding.recoder import SCHEMA, Recoder
from funathon.supervised import coding
from funathon.supervised.pretrained import fingerprint
from funathon.supervised.unfinished import ANSWERS

METHODS = ("table", "cag", "vote")
WEIGHTS = REGISTER / "weights.json"
"""The weights of the annotators that need no endpoint, in each direction."""
WEIGHT_OF_CHAT = 2.0
"""Of each chat model, which nobody has measured on the register."""


def recode_register(
    source: str,
    out: str,
    reading: Reading = GUESSED,
    *,
    label: str,
    old_code: str,
    method: str,
    back: bool,
    threshold: float,
    console: Console,
) -> coding.Outcome:
    """Bring the codes in the column `old_code` of `source` to Rev. 2.1, or with `back` to Rev. 2, and write all rows with their columns and those
    of SCHEMA to `out`.

    `method` is one of METHODS. Raises FunathonError as `supervised.coding.code_register` does, and for a service that does not work.
    """
    correspondence = read_correspondence()
    direction = backwards(correspondence) if back else forwards(correspondence)
    models = models_of(method)
    network = os.environ["PRETRAINED_URL"]
    answers: list[Path] = []

    def ready(folder: Path, table: Table, column: str) -> None:
        answers.append(folder / ANSWERS)
        announce(models, console)

    def load() -> Recoder:
        annotators = annotators_of(direction, method, models, network, answers[0])
        return Recoder(direction.successors, direction.titles, annotators, weights_of(annotators, back))

    state = {
        "method": f"recode by {method}",
        "back": back,
        "pairs": content_hash([sorted(map(list, direction.successors.items())), sorted(direction.blocks.items())]),
        "models": [[model, *model_state("CHAT_MODEL")[1:]] for model in models],
    }
    if method == "vote":
        state["offline"] = [
            fingerprint(network) if direction.knows_network else None,
            content_hash(
                [[asdict(each) for each in some] for some in (direction.passages, direction.documents, direction.labelled)]
            ),
            WEIGHTS.read_text(encoding="utf-8"),
        ]
    return coding.code_register(
        source,
        out,
        load,
        state,
        console,
        label=label,
        threshold=threshold,
        reading=reading,
        columns=SCHEMA,
        beside={"old": (old_code, "--old-code")},
        prepare=ready,
    )


def annotators_of(direction: Direction, method: str, models: Sequence[str], network: str, answers: Path) -> list[Annotator]:
    """Who annotates: nobody, one chat model, or all that need no endpoint and the chat models `models`."""
    offline = direction.offline(lambda: network_annotator(network)) if method == "vote" else []
    return [*offline, *(ByChat(model, answers, direction.messages) for model in models)]


def weights_of(annotators: Sequence[Annotator], back: bool) -> dict[str, float]:
    """The weight of each annotator's vote: as `weighing` has measured it, and WEIGHT_OF_CHAT for a chat model."""
    measured = json.loads(WEIGHTS.read_text(encoding="utf-8"))["back" if back else "forth"]["weights"]
    return {each.name: measured.get(each.name, WEIGHT_OF_CHAT) for each in annotators}
