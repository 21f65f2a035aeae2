"""`funathon llm`."""

from typing import Annotated

import typer

from funathon.cli.base import app, console


@app.command()
def llm(
    stop: Annotated[bool, typer.Option("--stop", help="Stop the one that runs, and exit.")] = False,
    port: Annotated[
        int, typer.Option(help="Port to listen on; that of the last time, or a free one, when none is given.", min=0, max=65535)
    ] = 0,
) -> None:
    """Run the embedded endpoint for embeddings and chat in this terminal; chapters start it by themselves."""
    from funathon.endpoint.server import Server, run_server, stop_server
    from funathon.settings import EMBEDDED, load_settings

    def announce(server: Server) -> None:
        console.print(f"The embedded endpoint listens at {server.url} and Ctrl-C stops it. For another program, or for .env:")
        for name, value in ({"LLMLAB_URL": server.url} | EMBEDDED).items():
            console.print(f"{name}={value}", highlight=False, soft_wrap=True)

    load_settings()
    if stop:
        console.print("Stopped." if stop_server() else "No embedded endpoint runs.")
        return
    try:
        running = run_server(port, announce)
    except KeyboardInterrupt:
        console.print("Stopped.")
        return
    if running:
        console.print(f"One runs already, at {running.url}. `uv run funathon llm --stop` stops it.")
