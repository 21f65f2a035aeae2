"""`funathon doctor`."""

import typer

from funathon.cli.base import app, console


@app.command()
def doctor() -> None:
    """Tell what this machine has and whether each service answers, with the cure beside each failure."""
    from funathon.doctor import examine, report

    findings = examine()
    console.print(report(findings))
    if any(finding.failed for finding in findings):
        raise typer.Exit(1)
