"""The command `funathon`: one module a group of commands.

Each command imports what it needs when it runs: torch alone takes seconds, and `funathon --help` should not.
"""

from funathon.cli import course, llm, machine, model, rag, recode, register  # noqa: F401, the commands register themselves
from funathon.cli.base import app

__all__ = ["app"]
