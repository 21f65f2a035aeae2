"""The one error the commands show to people, and what it never shows."""

import os
import re

SECRETS = (
    "LLMLAB_API_KEY",
    "QDRANT_API_KEY",
    "MLFLOW_TRACKING_PASSWORD",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
)
"""Variables whose values are shown to nobody."""
SHORTEST_SECRET = 6
"""Characters; shorter words, such as the `none` that servers without keys take, are no secrets and stand in ordinary texts."""

LOGIN = re.compile(r"(?<=://)[^\s/?#'\"<>]*@")
QUERY = re.compile(r"(?<=://)([^\s?#'\"<>]*)[?#][^\s'\"<>]+")


def visible(text: str) -> str:
    """`text` with what cannot be seen written out, as `\\x1b`: file names and headers may hold what would steer a terminal."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


class FunathonError(Exception):
    """Something the user can mend: what is wrong, and the cure, each one sentence, without secrets.

    The command line prints it on one line without a traceback and exits with status 1. Control characters are written out.
    """

    def __init__(self, problem: str, cure: str = "") -> None:
        self.problem = without_secrets(one_line(problem))
        self.cure = without_secrets(one_line(cure))
        super().__init__(f"{self.problem} {self.cure}".strip())


def one_line(text: str) -> str:
    """`text` on one line, with what cannot be seen written out."""
    return visible(re.sub(r"[ \t\r\n]+", " ", text).strip())


def without_secrets(text: str) -> str:
    """A text in which `…` stands for what may be secret: the values of SECRETS (also when a library has escaped their line
    breaks), and in any address the `user:password@` and what follows `?`, where signatures stand."""
    for name in SECRETS:
        # a library that quotes a value escapes its line breaks, so each line of it is looked for
        for piece in os.environ.get(name, "").split():
            if len(piece) >= SHORTEST_SECRET and piece != "embedded":
                text = text.replace(piece, "…")
    return QUERY.sub(r"\1?…", LOGIN.sub("…@", text))
