"""The pretrained model as an MLflow model: texts in; codes, titles and confidences out.

MLflow runs this file when it loads the model ("models from code"), so that nothing but the files of the model is unpickled, and
these only once they are verified. It can be loaded with `mlflow.pyfunc.load_model` and served with `mlflow models serve`.
"""

import importlib.metadata
import os
import tempfile
from pathlib import Path

import mlflow
import pandas as pd
import polars as pl
from mlflow.models import ModelSignature
from mlflow.models.model import ModelInfo
from mlflow.pyfunc import PythonModel, PythonModelContext
from mlflow.types import ColSpec, Schema

from funathon.paths import DEFAULT_NACE
from funathon.storage import read_bytes
from funathon.supervised.columns import CODE_SCHEMA
from funathon.supervised.predicting import load_coder

REQUIREMENTS = (
    "mlflow",
    "torchtextclassifiers",
    "torch",
    "transformers",
    "tokenizers",
    "scikit-learn",
    "numpy",
    "polars",
    "pandas",
)

SIGNATURE = ModelSignature(
    inputs=Schema([ColSpec("string", "label")]),
    outputs=Schema(
        [ColSpec("string" if kind == pl.String else "float", name, required=False) for name, kind in CODE_SCHEMA.items()]
    ),
)
EXAMPLE = pd.DataFrame({"label": ["bakery, bread and rolls", "taxi driver"]})


class NaceCoder(PythonModel):
    """Codes the texts in the column `label`; the answer has the columns that `funathon code` writes, without `review`."""

    def load_context(self, context: PythonModelContext) -> None:
        """Verify the files of the model and load them.

        Raises FunathonError when one is missing, changed or foreign.
        """
        self.coder = load_coder(context.artifacts["model"], nace=context.artifacts["nomenclature"])

    def predict(self, context: PythonModelContext, model_input: pd.DataFrame, params: dict | None = None) -> pd.DataFrame:
        """A row of codes, titles and confidences for each text; null or unreadable texts get a `reason` and no code."""
        labels = pl.from_pandas(model_input["label"].astype("string"))
        # objects, because the text columns of pandas turn None into NaN, which a server would write into its JSON
        return pd.DataFrame(self.coder.table(labels).to_dict(as_series=False), dtype=object)


def log_coder(folder: Path) -> ModelInfo:
    """Log the model in `folder` to the active MLflow run, with the code and the nomenclature that it needs."""
    with tempfile.TemporaryDirectory() as temporary:
        nomenclature = Path(temporary) / DEFAULT_NACE.name
        nomenclature.write_bytes(read_bytes(os.environ.get("NACE_URL") or str(DEFAULT_NACE), "NACE_URL"))
        return mlflow.pyfunc.log_model(
            name="nace-coder",
            python_model=__file__,
            artifacts={"model": str(folder), "nomenclature": str(nomenclature)},
            code_paths=[str(Path(__file__).parents[1])],
            signature=SIGNATURE,
            input_example=EXAMPLE,
            pip_requirements=[f"{name}=={importlib.metadata.version(name)}" for name in REQUIREMENTS],
        )


mlflow.models.set_model(NaceCoder())
