import pytest
from hypothesis import given
from hypothesis import strategies as st

from funathon.errors import SECRETS, FunathonError, visible, without_secrets


@given(st.text(), st.text())
def test_an_error_is_one_line_that_steers_no_terminal(problem, cure):
    assert str(FunathonError(problem, cure)).isprintable()


def test_what_cannot_be_seen_is_written_out():
    assert visible("a\x1b[31m\u202eé\xa0🍞") == "a\\x1b[31m\\u202eé\\xa0🍞"
    assert str(FunathonError("two\n lines", "and a cure")) == "two lines and a cure"


WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_.~%+", min_size=8, max_size=20).map("secret{}".format)


@pytest.mark.parametrize("name", SECRETS)
def test_the_value_of_a_secret_variable_is_never_in_a_message(monkeypatch, name):
    monkeypatch.setenv(name, "pl4nted-s3cret\nin two lines-of-it")
    error = FunathonError(f"It says pl4nted-s3cret{chr(92)}nin, {__import__('os').environ[name]}.", "Bearer pl4nted-s3cret.")
    assert "pl4nted" not in str(error) and "lines-of-it" not in str(error)


def test_words_that_servers_without_keys_take_are_no_secrets(monkeypatch):
    for word in ("none", "any", "embedded"):
        monkeypatch.setenv("LLMLAB_API_KEY", word)
        assert (
            without_secrets(f"the embedded endpoint has none, or any: {word}")
            == f"the embedded endpoint has none, or any: {word}"
        )


@given(WORD, WORD, WORD, st.sampled_from(["https", "http", "s3", "postgresql+psycopg2"]))
def test_logins_and_queries_of_addresses_are_never_shown(user, password, query, scheme):
    shown = without_secrets(f"GET '{scheme}://{user}:{password}@host:5000/a/b.csv?X-Amz-Signature={query}&b=1#f' failed.")
    assert user not in shown and password not in shown and query not in shown
    assert "host:5000/a/b.csv" in shown and shown.endswith("failed.")


@pytest.mark.parametrize(
    "text",
    ["mail me@example.org?", "Did you mean LABELS_URL?", "https://host/path is no file.", "a://b/c, d?e", "Write https://host."],
)
def test_other_texts_stay_as_they_are(text):
    assert without_secrets(text) == text
