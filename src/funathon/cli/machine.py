"""`funathon doctor`."""

import typer

from funathon.cli.base import app, complaints, console
from funathon.errors import FunathonError


@app.command()
def doctor() -> None:
    """Tell what this machine has and whether each service answers, with the cure beside each failure."""
    from funathon.doctor import examine, report
    from funathon.services import where_texts_go

    findings = examine()
    console.print(report(findings))
    try:
        sentence = where_texts_go()
    except FunathonError:
        sentence = ""  # the table tells that the address is none
    if sentence:
        complaints.print(sentence, style="yellow", markup=False, highlight=False, soft_wrap=True)
    if any(finding.failed for finding in findings):
        raise typer.Exit(1)
