"""The one error the commands show to people."""

import re


def visible(text: str) -> str:
    """`text` with what cannot be seen written out, as `\\x1b`: file names and headers may hold what would steer a terminal."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


class FunathonError(Exception):
    """Something the user can mend: what is wrong, and the cure, each one sentence.

    The command line prints it on one line without a traceback and exits with status 1. Control characters are written out.
    """

    def __init__(self, problem: str, cure: str = "") -> None:
        self.problem = one_line(problem)
        self.cure = one_line(cure)
        super().__init__(f"{self.problem} {self.cure}".strip())


def one_line(text: str) -> str:
    """`text` on one line, with what cannot be seen written out."""
    return visible(re.sub(r"[ \t\r\n]+", " ", text).strip())
