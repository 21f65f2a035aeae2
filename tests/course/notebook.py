"""A notebook to try the exercises in: a chapter written for the test, an IPython shell with nothing in it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

QUESTION = """
# %% [markdown] tags=["question"] question="{number}"
# Question {number}: {title}
#
# Do it.

# %% [markdown] tags=["hint"] question="{number}"
# A hint for {number}.

# %% tags=["solution"] question="{number}"
{solution}
{shortcut}
# %% tags=["check"] question="{number}"
{check}
"""


def question(number: str, solution: str, check: str, title: str = "do it", shortcut: str = "") -> str:
    """The cells of a question."""
    shortcut = f'\n# %% tags=["shortcut"] question="{number}"\n{shortcut}\n' if shortcut else ""
    return QUESTION.format(number=number, title=title, solution=solution, shortcut=shortcut, check=check)


def given(code: str) -> str:
    """A given cell."""
    return f"\n# %%\n{code}\n"


def chapter_source(*parts: str) -> str:
    """A chapter 9 of these cells."""
    return "# %% [markdown]\n# # 9. A title\n" + "".join(parts)


@contextlib.contextmanager
def notebook(path: Path) -> Iterator["Notebook"]:
    """A notebook of the chapter at `path`, in a shell of its own state."""
    shell = InteractiveShell.instance()
    shell.reset(new_session=True)
    try:
        yield Notebook(shell, path)
    finally:
        shell.reset(new_session=True)


class Notebook:
    """Cells to run, and what they show."""

    def __init__(self, shell: InteractiveShell, path: Path) -> None:
        from funathon.course.chapters import read_chapter
        from funathon.course.exercise import Exercises, tell
        from funathon.course.history import HISTORIES, history_of

        self.shell = shell
        HISTORIES.pop(shell, None)
        shell.set_custom_exc((Exception,), tell)
        chapter = read_chapter(path)
        self.exercises = Exercises(chapter, shell.user_ns, history_of(shell, chapter))
        for name in ("check", "hint", "solution", "catch_up"):
            shell.user_ns[name] = getattr(self.exercises, name)

    def run(self, source: str) -> str:
        """Run a cell and return all that it shows, as text: what it prints and the plain text of its displays, in their order of kinds."""
        with capture_output() as captured:
            self.shell.run_cell(source, store_history=True)
        return captured.stdout + captured.stderr + "".join(output.data["text/plain"] + "\n" for output in captured.outputs)

    def __getitem__(self, name: str):
        return self.shell.user_ns[name]

    def __contains__(self, name: str) -> bool:
        return name in self.shell.user_ns
