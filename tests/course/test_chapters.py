import ast
import builtins
import re

import pytest

from funathon.course.chapters import chapter_paths, find_chapter, read_chapter
from funathon.course.history import names_bound
from funathon.errors import FunathonError

CHAPTER = """# %% [markdown]
# # 9. A title
#
# Prose.

# %%
given = 1

# %% [markdown] tags=["question"] question="9.1"
# Question 9.1: add
#
# Put two in `x`.

# %% [markdown] tags=["hint"] question="9.1"
# One and one.

# %% tags=["solution"] question="9.1"
#| fig-alt: nothing
x = 2

# %% tags=["check"] question="9.1"
def check(x, *, given):
    assert x == 2, "x should be 2"
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name="9-test.py"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_a_chapter_is_read_into_questions(write):
    chapter = read_chapter(write(CHAPTER))
    assert chapter.title == "9. A title"
    question = chapter.questions["9.1"]
    assert (question.title, question.body) == ("Question 9.1: add", "Put two in `x`.")
    assert question.solution == "x = 2"
    assert chapter.steps_before("9.1") == [(None, "given = 1")]


def test_a_shortcut_takes_the_place_of_a_solution_when_catching_up(write):
    later = CHAPTER.replace("9.1", "9.2").replace("given = 1", "more = 1").split("# Prose.")[1]
    slow = CHAPTER.replace('# %% tags=["check"]', '# %% tags=["shortcut"] question="9.1"\nx = 1 + 1\n\n# %% tags=["check"]')
    chapter = read_chapter(write(slow + later))
    assert chapter.steps_before("9.2") == [(None, "given = 1"), ("9.1", "x = 1 + 1"), (None, "more = 1")]
    assert chapter.questions["9.1"].solution == "x = 2"


def test_questions_are_numbered_within_their_chapter(write):
    with pytest.raises(FunathonError, match=r"question 1.1 should be 9.1"):
        read_chapter(write(CHAPTER.replace("9.1", "1.1")))


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('tags=["hint"]', 'tags=["hints"]', "tagged hints"),
        ('tags=["hint"] question="9.1"', 'tags=["hint"]', "lacks a question"),
        ('tags=["hint"] question="9.1"', 'tags=["hint"] question="9.2"', "before that question"),
        ('# %% [markdown] tags=["hint"] question="9.1"\n# One and one.\n', "", "lacks its hint"),
        ("x = 2\n", "x = = 2\n", "is not Python"),
        ("# # 9. A title\n", "", "does not open with a heading"),
    ],
)
def test_a_broken_chapter_is_refused(write, old, new, problem):
    assert old in CHAPTER
    with pytest.raises(FunathonError, match=problem):
        read_chapter(write(CHAPTER.replace(old, new)))


def test_chapters_are_found_by_name_number_and_file():
    path = chapter_paths()[0]
    assert find_chapter("1") == find_chapter("1-data") == find_chapter("chapters/1-data.py") == path


def test_a_chapter_that_does_not_exist_is_named_with_those_that_do():
    with pytest.raises(FunathonError, match="There is no chapter '99'") as error:
        find_chapter("99")
    assert "1-data" in error.value.cure


@pytest.mark.parametrize("path", chapter_paths(), ids=lambda path: path.stem)
def test_chapters_survive_jupytext(path):
    """The source that an editor saves through jupytext is the source that was there."""
    import jupytext

    notebook = jupytext.read(path, fmt="py:percent")
    again = jupytext.reads(jupytext.writes(notebook, fmt="py:percent"), fmt="py:percent")
    assert [(c.cell_type, c.source) for c in again.cells] == [(c.cell_type, c.source) for c in notebook.cells]


def names_in(tree: ast.AST) -> tuple[set[str], set[str]]:
    """Names that some code makes, and names that it uses."""
    made, used = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else made).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            made.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            made |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.arg):
            made.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            made.add(node.name)
    return made, used


@pytest.mark.parametrize("path", chapter_paths(), ids=lambda path: path.stem)
def test_code_in_prose_can_be_run_by_a_learner(path):
    """Code between the lines of a chapter, unlike that of a hint, uses no name that only the official solution makes."""
    known, official = set(), set()
    for cell in read_chapter(path).cells:
        if cell.type == "code":
            if cell.kind == "given":
                known |= set(names_bound(cell.source))
            elif cell.kind == "check":
                known |= {argument.arg for argument in ast.parse(cell.source).body[0].args.args}
            else:
                official |= set(names_bound(cell.source))
        elif cell.kind != "hint":
            for code in re.findall(r"(?<!`)`([^`]+)`(?!`)", " ".join(cell.source.split())):
                made, used = used_in_prose(code)
                assert not used & official - made - known, f"{sorted(used & official - made - known)} in `{code}`"


def used_in_prose(code: str) -> tuple[set[str], set[str]]:
    """The names of `names_in` for code between backticks; none for what is no Python, or a bare name, which may be anything's."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return set(), set()
    is_bare = all(isinstance(node, ast.Module | ast.Expr | ast.Name | ast.Attribute | ast.Load) for node in ast.walk(tree))
    return (set(), set()) if is_bare else names_in(tree)


@pytest.mark.parametrize("path", chapter_paths(), ids=lambda path: path.stem)
def test_nothing_needs_a_name_that_only_the_official_solution_makes(path):
    """Given code and checks build on given code and on what questions ask for, whatever else a learner calls things."""
    known = {*dir(builtins), "display"}
    for cell in read_chapter(path).cells:
        if cell.type != "code" or cell.kind in ("solution", "shortcut"):
            continue
        tree = ast.parse(cell.source)
        if cell.kind == "given":
            made, used = names_in(tree)
            assert used <= known | made, f"{sorted(used - known - made)} in {cell.source[:80]!r}"
            known |= made
        else:
            arguments = tree.body[0].args
            needed = {argument.arg for argument in arguments.kwonlyargs}
            assert needed <= known, f"{sorted(needed - known)} in the check of {cell.question}"
            known |= {argument.arg for argument in arguments.args}
