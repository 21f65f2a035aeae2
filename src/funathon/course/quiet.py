"""Running code of the course inside a notebook without anything of it being shown."""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output


def run_quietly(shell: InteractiveShell, source: str) -> None:
    """Run a cell in the variables of the notebook; nothing it prints, shows, draws or logs appears. Its errors are raised as they
    are, and its last expression is not shown."""
    code = shell.transform_cell(source)
    name = shell.compile.cache(code)  # so that tracebacks and `inspect.getsource` find it
    with quiet():
        exec(compile(code, name, "exec"), shell.user_ns)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Within it nothing appears below the cell: text, displays, widgets, figures, log lines, what libraries in C write."""
    before = set(open_figures())
    logged = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # handlers keep the stream they were made with
    try:
        with no_descriptors(), capture_output():
            yield
    finally:
        logging.disable(logged)
        for number in set(open_figures()) - before:
            sys.modules["matplotlib.pyplot"].close(number)


@contextlib.contextmanager
def no_descriptors() -> Iterator[None]:
    """Send what is written to the file descriptors of standard output and standard error nowhere."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [(number, os.dup(number)) for number in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for number, _ in kept:
            os.dup2(nowhere, number)
        yield
    finally:
        for number, copy in kept:
            os.dup2(copy, number)
            os.close(copy)
        os.close(nowhere)


def open_figures() -> list[int]:
    """Numbers of the figures of pyplot that have not been closed; none where matplotlib has not been imported."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    return pyplot.get_fignums() if pyplot else []
