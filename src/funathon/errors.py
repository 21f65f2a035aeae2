"""The one error the commands show to people."""


class FunathonError(Exception):
    """Something the user can mend: what is wrong, and the cure, each one sentence.

    The command line prints it on one line without a traceback and exits with status 1.
    """

    def __init__(self, problem: str, cure: str = "") -> None:
        self.problem = " ".join(problem.split())
        self.cure = " ".join(cure.split())
        super().__init__(f"{self.problem} {self.cure}".strip())
