"""The package behind the course on automatic coding into NACE Rev. 2.1."""

import sys

if sys.version_info < (3, 11):  # uv and pip refuse such a Python; this is for whoever puts the folder on its path by hand
    raise SystemExit(f"Error: the course needs Python 3.11 to 3.13, this is {sys.version.split()[0]}. Use `uv run`.")
