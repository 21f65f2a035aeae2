"""The files of the simulated register: `funathon data` writes them."""

from pathlib import Path

import polars as pl

from funathon.corpus.assemble import parquet
from funathon.simulation.register import simulate


def register_files(data: Path) -> dict[str, bytes]:
    """The register, and apart from it the truth about it, by name. The same sources give the same bytes (for one version of polars).

    Raises FunathonError when a source is not what it should be.
    """
    register, truth = simulate(pl.read_parquet(data / "labels.parquet"), data)
    return {"register/register.parquet": parquet(register), "register/truth.parquet": parquet(truth)}
