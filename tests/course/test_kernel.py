"""A learner's way through a chapter in a real kernel: wrong answers, verdicts, hints, catching up, a restart in the middle."""

import os

import pytest
from jupyter_client.manager import KernelManager
from traitlets.config import Config

from funathon.paths import NOTEBOOKS

pytestmark = pytest.mark.slow
START = 'from funathon.course.exercise import start\n\ncheck, hint, solution, catch_up = start("1-data")'


class Kernel:
    """A kernel of this Python in the folder of the notebooks; `run` gives what a cell shows, in order."""

    def __init__(self) -> None:
        self.manager = KernelManager(kernel_name="python3", config=Config(KernelManager={"transport_encryption": "auto"}))
        self.manager.start_kernel(cwd=str(NOTEBOOKS), env=os.environ.copy())
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, source: str) -> list[dict]:
        """The messages that a cell sends, those that say it is busy or idle and its code left out."""
        messages = []
        self.client.execute_interactive(source, timeout=120, output_hook=messages.append, allow_stdin=False)
        return [message for message in messages if message["msg_type"] not in ("status", "execute_input")]

    def text(self, source: str) -> str:
        """All that a cell shows, as plain text."""
        shown = []
        for message in self.run(source):
            content = message["content"]
            shown.append(
                content.get("text") or content.get("data", {}).get("text/plain") or "\n".join(content.get("traceback", []))
            )
        return "\n".join(shown)

    def restart(self) -> None:
        """As the button of JupyterLab does."""
        self.manager.restart_kernel(now=True)
        self.client.wait_for_ready(timeout=60)

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def kernel():
    kernel = Kernel()
    yield kernel
    kernel.close()


def test_wrong_answer_verdict_hint_catch_up_restart_catch_up(kernel):
    assert kernel.run(START) == []
    assert "Not attempted yet" in kernel.text('check("1.3")')

    assert "You are at question 1.3" in kernel.text('catch_up("1.3")')
    said = kernel.text('n_classes = "many"\ncheck("1.3")\nprint("more")')
    assert "✗ Not yet" in said and "more" in said
    assert "Hint 1 of" in kernel.text('hint("1.3")')

    # the wrong answer is replaced, and that is told; the right one of 1.2 stays
    said = kernel.text("n_labels = n_labels + 0\ncatch_up(1.4)")
    assert "Your answer to 1.3 was replaced by the course's (n_classes)" in said
    assert "Traceback" not in said

    kernel.restart()
    assert "NameError" in kernel.text("n_classes")
    assert kernel.run(START) == []
    shown = kernel.run('catch_up("1.4")')
    # one place for the progress, which is updated, and one line where one is
    assert [message["msg_type"] for message in shown if message["msg_type"] != "update_display_data"] == ["display_data"] * 2
    assert "replaced" not in shown[-1]["content"]["data"]["text/plain"]
    assert "✓ Right" in kernel.text('check("1.3")')
    assert "of the" not in kernel.text("n_classes")


@pytest.mark.parametrize("cell", ['check("1.1")', 'check("1.1")\nx = 1', "check()"])
def test_a_verdict_is_one_message_of_a_cell(kernel, cell):
    assert [message["msg_type"] for message in kernel.run(cell)] == ["display_data"]


def test_an_error_of_the_course_is_one_line(kernel):
    said = kernel.text('check("1.99")')
    assert said.startswith("Error: Chapter 1-data has no question 1.99. It has 1.1 ") and "Traceback" not in said
