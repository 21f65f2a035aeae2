"""What an execution of a chapter kept in a folder of its own, added to the common one, so that notebooks find it there."""

import json
import shutil
from pathlib import Path

from funathon.files import replacing
from funathon.rag.asking import read_answers
from funathon.rag.kept import kept_folder

ANSWERS = "answers.jsonl"
"""The file of answers that chapters 8 and 9 share. That of chapter 7 is its learners' to tear apart, and is theirs alone."""


def hand_on(folder: Path) -> None:
    """Add the arrays and the shared answers in `folder` to those that are kept; what is there already stays as it is."""
    target = kept_folder()
    for file in folder.glob("*.npy"):
        if not (target / file.name).exists():
            with replacing(target / file.name) as temporary:
                shutil.copyfile(file, temporary)
    known = read_answers(target / ANSWERS)
    new = [json.dumps(row) for key, row in read_answers(folder / ANSWERS).items() if key not in known]
    if new:
        target.mkdir(parents=True, exist_ok=True)
        with (target / ANSWERS).open("ab") as file:
            # in one piece, and a line break first, since a notebook may be writing to the file as well
            file.write(("\n" + "\n".join(new) + "\n").encode())
