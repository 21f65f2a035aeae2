"""The notes of the nomenclature as texts to learn from."""

import numpy as np

from funathon.corpus.nomenclature import read_nomenclature


def note_rows(classes: set[str]) -> tuple[np.ndarray, np.ndarray]:
    """Titles and inclusions of the nomenclature as texts to learn from, and their codes."""
    rows = []
    for code, heading, *notes in (
        read_nomenclature().filter(level=4).select("code", "heading", "includes", "includes_also").iter_rows()
    ):
        lines = "\n".join(note for note in notes if note).splitlines()
        rows += [(line.strip("- "), code) for line in [heading, *lines] if code in classes]
    return np.array([text for text, _ in rows], dtype=object), np.array([code for _, code in rows], dtype=object)
