"""The embedded endpoint as a process: found, started and stopped.

`ensure_endpoint()` is what a chapter calls. There is one server a user and checkout: a small state file in the user's cache
folder says on which port it listens, a lock keeps two notebooks from starting two, and the next server listens where the one
before did, so that a client made earlier finds it. A server that a chapter has started stops by
itself when nobody has asked it anything for two hours; one started by `funathon llm` runs until it is stopped.
"""

import contextlib
import hashlib
import json
import math
import os
import platform
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
from filelock import FileLock
from platformdirs import user_cache_path

from funathon.endpoint.recorded import answer_files
from funathon.errors import FunathonError
from funathon.files import write_text
from funathon.paths import ROOT
from funathon.settings import EMBEDDED, is_configured

HOST = "127.0.0.1"
IDLE = 2 * 60 * 60
"""Seconds without a request after which the server stops."""
PATIENCE = 300
"""Seconds to wait until a server that has been started is ready; on two idle cores it takes about ten."""


@dataclass(frozen=True)
class Server:
    """A server that runs: where it listens, its process, and the hash of the code it runs."""

    port: int
    pid: int
    fingerprint: str

    @property
    def url(self) -> str:
        """The base URL for clients."""
        return f"http://{HOST}:{self.port}/v1"


def fingerprint() -> str:
    """Hash of the code and the recorded answers that a server runs with; after an upgrade of the course it differs, and a new server is
    started."""
    state = hashlib.sha256()
    folder = Path(__file__).parent
    for file in [*sorted(folder.glob("*.py")), *sorted(folder.glob("stand_in.*")), folder.parent / "minilm.py", *answer_files()]:
        state.update(file.read_bytes())
    return state.hexdigest()[:16]


def state_file() -> Path:
    """Where the server of this user, machine and checkout is written down; its log and lock lie beside it."""
    place = hashlib.sha256(f"{platform.node()}\0{ROOT}".encode()).hexdigest()[:12]
    return user_cache_path("funathon") / f"endpoint-{place}.json"


def log_file() -> Path:
    """Where a server that was started in the background writes its messages."""
    return state_file().with_suffix(".log")


def starting() -> FileLock:
    """The lock to hold while looking for a server and starting one.

    Raises FunathonError when the cache folder cannot be written to.
    """
    try:
        state_file().parent.mkdir(parents=True, exist_ok=True)
        lock = state_file().with_suffix(".lock")
        lock.touch()
        return FileLock(lock, thread_local=False)  # `run_server` lets go of it in another thread
    except OSError as error:
        raise FunathonError(
            f"{state_file().parent} cannot be written to ({error.strerror}).", "Set XDG_CACHE_HOME to a folder of yours."
        ) from error


def ask_health(port: int) -> dict | None:
    """What the server on a port says about itself; None when nothing or something else answers there."""
    try:
        # no proxy stands between this machine and itself; a server that loads its model can take a while to answer
        with httpx.Client(trust_env=False, timeout=httpx.Timeout(30, connect=2)) as client:
            answer = client.get(f"http://{HOST}:{port}/health").json()
    except (httpx.HTTPError, ValueError):
        return None
    return answer if isinstance(answer, dict) and "fingerprint" in answer else None


def find_server() -> Server | None:
    """The server that the state file names, if it is the one that answers there."""
    try:
        server = Server(**json.loads(state_file().read_text()))
    except (OSError, ValueError, TypeError):
        return None
    health = ask_health(server.port)
    same = health is not None and (health["pid"], health["fingerprint"]) == (server.pid, server.fingerprint)
    return server if same else None


def current_server() -> Server | None:
    """The server that runs, if it runs the code of today; one that runs older code is stopped."""
    server = find_server()
    if server is not None and server.fingerprint != fingerprint():
        stop_server()
        return None
    return server


def ensure_endpoint() -> None:
    """Make LLMLAB_URL, LLMLAB_API_KEY, EMBEDDING_MODEL and CHAT_MODEL name an endpoint that answers.

    When LLMLAB_URL is set to an endpoint of your own, nothing changes. Otherwise the embedded endpoint is found, or started
    and waited for, and the four variables are set to it.

    Raises FunathonError when it does not start.
    """
    if is_configured("LLMLAB_URL"):
        return
    os.environ |= {"LLMLAB_URL": embedded_endpoint().url} | EMBEDDED


def embedded_endpoint() -> Server:
    """The embedded endpoint, started and waited for if it does not run, whatever LLMLAB_URL names.

    Raises FunathonError when it does not start.
    """
    with starting():
        server = current_server() or start_server()
    # no proxy stands between this machine and itself, whatever the environment names
    for name in ("NO_PROXY", "no_proxy"):
        spared = [host for host in os.environ.get(name, "").split(",") if host]
        os.environ[name] = ",".join(dict.fromkeys([*spared, HOST]))
    return server


def start_server() -> Server:
    """Start a server in the background and return it when it is ready.

    Raises FunathonError when it ends, cannot load its model or takes too long.
    """
    cure = f"Its messages are in {log_file()}."
    with log_file().open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "funathon.endpoint.server"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=ROOT,
            start_new_session=True,  # it outlives the notebook, and Ctrl-C there does not reach it
        )
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise FunathonError("The embedded endpoint ended while it was starting.", cure)
        server = find_server()
        if server is not None and server.pid == process.pid:
            health = ask_health(server.port) or {}
            if health.get("error"):
                stop_server()
                raise FunathonError(f"The embedded endpoint cannot load its model: {health['error']}")
            if health.get("ready"):
                return server
        time.sleep(0.1)
    process.terminate()
    raise FunathonError(f"The embedded endpoint was not ready after {PATIENCE} seconds.", cure)


def stop_server() -> bool:
    """Stop the server of this checkout; False when there is none."""
    server = find_server()
    if server is None:
        return False
    os.kill(server.pid, signal.SIGTERM)
    for _ in range(100):
        if ask_health(server.port) is None:
            break
        time.sleep(0.1)
    state_file().unlink(missing_ok=True)
    return True


def usual_port() -> int:
    """The port of the server before, so that clients made then find the next one; 0 when there was none."""
    try:
        port = int(state_file().with_suffix(".port").read_text())
    except (OSError, ValueError):
        return 0
    return port if 0 < port < 2**16 else 0


def listen_as_before() -> socket.socket:
    """A socket on the port of the server before, or on any other when somebody else has that."""
    try:
        return listen(usual_port())
    except FunathonError:
        return listen(0)


def listen(port: int) -> socket.socket:
    """A socket on this machine; port 0 lets the system choose a free one.

    Raises FunathonError when the port is taken or not allowed.
    """
    # asyncio sends small packets at once (TCP_NODELAY) only where the protocol is named; else each answer, which is sent in two
    # parts, waits 40 ms until the client has confirmed the first
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise FunathonError(f"Port {port} cannot be used ({error}).", "Choose another with --port.") from error
    listener.listen(128)
    return listener


def serve(port: int = 0, idle: float = IDLE, announce: Callable[[Server], None] = lambda server: None) -> None:
    """Run the server in this process until it is stopped or nobody has asked it anything for `idle` seconds.

    `announce` is called with the server, in another thread, once it answers.

    Raises FunathonError when it cannot listen on the port (0: that of the server before, else any that is free).
    """
    import uvicorn

    from funathon.endpoint.app import make_app
    from funathon.endpoint.guards import ImpatientProtocol

    listener = listen(port) if port else listen_as_before()
    server = Server(listener.getsockname()[1], os.getpid(), fingerprint())
    application = make_app({"pid": server.pid, "fingerprint": server.fingerprint})
    runner = uvicorn.Server(uvicorn.Config(application, http=ImpatientProtocol, log_level="warning", timeout_graceful_shutdown=5))

    def attend() -> None:
        while not runner.started:
            time.sleep(0.05)
        write_text(state_file().with_suffix(".port"), str(server.port))
        write_text(state_file(), json.dumps(asdict(server)))
        announce(server)
        stop_when_idle(runner, idle)

    threading.Thread(target=attend, daemon=True).start()
    try:
        runner.run(sockets=[listener])
    finally:
        with contextlib.suppress(FileNotFoundError, ValueError):
            if json.loads(state_file().read_text())["pid"] == server.pid:
                state_file().unlink()


def run_server(port: int, announce: Callable[[Server], None]) -> Server | None:
    """Run the server in this process until Ctrl-C; if one runs already, return it at once.

    Raises FunathonError when it cannot listen on the port.
    """
    lock = starting()
    lock.acquire()

    def ready(server: Server) -> None:
        lock.release()
        announce(server)

    try:
        found = current_server()
        if found is None:
            serve(port, math.inf, ready)
        return found
    finally:
        lock.release()


def stop_when_idle(runner, idle: float) -> None:
    """Stop a uvicorn server when the number of its requests has not changed for `idle` seconds."""
    seen, since = -1, time.monotonic()
    while not runner.should_exit:
        if runner.server_state.total_requests != seen:
            seen, since = runner.server_state.total_requests, time.monotonic()
        elif time.monotonic() - since > idle:
            runner.should_exit = True
        time.sleep(min(10, idle / 4))


if __name__ == "__main__":
    serve()
