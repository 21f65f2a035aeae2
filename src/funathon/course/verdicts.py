"""Judging an answer: a chapter's check, run on the variables of a notebook, gives a verdict.

A check is a function whose positional parameters are the variables that the question asks for and whose keyword-only
parameters are variables made earlier:

    def check(n_classes, *, labels):
        assert n_classes == labels["code"].n_unique(), "`n_classes` should be the number of different codes"
        return "every class of the nomenclature is there"

A failed assertion of the check is a wrong answer and its message says why; what the function returns, if anything, follows
"Right". `funathon.course.checking` has what checks are written with.
"""

import inspect
import linecache
import re
import traceback
from html import escape

from funathon.course import checking
from funathon.course.outages import failing_fast, outage
from funathon.course.showing import Shown
from funathon.course.wording import in_words
from funathon.errors import FunathonError

CHECK_FILE = "<check>"
"""The file name under which the code of a check appears in tracebacks."""


class Verdict(Shown):
    """Answer of a check: `state` is 'not attempted', 'wrong', 'right' or 'service', `message` says why.

    Names and code in a message stand in backticks; they are shown as code, and in plain text without the backticks.
    """

    MARKS = {
        "not attempted": "○ Not attempted yet",
        "wrong": "✗ Not yet",
        "right": "✓ Right",
        "service": "⚠ A service does not answer",
    }
    COLOURS = {"not attempted": "128, 136, 144", "wrong": "217, 72, 15", "right": "43, 147, 72", "service": "184, 134, 11"}
    """Red, green and blue of the edge and, faintly, the ground; text has the colour of the page it stands on, light or dark."""

    def __init__(self, state: str, message: str = "") -> None:
        self.state = state
        self.message = once_stopped(message)

    def bundle(self) -> dict[str, str]:
        """As plain text and as HTML."""
        return {"text/plain": f"{self.MARKS[self.state]}{self.ending(self.message.replace('`', ''))}", "text/html": self.html()}

    def html(self) -> str:
        """The verdict with a style of its own, since notebooks in JupyterLab, VS Code and Colab share no style sheet."""
        colour = self.COLOURS[self.state]
        return (
            f'<div class="verdict verdict-{self.state.replace(" ", "-")}" style="border-left: 4px solid '
            f'rgb({colour}); background-color: rgba({colour}, 0.12); padding: 0.3em 0.8em;"><strong>{self.MARKS[self.state]}</strong>'
            f"{self.ending(as_html(self.message))}</div>"
        )

    @staticmethod
    def ending(message: str) -> str:
        """What follows the mark: a colon and the message, or a full stop."""
        return f": {message}" if message else "."


class Verdicts(Shown):
    """Verdicts on all questions of a chapter: `found` holds them by the question's number, `titles` what is asked."""

    def __init__(self, titles: dict[str, str], found: dict[str, Verdict]) -> None:
        self.titles = titles
        self.found = found

    def bundle(self) -> dict[str, str]:
        """One line a question as plain text, one row a question as HTML."""
        lines, rows = [], []
        for number, verdict in self.found.items():
            mark, message = Verdict.MARKS[verdict.state], verdict.message
            lines.append(f"{number} {self.titles[number]}: {mark}{f' ({message})' if message else ''}".replace("`", ""))
            cells = (number, as_html(self.titles[number]), mark.replace(" ", "&nbsp;", 1), as_html(message))
            rows.append("".join(f'<td style="text-align: left; vertical-align: top;">{cell}</td>' for cell in cells))
        lines.append(self.summary)
        table = "".join(f"<tr>{row}</tr>" for row in rows)
        return {"text/plain": "\n".join(lines), "text/html": f"<table>{table}</table><p>{self.summary}</p>"}

    @property
    def summary(self) -> str:
        """How many are right."""
        return f"{sum(verdict.state == 'right' for verdict in self.found.values())} of {len(self.found)} questions are right."


def once_stopped(message: str) -> str:
    """A message without white space at its ends and without a full stop behind another mark that ends a sentence."""
    return re.sub(r"(?<![.])([.!?…]`*)\.(?=`*(?:\s|$))", r"\1", message.strip())


def as_html(message: str) -> str:
    """A message as HTML: what stands between backticks is code, nothing else is markup."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(message))


def verdict(check_source: str, namespace: dict) -> Verdict:
    """Run a check function on the variables of `namespace`.

    The function is defined in a copy of the namespace, so that it may use what the chapter imported and changes nothing.
    """
    scope = dict(namespace)
    exec(compile(check_source, CHECK_FILE, "exec"), scope)  # our own source, from the chapter
    asked, needed = parameters(scope["check"])
    present = [name for name in asked if namespace.get(name, ...) is not ...]
    names = in_a_row(f"`{name}`" for name in asked)
    if not present:
        return Verdict("not attempted", f"give a value to {names}.")
    absent = [name for name in asked if name not in present]
    if absent:
        return Verdict("wrong", f"the variable `{absent[0]}` does not exist yet; the question asks for {names}.")
    earlier = [name for name in needed if name not in namespace]
    if earlier:
        return Verdict("wrong", f"`{earlier[0]}`, made earlier in the chapter, is missing; run its cell, or use `catch_up`.")
    answers = {name: namespace[name] for name in asked}
    try:
        with failing_fast():
            remark = scope["check"](**answers, **{name: namespace[name] for name in needed})
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # an answer of an unexpected kind can fail anywhere in the check, and may even call exit()
        return explained(error, answers, namespace)
    return Verdict("right", remark or "")


def parameters(check) -> tuple[list[str], list[str]]:
    """Names of the variables that a check function asks for, and of those made earlier that it needs."""
    found = inspect.signature(check).parameters.values()
    return [p.name for p in found if p.kind is not p.KEYWORD_ONLY], [p.name for p in found if p.kind is p.KEYWORD_ONLY]


def explained(error: BaseException, answers: dict, namespace: dict) -> Verdict:
    """The verdict when a check raised an error: the check's own assertion, a service, the learner's code, or another kind of thing."""
    frames = list(traceback.walk_tb(error.__traceback__))
    by_check = bool(frames) and frames[-1][0].f_code.co_filename in (CHECK_FILE, checking.__file__)
    names = in_a_row(f"`{name}`" for name in answers)
    if isinstance(error, AssertionError) and (by_check or raised_in(frames, answers, namespace) is None):
        return Verdict("wrong", str(error) or f"{names} should have other values.")
    # a check that itself raises a client's error tries how an answer takes it
    gone = None if by_check else outage(error)
    if gone:
        return Verdict("service", f"{gone} Your answer has not been judged.")
    if isinstance(error, FunathonError):
        return Verdict("wrong", str(error))
    culprit = raised_in(frames, answers, namespace)
    if culprit:
        said = " ".join(str(error).split())
        return Verdict("wrong", f"{culprit}: {type(error).__name__}{f', {said}' if said else ''}.")
    misfit = (
        re.fullmatch(r"([\w.]+)\(\) ((?:takes|missing|got) .+)", str(error))
        if isinstance(error, TypeError) and by_check
        else None
    )
    if misfit:
        return Verdict("wrong", f"`{misfit[1]}` cannot be called as the question says ({misfit[2]}).")
    kinds = "; ".join(f"`{name}` is {in_words(value)}" for name, value in answers.items())
    return Verdict("wrong", f"this is another kind of answer than the question asks for. {kinds[0].upper() + kinds[1:]}.")


def raised_in(frames: list, answers: dict, namespace: dict) -> str | None:
    """Which of the learner's functions broke off, and at which line, if an error was raised in one that the check called.

    `frames` are those of the traceback. One of the answers is named if one is among them, else the last function of the notebook.
    """
    own = [(frame, line) for frame, line in frames if is_of_notebook(frame, answers, namespace)]
    if not own:
        return None
    tops = {*answers, *(name for name, value in answers.items() if inspect.isclass(value))}
    named = [frame for frame, _ in own if frame.f_code.co_qualname.split(".")[0] in tops] or [own[-1][0]]
    name = named[-1].f_code.co_qualname.replace(".<locals>", "")
    return f"`{name}` breaks off when the check calls it{at_line(*own[-1])}"


def at_line(frame, line: int) -> str:
    """`, at` and the line of code, where its source is known."""
    text = linecache.getline(frame.f_code.co_filename, line, frame.f_globals).strip()
    return f", at `{text}`" if text and "`" not in text else ""


def is_of_notebook(frame, answers: dict, namespace: dict) -> bool:
    """Whether a frame runs code of the notebook: its globals are the notebook's, or those of a function that was answered."""
    spaces = [namespace, *(value.__globals__ for value in answers.values() if inspect.isfunction(value))]
    return any(frame.f_globals is space for space in spaces)


def in_a_row(words) -> str:
    """Words as a sentence lists them: `a`, `a and b`, `a, b and c`."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
