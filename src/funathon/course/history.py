"""What has run in a notebook so far, and which of its variables come from the course: by this a learner's own are told apart."""

import ast
import re
from typing import Any
from weakref import WeakKeyDictionary

from IPython.core.interactiveshell import InteractiveShell

from funathon.course.chapters import Chapter

SCOPES = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)
"""Parts of Python code with names of their own."""
START = "from funathon.course.exercise import start"
"""What the first code cell of each chapter does."""


class History:
    """The cells of the course that have run in a kernel, and the values that they made."""

    def __init__(self) -> None:
        self.given: set[str] = set()
        self.ran: set[str] = set()
        self.made: dict[str, Any] = {}

    def note(self, source: str, namespace: dict) -> None:
        """Remember that code of the course has run, and what it has made."""
        self.ran.add(source.strip())
        self.made |= {name: namespace[name] for name in names_bound(source) if name in namespace}

    def is_own(self, name: str, value: Any) -> bool:
        """Whether a variable has its value from the learner, not from code of the course."""
        return name not in self.made or self.made[name] is not value


HISTORIES: WeakKeyDictionary[InteractiveShell, History] = WeakKeyDictionary()
"""One for each shell; it outlives a second `start` in the same kernel."""


def history_of(shell: InteractiveShell, chapter: Chapter) -> History:
    """The history of a shell, which from now on notices the given cells of `chapter` when they run."""
    if shell not in HISTORIES:
        HISTORIES[shell] = new = History()

        def notice(result) -> None:
            source = (result.info.raw_cell or "").strip() if result.info else ""
            if result.success and source in new.given:
                new.note(source, shell.user_ns)

        shell.events.register("post_run_cell", notice)
    history = HISTORIES[shell]
    history.given |= {cell.source.strip() for cell in chapter.cells if cell.type == "code" and cell.kind == "given"}
    history.ran |= {source for source in history.given if START in source}  # it runs just now
    return history


def names_bound(source: str) -> dict[str, bool]:
    """Names to which a cell gives a value, not counting those inside of its functions, classes and comprehensions.

    True for what it assigns, defines or imports, False for names in passing, of a loop or a `with`.
    """
    found: dict[str, bool] = {}
    passing: set[int] = set()
    waiting: list[ast.AST] = [parsed(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.For, ast.AsyncFor)):
            passing |= {id(part) for part in ast.walk(node.target)}
        elif isinstance(node, ast.withitem) and node.optional_vars:
            passing |= {id(part) for part in ast.walk(node.optional_vars)}
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {(alias.asname or alias.name.split(".")[0]): True for alias in node.names}
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found[node.name] = True
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found[node.id] = found.get(node.id, False) or id(node) not in passing
        if not isinstance(node, SCOPES):
            waiting += reversed([*ast.iter_child_nodes(node)])  # in the order of the source
    return found


def names_read(source: str) -> set[str]:
    """Names that a cell reads, also inside of its functions."""
    return {node.id for node in ast.walk(parsed(source)) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def parsed(source: str) -> ast.Module:
    """A cell's code without the lines that only IPython understands."""
    return ast.parse(re.sub(r"^[%!].*$", "pass", source, flags=re.MULTILINE))
