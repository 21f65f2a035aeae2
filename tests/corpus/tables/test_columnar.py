"""Parquet files that polars cannot take."""

import decimal

import pyarrow as pa
import pyarrow.parquet
import pytest

from funathon.corpus.tables.opening import open_table
from funathon.errors import FunathonError


@pytest.mark.parametrize(
    "column",
    [
        pa.array([decimal.Decimal("1.50")], pa.decimal256(50, 2)),
        pa.array([0], pa.timestamp("us", "Mars/Base")),
    ],
)
def test_types_that_polars_lacks_are_refused(tmp_path, column):
    path = tmp_path / "register.parquet"
    pa.parquet.write_table(pa.table({"label": ["x"], "x": column}), path)
    with pytest.raises(FunathonError, match="hold a type that polars lacks"):
        open_table(str(path))
