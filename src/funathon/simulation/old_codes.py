"""Which class of Rev. 2 a labelled text had: by the correspondence where only one is possible, else as a person annotated it."""

from pathlib import Path

import polars as pl

from funathon.corpus.correspondence import Correspondence
from funathon.errors import FunathonError


class OldCodes:
    """The classes of Rev. 2 of labelled texts."""

    def __init__(self, path: Path, correspondence: Correspondence) -> None:
        """Read what was annotated: tab separated, with the columns `code`, `label`, `rev2` and `assumed`.

        Raises FunathonError when a row has a pair of classes that share nothing.
        """
        self._predecessors = correspondence.predecessors
        table = pl.read_csv(path, separator="\t", quote_char=None, infer_schema=False)
        for code, label, old in table.select("code", "label", "rev2").iter_rows():
            if old not in self._predecessors.get(code, ()):
                raise FunathonError(f"{path}: {label!r} cannot have gone from {old} to {code}.", "Mend the column rev2.")
        self._annotated = {(code, label): old for code, label, old in table.select("code", "label", "rev2").iter_rows()}

    def of(self, code: str, label: str) -> str | None:
        """The class of Rev. 2 that a text of the class `code` of Rev. 2.1 had, or None where nobody knows."""
        possible = self._predecessors.get(code, ())
        return possible[0] if len(possible) == 1 else self._annotated.get((code, label))
