"""Where things lie in the project."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The project folder. The package is always installed in editable mode from it (uv does so), on Colab too."""

CHAPTERS = ROOT / "chapters"
NOTEBOOKS = ROOT / "notebooks"
DATA = ROOT / "data"
SITE = ROOT / "_site"
CACHE = ROOT / ".funathon"
"""What the commands keep between two runs: executed chapters and their hashes, results of `funathon rag evaluate`."""
