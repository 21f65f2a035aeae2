"""What Quarto runs before it renders: brings the executed chapters and the generated pages up to date.

Quarto may call it with any Python, so it hands over to the one in which the course is installed. `funathon build`, which has
done all this already, says so with FUNATHON_PAGES=done.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

if os.environ.get("FUNATHON_PAGES") != "done":
    venv = Path(__file__).resolve().parents[1] / ".venv"
    inside = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if importlib.util.find_spec("funathon"):
        python = sys.executable
    elif inside.is_file():
        python = str(inside)
    else:
        sys.exit("Error: the course is not installed. Run `uv sync` in its folder, then render again.")
    sys.exit(subprocess.call([python, "-m", "funathon", "pages"]))
