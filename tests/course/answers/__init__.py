"""Plausible answers to every question that differ from the official one, one module a chapter.

`WRONG` maps a question to pairs: code that is run after the official solution, and a word that the verdict must contain.
`RIGHT` maps a question to code that is run after the official solution, after which the check must still say "right".
Each question has at least two of each; `tests/course/test_checks.py` proves the checks on them.
"""

from importlib import import_module

from funathon.course.chapters import chapter_paths

_MODULES = {path.stem: import_module(f"{__name__}.chapter_{path.stem.split('-')[0]}") for path in chapter_paths()}
WRONG: dict[str, dict[str, list[tuple[str, str]]]] = {name: module.WRONG for name, module in _MODULES.items()}
RIGHT: dict[str, dict[str, list[str]]] = {name: module.RIGHT for name, module in _MODULES.items()}
