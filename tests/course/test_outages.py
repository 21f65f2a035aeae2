"""A service that is gone is told as such, at once, and by its name; a wrong answer is not taken for it."""

import httpx
import openai
import pytest
import requests
from qdrant_client import QdrantClient
from servers import free_port, http_server

from funathon.course import outages
from funathon.course.outages import mendable, outage
from funathon.course.verdicts import verdict
from funathon.settings import EMBEDDED

ASKS = "def check(client):\n    assert [model.id for model in client.models.list()] == []"


@pytest.fixture
def gone(monkeypatch):
    """LLMLAB_URL names a port at which nobody listens; returns the address."""
    address = f"http://127.0.0.1:{free_port()}/v1"
    monkeypatch.setenv("LLMLAB_URL", address)
    monkeypatch.setenv("LLMLAB_API_KEY", "a-secret-key")
    return address


def client_of(address: str, **options) -> openai.OpenAI:
    return openai.OpenAI(base_url=address, api_key="a-secret-key", **options)


def test_an_endpoint_that_is_gone_is_a_state_of_its_own_without_a_second_try(gone, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: pytest.fail("the client waits and tries again"))
    found = verdict(ASKS, {"client": client_of(gone, max_retries=5)})
    assert found.state == "service"
    assert repr(found).startswith("⚠ A service does not answer: the service at LLMLAB_URL (127.0.0.1:")
    assert "funathon doctor" in found.message and "has not been judged" in found.message
    assert "secret" not in found.message


def test_the_embedded_endpoint_is_cured_by_starting_it_again(gone, monkeypatch):
    for name, value in EMBEDDED.items():
        monkeypatch.setenv(name, value)
    found = verdict(ASKS, {"client": client_of(gone)})
    assert found.state == "service" and "Run `ensure_endpoint()` again" in found.message


def test_an_answer_that_hides_the_failure_is_not_judged_by_it(gone):
    source = (
        "def ask(client):\n    try:\n        return client.models.list()\n    except Exception:\n        return 'request failed'"
    )
    namespace = {"client": client_of(gone, max_retries=0)}
    exec(source, namespace)
    found = verdict("def check(ask, *, client):\n    assert ask(client) != 'request failed', 'ask fails'", namespace)
    assert found.state == "service"


def test_a_question_may_try_a_server_that_does_not_exist(gone):
    source = "def ask(client):\n    try:\n        return client.models.list()\n    except openai.APIError:\n        return 'request failed'"
    namespace = {"openai": openai, "broken": client_of(f"http://127.0.0.1:{free_port()}/v1", max_retries=0)}
    exec(source, namespace)
    assert verdict("def check(ask, *, broken):\n    assert ask(broken) == 'request failed'", namespace).state == "right"


def test_a_check_that_needs_no_service_does_not_ask_for_it(gone):
    assert verdict("def check(x):\n    assert x == 1", {"x": 1}).state == "right"


def test_a_client_of_an_old_address_is_told_to_be_made_again(monkeypatch):
    with http_server({"/v1/models": (200, b'{"data": [], "object": "list"}')}) as address:
        monkeypatch.setenv("LLMLAB_URL", f"{address}/v1")
        found = verdict(ASKS, {"client": client_of(f"http://127.0.0.1:{free_port()}/v1", max_retries=0)})
    assert found.state == "service" and "Make its client again from `LLMLAB_URL`" in found.message


@pytest.mark.parametrize(("status", "words"), [(401, "refuses the credentials"), (429, "too much to do"), (503, "fails (503)")])
def test_what_a_service_answers_in_trouble_is_no_wrong_answer(monkeypatch, status, words):
    with http_server({"/v1/models": (status, b"{}")}) as address:
        monkeypatch.setenv("LLMLAB_URL", f"{address}/v1")
        found = verdict(ASKS, {"client": client_of(f"{address}/v1", max_retries=0)})
    assert found.state == "service" and words in found.message


def test_a_request_that_is_wrong_is_a_wrong_answer(monkeypatch):
    with http_server({"/v1/models": (400, b'{"error": "no such model"}')}) as address:
        monkeypatch.setenv("LLMLAB_URL", f"{address}/v1")
        assert verdict(ASKS, {"client": client_of(f"{address}/v1", max_retries=0)}).state == "wrong"


def test_a_service_that_takes_the_request_and_stays_silent_is_told(monkeypatch):
    with http_server({"/v1/models": (None, b"")}) as address:
        monkeypatch.setenv("LLMLAB_URL", f"{address}/v1")
        found = verdict(ASKS, {"client": client_of(f"{address}/v1", max_retries=0, timeout=0.3)})
    assert found.state == "service" and "does not answer in time" in found.message


def test_the_vector_database_is_named(monkeypatch):
    monkeypatch.setenv("QDRANT_URL", f"http://127.0.0.1:{free_port()}")
    port = int(outages.place_of(__import__("os").environ["QDRANT_URL"])[1])
    qdrant = QdrantClient(url="http://127.0.0.1", port=port, check_compatibility=False, timeout=2)
    found = verdict("def check(qdrant):\n    qdrant.get_collections()", {"qdrant": qdrant})
    assert found.state == "service" and "`QDRANT_URL`" in found.message


def test_mlflow_is_named(monkeypatch):
    import mlflow

    address = f"http://127.0.0.1:{free_port()}"
    for name, value in (("URI", address), ("HTTP_REQUEST_MAX_RETRIES", "0")):
        monkeypatch.setenv(f"MLFLOW_{'TRACKING_' if name == 'URI' else ''}{name}", value)
    client = mlflow.MlflowClient(address)
    found = verdict("def check(client):\n    client.search_experiments()", {"client": client})
    assert found.state == "service" and "`MLFLOW_TRACKING_URI`" in found.message


def raised(call) -> BaseException:
    with pytest.raises(Exception) as caught:
        call()
    return caught.value


@pytest.mark.parametrize("library", [httpx, requests])
def test_a_plain_request_to_a_service_of_the_settings_is_told_by_its_variable(gone, library):
    assert "`LLMLAB_URL`" in outage(raised(lambda: library.get(f"{gone}/models")))


@pytest.mark.parametrize(
    "error", [ValueError("connection"), KeyError("a"), TypeError("x"), FileNotFoundError("x"), AssertionError("y")]
)
def test_other_errors_are_none(error):
    assert outage(error) is None and mendable(error) is None


def test_what_an_address_holds_of_secrets_is_not_told(monkeypatch):
    port = free_port()
    monkeypatch.setenv("LLMLAB_URL", f"http://user:pa55word@127.0.0.1:{port}/v1?token=s3cret")
    said = outage(raised(lambda: httpx.get(f"http://user:pa55word@127.0.0.1:{port}/v1?token=s3cret")))
    assert "LLMLAB_URL" in said and "pa55word" not in said and "s3cret" not in said
