"""`python -m funathon`: the command, for callers that know the Python and not its scripts folder."""

from funathon.cli import app

app()
