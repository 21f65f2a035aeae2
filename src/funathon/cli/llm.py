"""`funathon llm`: the embedded endpoint, and recording what a language model answers."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from funathon.cli.base import app, complaints, console
from funathon.errors import FunathonError, visible

llm_app = typer.Typer(rich_markup_mode=None, help="Run the embedded endpoint, or record a language model's answers.")
app.add_typer(llm_app, name="llm")


@llm_app.callback(invoke_without_command=True)
def llm(
    context: typer.Context,
    stop: Annotated[bool, typer.Option("--stop", help="Stop the one that runs, and exit.")] = False,
    port: Annotated[
        int, typer.Option(help="Port to listen on; that of the last time, or a free one, when none is given.", min=0, max=65535)
    ] = 0,
) -> None:
    """Run the embedded endpoint for embeddings and chat in this terminal; chapters start it by themselves."""
    if context.invoked_subcommand:
        return
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


@llm_app.command("prompts")
def prompts(
    out: Annotated[Path, typer.Option("--output", "-o", help="File of JSON lines to write.")],
) -> None:
    """Write the prompts of chapters 5 to 9 that `record` puts to a language model; takes a minute."""
    from funathon.settings import EMBEDDED, load_settings

    load_settings()
    from funathon.rag.asking import embedded_client
    from funathon.rag.prompt_sets import Prompter, all_prompts
    from funathon.rag.recording import write_prompts
    from funathon.rag.searching import Embedder
    from funathon.supervised.unfinished import writing

    # with the embeddings of another endpoint the searches would find other candidates than those of the chapters
    embed = Embedder(embedded_client(), EMBEDDED["EMBEDDING_MODEL"])
    with writing(out):
        count = write_prompts(all_prompts(Prompter(embed)), out)
    console.print(f"wrote {count:,} prompts to {escape(visible(str(out)))}", highlight=False, soft_wrap=True)


@llm_app.command("record")
def record(
    file: Annotated[Path, typer.Argument(help="Prompts, as `funathon llm prompts` writes them.", metavar="PROMPTS")],
    out: Annotated[Path, typer.Option("--output", "-o", help="File of JSON lines to add the answers to.")],
) -> None:
    """Record the answers of CHAT_MODEL at the endpoint of .env, as they come; interrupted, it goes on where it was.

    A file data/answers/recorded-NAME.jsonl is served by the embedded endpoint as the model recorded-NAME.
    """
    import os

    from rich.progress import Progress

    from funathon.settings import is_configured, load_settings

    load_settings()
    from funathon.rag.recording import read_prompts, record
    from funathon.services import check_llm, where_texts_go

    found = read_prompts(file)
    if not is_configured("LLMLAB_URL"):
        raise FunathonError(
            "There is no language model to record: LLMLAB_URL is not set.",
            "Put an endpoint of your own into .env (see .env.example).",
        )
    if sentence := where_texts_go():
        complaints.print(sentence, style="yellow", markup=False, highlight=False, soft_wrap=True)
    check_llm()
    from openai import OpenAI

    client = OpenAI(base_url=os.environ["LLMLAB_URL"], api_key=os.environ["LLMLAB_API_KEY"], timeout=120, max_retries=5)
    with Progress(console=complaints) as progress:
        task = progress.add_task("answers", total=len(found))
        missing = record(found, out, client, lambda done, of: progress.update(task, completed=len(found) - of + done))
        progress.update(task, completed=len(found))
    console.print(
        f"{missing:,} answers added to {escape(visible(str(out)))}; all {len(found):,} prompts have one now",
        highlight=False,
        soft_wrap=True,
    )
