"""Where things lie in the project."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The project folder. The package is always installed in editable mode from it (uv does so), on Colab too."""

PACKAGE = Path(__file__).resolve().parent
CHAPTERS = ROOT / "chapters"
NOTEBOOKS = ROOT / "notebooks"
COLAB_NOTEBOOKS = ROOT / "site" / "colab"
"""Copies of the notebooks that install the course before anything else. Nobody opens them but Colab, so they lie out of the way."""
LAB_SETTINGS = PACKAGE / "course" / "lab"
"""What JupyterLab is set to for the course; site/sspcloud.sh installs it too."""
DATA = ROOT / "data"
DEFAULT_LABELS = DATA / "labels.parquet"
DEFAULT_NACE = DATA / "nace_rev2_1.tsv"
CORRESPONDENCE = DATA / "correspondence.tsv"
FIELD_TEST = DATA / "field_test.parquet"
ENTRIES = DATA / "entries.parquet"
DESCRIPTIONS = DATA / "descriptions.parquet"
NOT_CODABLE = DATA / "not_codable.tsv"
NOT_CODABLE_LABELS = DATA / "labels" / "not_codable.tsv"
"""Texts without an activity to learn from; none of them is in NOT_CODABLE, which is a test."""
ATTACKS = DATA / "attacks.tsv"
"""Texts that give orders to whoever codes them, for chapter 7."""
FORM_SENTENCES = DATA / "form_sentences.txt"
SIDE_ACTIVITIES = DATA / "side_activities.txt"
"""Patterns in which a main activity has another one beside it."""
PRETRAINED = DATA / "pretrained"
ANSWERS = DATA / "answers"
"""Recorded answers of language models to the prompts of part 2."""
SITE = ROOT / "_site"
CACHE = ROOT / ".funathon"
"""What the commands keep between two runs: executed chapters and their hashes, results of `funathon rag evaluate`,
vectors and answers that chapters 6 to 9 need again."""
