"""Waiting for work that may never end."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Done = TypeVar("Done")


def in_background(work: Callable[[], Done]) -> Future[Done]:
    """Do some work in a thread, and return a future of what it returns or raises.

    The libraries limit how long they wait for the next bytes, not how long they wait in all. Whoever waits for a future can stop
    waiting; the thread is left behind, and does not keep the program from ending.
    """
    future: Future[Done] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future
