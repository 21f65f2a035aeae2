# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 6. A vector database of NACE
#
# *Part 2, retrieval-augmented generation · chapter 6 of 7 · about 75 minutes · nothing needed before*
#
# In this chapter you will
#
# - connect to the services without ever writing a key into a notebook;
# - make a document of each code of the nomenclature, and decide what belongs in its text;
# - embed them all: in batches, several requests at a time, with retries, and see what each of these brings;
# - store them so that running the cell twice changes nothing;
# - find out by measuring which levels of the nomenclature belong in the search, and why the obvious choice is a trap.

# %%
from funathon.course.exercise import start

check, hint, solution, catch_up = start("6-vector-database")

# %% [markdown]
# ## Exercise 1: the services
#
# (Where a question asks for a table, it means one of polars.)
#
# Two services are needed: an endpoint that makes embeddings, and a vector database. What `.env` does not name is embedded:
# the cell below starts an endpoint on this machine if it has to (chapter 5 shows the choices side by side), and the
# database then lives in a folder of the project.

# %%
import os

from funathon.endpoint.server import ensure_endpoint

ensure_endpoint()

# %% [markdown] tags=["question"] question="6.1"
# Question 6.1: secrets
#
# The endpoint is described by four variables: `LLMLAB_URL`, `LLMLAB_API_KEY`, `EMBEDDING_MODEL` and `CHAT_MODEL`. You
# want to see them, but what a cell prints is saved with the notebook, and the key with it.
#
# 1. Write a function `mask(secret)` that returns the first three characters and `…`; of a secret with fewer than 8
#    characters it returns only `…`.
# 2. Put the four variables in a dictionary `settings`, the key masked.
# 3. `.gitignore`, one folder up from the notebooks, lists what git leaves alone. Put in `env_is_ignored` whether `.env`
#    is a line of it.

# %% [markdown] tags=["hint"] question="6.1"
# `os.environ["LLMLAB_URL"]` is the value of a variable. Slices work on text: `secret[:3]`.

# %% [markdown] tags=["hint"] question="6.1"
# `Path("../.gitignore").read_text().splitlines()` is the list of lines, and `".env" in …` asks whether one of them is
# `.env`.

# %% tags=["solution"] question="6.1"
from pathlib import Path


def mask(secret):
    """A secret that can be shown."""
    return "…" if len(secret) < 8 else f"{secret[:3]}…"


settings = {name: os.environ[name] for name in ["LLMLAB_URL", "EMBEDDING_MODEL", "CHAT_MODEL"]}
settings["LLMLAB_API_KEY"] = mask(os.environ["LLMLAB_API_KEY"])
env_is_ignored = ".env" in Path("../.gitignore").read_text().splitlines()
print("embeddings:", settings["EMBEDDING_MODEL"], "· chat:", settings["CHAT_MODEL"], "· .env ignored by git:", env_is_ignored)

# %% tags=["check"] question="6.1"
def check(mask, settings, env_is_ignored):
    import os
    from pathlib import Path

    assert callable(mask), "mask should be a function"
    assert mask("sk-0123456789") == "sk-…", f"mask('sk-0123456789') should be 'sk-…', it is {mask('sk-0123456789')!r}"
    assert mask("ollama") == "…", f"mask('ollama') should be '…', since it is shorter than 8, it is {mask('ollama')!r}"
    for secret, shown in (("1234567", "…"), ("12345678", "123…")):
        assert mask(secret) == shown, f"mask({secret!r}) should be {shown!r}, it is {mask(secret)!r}"
    assert isinstance(settings, dict), "settings should be a dictionary"
    for name in ("LLMLAB_URL", "EMBEDDING_MODEL", "CHAT_MODEL"):
        assert settings.get(name) == os.environ[name], f"settings[{name!r}] should be the value of that variable"
    assert "LLMLAB_API_KEY" in settings, "settings has no LLMLAB_API_KEY; put it in, masked"
    assert settings["LLMLAB_API_KEY"] == mask(os.environ["LLMLAB_API_KEY"]), "LLMLAB_API_KEY in settings should be masked"
    expected = ".env" in Path("../.gitignore").read_text().splitlines()
    assert env_is_ignored is expected, f"env_is_ignored should be {expected}, whether '.env' is a line of ../.gitignore"
    return "git leaves .env alone" if expected else "git would commit your .env: add the line .env to .gitignore now"


# %% [markdown]
# `.gitignore` protects a file that was never committed. If a key has been pushed even once, deleting it in the next
# commit does not help: it stays in the history, and programs search public repositories for keys all day long. Then the
# only cure is to revoke the key where it was issued and to ask for a new one.

# %% [markdown] tags=["question"] question="6.2"
# Question 6.2: the client of the endpoint
#
# Make an `OpenAI` client from `LLMLAB_URL` and `LLMLAB_API_KEY` and call it `client`. Left alone it waits up to ten minutes
# for an answer. Set its `timeout` to 120 seconds, and let it try again up to 5 times (`max_retries`).

# %% [markdown] tags=["hint"] question="6.2"
# `OpenAI` comes from the package `openai`. Its address is called `base_url`.

# %% tags=["solution"] question="6.2"
from openai import OpenAI

client = OpenAI(base_url=os.environ["LLMLAB_URL"], api_key=os.environ["LLMLAB_API_KEY"], timeout=120, max_retries=5)

# %% tags=["check"] question="6.2"
def check(client):
    import os

    from openai import OpenAI

    assert isinstance(client, OpenAI), "client should be an OpenAI client: OpenAI(…)"
    given, wanted = str(client.base_url).rstrip("/"), os.environ["LLMLAB_URL"].rstrip("/")
    assert given == wanted, f"the base_url of client should be LLMLAB_URL, {wanted}, it is {given}"
    assert client.api_key == os.environ["LLMLAB_API_KEY"], "the api_key of client should be LLMLAB_API_KEY"
    assert client.timeout == 120, "the timeout of client should be 120 seconds"
    assert client.max_retries == 5, f"max_retries of client should be 5, it is {client.max_retries}"
    return "nothing has been sent yet; a wrong address shows at the first request"


# %% [markdown]
# Retries are for trouble that passes: a broken connection, a server that is busy (429) or has stumbled (500 and above).
# The client waits a little longer each time, or as long as the server asks it to. It does not retry what will not pass: a
# refused key (401) or an address that leads nowhere (404, often a URL without `/v1`).

# %% [markdown] tags=["question"] question="6.3"
# Question 6.3: which models are there?
#
# Ask the endpoint for its models. Put their ids, sorted, in the list `model_ids`, and those of `EMBEDDING_MODEL` and
# `CHAT_MODEL` that are not among them in the list `missing_models`.

# %% [markdown] tags=["hint"] question="6.3"
# `client.models.list()` can be looped over; each model has an `id`.

# %% tags=["solution"] question="6.3"
model_ids = sorted(model.id for model in client.models.list())
missing_models = [os.environ[name] for name in ["EMBEDDING_MODEL", "CHAT_MODEL"] if os.environ[name] not in model_ids]
print(model_ids, missing_models)

# %% tags=["check"] question="6.3"
def check(model_ids, missing_models, *, client):
    import os

    expected = sorted(model.id for model in client.models.list())
    assert isinstance(model_ids, list), "model_ids should be a list"
    assert all(isinstance(name, str) for name in model_ids), "model_ids should hold the ids, as text, not the models"
    assert sorted(model_ids) == expected, f"model_ids should hold the {len(expected)} ids that the endpoint lists"
    assert model_ids == expected, "model_ids should be sorted"
    absent = [os.environ[name] for name in ("EMBEDDING_MODEL", "CHAT_MODEL") if os.environ[name] not in expected]
    assert list(missing_models) == absent, f"missing_models should be {absent}"
    return f"{len(expected)} models" + (f"; {absent[0]} is not one of them, check its name in .env" if absent else ", yours among them")


# %% [markdown] tags=["question"] question="6.4"
# Question 6.4: the client of the database
#
# **Qdrant** is a vector database. The same `QdrantClient` talks to a server, or works by itself on a folder. Make one,
# called `qdrant`:
#
# - if `QDRANT_URL` is set, from that `url`, the `port` in `QDRANT_API_PORT` (a number; 6333 if it is not set) and the
#   `api_key` in `QDRANT_API_KEY`;
# - otherwise on the folder `chapter-6` within the folder that `QDRANT_PATH` names.
#
# Put the names of its **collections** in the list `collection_names`. A collection is to Qdrant what a table is to other
# databases. There may be none yet.

# %% [markdown] tags=["hint"] question="6.4"
# `os.environ.get("QDRANT_URL")` is `None` when the variable is not set. For a folder, the argument is called `path`.

# %% [markdown] tags=["hint"] question="6.4"
# `qdrant.get_collections().collections` is a list of objects that have a `name`.

# %% [markdown] tags=["hint"] question="6.4"
# *"already accessed by another instance"*: a folder can be open once at a time. If you run the cell a second time, close
# the first client before: `qdrant.close()`.

# %% tags=["solution"] question="6.4"
from qdrant_client import QdrantClient, models

if "qdrant" in globals():
    qdrant.close()  # when the cell is run again; a folder can be open once at a time
if os.environ.get("QDRANT_URL"):
    port = int(os.environ.get("QDRANT_API_PORT") or 6333)
    qdrant = QdrantClient(url=os.environ["QDRANT_URL"], port=port, api_key=os.environ.get("QDRANT_API_KEY"))
else:
    qdrant = QdrantClient(path=f"{os.environ['QDRANT_PATH']}/chapter-6")
collection_names = [collection.name for collection in qdrant.get_collections().collections]
print(collection_names)

# %% tags=["check"] question="6.4"
def check(qdrant, collection_names):
    import os

    from qdrant_client import QdrantClient

    assert isinstance(qdrant, QdrantClient), "qdrant should be a QdrantClient"
    location = getattr(qdrant._client, "location", None)
    if not os.environ.get("QDRANT_URL"):
        assert location != ":memory:", "qdrant keeps its data in memory only; give it a path"
        assert str(location).rstrip("/").endswith("chapter-6"), f"qdrant should work on the folder chapter-6 of QDRANT_PATH, not on {location}"
    expected = [collection.name for collection in qdrant.get_collections().collections]
    assert isinstance(collection_names, list), "collection_names should be a list of names"
    assert all(isinstance(name, str) for name in collection_names), "collection_names should hold the names, as text"
    # later questions make a collection, which is no reason to call this answer wrong
    assert set(collection_names) <= set(expected), f"collection_names should hold the collections of qdrant: {expected}"
    return f"{len(collection_names)} collections" if collection_names else "connected, and still empty"


# %% [markdown]
# On SSP Cloud, Qdrant is a service that you launch like the others; it shows its address and its key. Behind an https
# address the port is 443. With the wrong port the client waits and then, in most networks, speaks of a *timeout*: nobody
# listens there.

# %% [markdown]
# ## Exercise 2: from rows to documents
#
# A search finds what has been written down. So what is written in the text of each class decides what can be found, more
# than any setting of the database.

# %% [markdown] tags=["question"] question="6.5"
# Question 6.5: the nomenclature
#
# Read the nomenclature, a tab-separated file at the address `NACE_URL`, into the polars table `nomenclature`, with every
# column as text. Put the number of codes at each level in the dictionary `n_of_level`, from `"1"` (section) to `"4"`
# (class).

# %% [markdown] tags=["hint"] question="6.5"
# As in chapter 1: `fsspec.open(place, "rb")`, then `pl.read_csv`. The separator is `"\t"`, and `infer_schema=False` leaves
# everything as text.

# %% [markdown] tags=["hint"] question="6.5"
# `nomenclature.group_by("LEVEL").len()` counts, and `dict(table.iter_rows())` makes a dictionary of a table with two
# columns.

# %% tags=["solution"] question="6.5"
import fsspec
import polars as pl

with fsspec.open(os.environ["NACE_URL"], "rb") as file:
    nomenclature = pl.read_csv(file, separator="\t", infer_schema=False)
n_of_level = dict(nomenclature.group_by("LEVEL").len().sort("LEVEL").iter_rows())
print(n_of_level)
nomenclature.filter(CODE="10.71")

# %% tags=["check"] question="6.5"
def check(nomenclature, n_of_level):
    import polars

    assert isinstance(nomenclature, polars.DataFrame), "nomenclature should be a polars DataFrame"
    for column in ("CODE", "HEADING", "PARENT_CODE", "LEVEL", "Includes", "IncludesAlso", "Excludes"):
        assert column in nomenclature.columns, f"nomenclature should have a column {column}; is the separator a tab?"
        assert nomenclature.schema[column] == polars.String, f"the column {column} of nomenclature should be text: infer_schema=False"
    expected = {level: len(nomenclature.filter(LEVEL=level)) for level in "1234"}
    assert isinstance(n_of_level, dict), "n_of_level should be a dictionary from level to number"
    assert n_of_level == expected, f"n_of_level should be {expected}"
    return f"{len(nomenclature):,} codes, {expected['4']} of them classes"


# %% [markdown] tags=["question"] question="6.6"
# Question 6.6: a document
#
# (A **dataclass** is a class whose fields are listed with their types, as in a record; Python writes the code that fills them. A
# **class method**, under `@classmethod`, is called on the class itself, here to make a document: `NaceDocument.from_row(row)`.)
#
# Write a dataclass `NaceDocument` with the fields `code`, `heading`, `level` (an `int`), `parent_code`, `includes`,
# `includes_also` and `excludes`, all but the level text or `None`. It should
#
# 1. **clean**: a class method `from_row(row)` takes a row of the table as a dictionary (`CODE`, `HEADING`, …) and returns
#    a document. It strips spaces at both ends, turns the two characters `\n`, which the file writes for a line break,
#    into real line breaks, and turns empty texts into `None`;
# 2. **verify**: a level other than 1 to 4, a code that does not fit its level, or a parent that is not one of the code, raises
#    `ValueError`.
#    Sections are a letter and have no parent; divisions are two digits, their parent is a letter; groups are `10.7`, with
#    the parent `10`; classes are `10.71`, with the parent `10.7`;
# 3. **speak**: a method `to_embedding_text(includes_also=True, excludes=False)` returns the text to embed: the heading,
#    then the notes under `Includes:`, `Also includes:` and `Excludes:`, where there are any and the switch is on.
#
# Make a list `documents` of all rows.

# %% [markdown] tags=["hint"] question="6.6"
# A dataclass with `@dataclass(frozen=True)` calls `__post_init__` after it has been made. That is the place to verify.
# Regular expressions say what a code looks like: `re.fullmatch(r"\d\d\.\d", code)` for a group.

# %% [markdown] tags=["hint"] question="6.6"
# The parent of a class is its first four characters, that of a group its first two. `nomenclature.iter_rows(named=True)`
# gives dictionaries.

# %% [markdown] tags=["hint"] question="6.6"
# A helper: `def clean(text): text = (text or "").replace("\\n", "\n").strip(); return text or None`. In Python source,
# `"\\n"` are the two characters and `"\n"` is the line break.

# %% tags=["solution"] question="6.6"
import re
from dataclasses import asdict, dataclass


def clean(text):
    """A text without spaces at its ends and with real line breaks; None if nothing is left."""
    return (text or "").replace("\\n", "\n").strip() or None


@dataclass(frozen=True)
class NaceDocument:
    """One code of the nomenclature and its notes."""

    code: str
    heading: str
    level: int
    parent_code: str | None
    includes: str | None
    includes_also: str | None
    excludes: str | None

    PATTERNS = {1: r"[A-Z]", 2: r"\d\d", 3: r"\d\d\.\d", 4: r"\d\d\.\d\d"}

    def __post_init__(self):
        if self.level not in self.PATTERNS or not re.fullmatch(self.PATTERNS[self.level], self.code or ""):
            raise ValueError(f"{self.code} is no code of level {self.level}")
        if self.level == 2:
            fits = re.fullmatch(r"[A-Z]", self.parent_code or "")
        else:
            fits = self.parent_code == {1: None, 3: self.code[:2], 4: self.code[:4]}[self.level]
        if not fits:
            raise ValueError(f"{self.parent_code} is not the parent of {self.code}")

    @classmethod
    def from_row(cls, row):
        """A document from a row of the official table."""
        return cls(
            code=clean(row["CODE"]),
            heading=clean(row["HEADING"]),
            level=int(row["LEVEL"]),
            parent_code=clean(row["PARENT_CODE"]),
            includes=clean(row["Includes"]),
            includes_also=clean(row["IncludesAlso"]),
            excludes=clean(row["Excludes"]),
        )

    def to_embedding_text(self, includes_also=True, excludes=False):
        """The text to embed: heading and notes."""
        parts = [self.heading]
        if self.includes:
            parts.append(f"Includes:\n{self.includes}")
        if includes_also and self.includes_also:
            parts.append(f"Also includes:\n{self.includes_also}")
        if excludes and self.excludes:
            parts.append(f"Excludes:\n{self.excludes}")
        return "\n".join(parts)


documents = [NaceDocument.from_row(row) for row in nomenclature.iter_rows(named=True)]
print(f"{len(documents):,} documents")

# %% tags=["check"] question="6.6"
def check(NaceDocument, documents, *, nomenclature):
    import dataclasses

    assert dataclasses.is_dataclass(NaceDocument), "NaceDocument should be a dataclass: put @dataclass above it"
    fields = {field.name for field in dataclasses.fields(NaceDocument)}
    for name in ("code", "heading", "level", "parent_code", "includes", "includes_also", "excludes"):
        assert name in fields, f"NaceDocument should have the field {name}"
    row = {
        "CODE": " 10.71",
        "HEADING": " Bread ",
        "PARENT_CODE": "10.7",
        "LEVEL": "4",
        "Includes": "- rolls\\n- loaves ",
        "IncludesAlso": "- pizza bases",
        "Excludes": "- biscuits (10.72)",
    }
    made = NaceDocument.from_row(row)
    assert made is not None, "from_row of NaceDocument returns nothing; end it with return"
    assert made.code == "10.71" and made.heading == "Bread", f"from_row should strip spaces at both ends; it gives {made.code!r} and {made.heading!r}"
    assert made.level == 4, f"level of a document should be the number 4, not {made.level!r}"
    assert made.includes == "- rolls\n- loaves", f"from_row should turn the two characters \\n into a line break; it gives {made.includes!r}"
    empty = NaceDocument.from_row(row | {"IncludesAlso": "  ", "Excludes": None})
    assert empty.includes_also is None and empty.excludes is None, "from_row should turn empty texts into None"
    wrong = [
        ({"CODE": "10.7"}, "a class with the code 10.7"),
        ({"CODE": "10.711"}, "a class with the code 10.711"),
        ({"CODE": "10.7x", "LEVEL": "3", "PARENT_CODE": "10"}, "a group with the code 10.7x"),
        ({"LEVEL": "5"}, "a level 5"),
        ({"PARENT_CODE": "10.8"}, "a class 10.71 with the parent 10.8"),
        ({"PARENT_CODE": None}, "a class without a parent"),
        ({"CODE": "C", "LEVEL": "1", "PARENT_CODE": "10"}, "a section with a parent"),
        ({"CODE": "10", "LEVEL": "2", "PARENT_CODE": "1"}, "a division with the parent 1"),
    ]
    for change, what in wrong:
        try:
            NaceDocument.from_row(row | change)
        except ValueError:
            continue
        raise AssertionError(f"NaceDocument takes {what}; it should raise ValueError")
    text = made.to_embedding_text()
    assert isinstance(text, str), "to_embedding_text should return a text"
    assert text.startswith("Bread"), f"to_embedding_text should begin with the heading, it begins with {text[:20]!r}"
    assert "- rolls\n- loaves" in text and "pizza" in text, "to_embedding_text should hold what the class includes and also includes"
    assert "biscuits" not in text, "to_embedding_text should leave the exclusions out unless it is told to put them in"
    assert "biscuits" in made.to_embedding_text(excludes=True), "to_embedding_text(excludes=True) should hold the exclusions"
    assert "pizza" not in made.to_embedding_text(includes_also=False), "to_embedding_text(includes_also=False) should leave out what it also includes"
    bare = empty.to_embedding_text(excludes=True)
    assert "None" not in bare and "xcludes" not in bare, "to_embedding_text should leave out the notes that do not exist, with their titles"
    assert len(documents) == len(nomenclature), f"documents should have one document a row, {len(nomenclature):,}, it has {len(documents):,}"
    assert [d.code for d in documents] == nomenclature["CODE"].to_list(), "documents should be in the order of nomenclature"
    return f"{len(documents):,} documents, every one under its parent"


# %% [markdown]
# Cleaning and verifying look like a nuisance for a file of one's own. They pay the day somebody puts another file in its
# place: a code that a spreadsheet has turned from `06.10` into `6.1` now stops the program here, with a sentence, and not
# three chapters later with an accuracy that is a little too low.

# %% [markdown] tags=["question"] question="6.7"
# Question 6.7: with and without
#
# Put the text of class `10.71`, as it is embedded by default, in `text_without`, and its text with the exclusions in
# `text_with`. Compare them.

# %% [markdown] tags=["hint"] question="6.7"
# First find the document: `next(document for document in documents if document.code == "10.71")`.

# %% tags=["solution"] question="6.7"
bread = next(document for document in documents if document.code == "10.71")
text_without = bread.to_embedding_text()
text_with = bread.to_embedding_text(excludes=True)
print(text_with)

# %% tags=["check"] question="6.7"
def check(text_without, text_with, *, documents):
    bread = next(document for document in documents if document.code == "10.71")
    assert isinstance(text_without, str) and isinstance(text_with, str), "text_without and text_with should be texts: call to_embedding_text"
    assert text_with != text_without, "text_with and text_without are the same; pass excludes=True to one of them"
    assert text_without == bread.to_embedding_text(), "text_without should be the default text of 10.71"
    assert text_with == bread.to_embedding_text(excludes=True), "text_with should be the text of 10.71 with excludes=True"
    return f"{len(text_with) - len(text_without)} characters more"


# %% [markdown]
# Which of the two should be embedded? Try it on a text that belongs elsewhere. Biscuits are `10.72`, and the note of
# `10.71` says so:

# %%
import numpy as np

answer = client.embeddings.create(
    model=os.environ["EMBEDDING_MODEL"], input=["dry biscuits and rusks", text_without, text_with]
)
biscuits, without, with_exclusions = [np.array(item.embedding) / np.linalg.norm(item.embedding) for item in answer.data]
print(f"cosine of 10.71 with 'dry biscuits and rusks': {biscuits @ without:.2f} without its exclusions, {biscuits @ with_exclusions:.2f} with them")

# %% [markdown]
# An exclusion names what the class is *not*, and an embedding does not hear the *not*. It hears *biscuits*. So the
# exclusions stay out of the vector. They are not thrown away: they go into the payload, and in chapter 7 the language
# model, which can make something of a *not*, gets to read them.

# %% [markdown]
# ## Exercise 3: the database

# %% [markdown] tags=["question"] question="6.8"
# Question 6.8: a collection
#
# A collection holds vectors of one size, compared in one way. Find out how many numbers a vector of your embedding model
# has and put it in `dimension`. Then create the collection `nace-chapter-6` with this size and cosine. Keep its name in
# `collection`.
#
# Creating a collection that exists is an error. So if it exists, delete it first; then the cell can be run again.

# %% [markdown] tags=["hint"] question="6.8"
# Do not look the number up, ask: embed any short text and take the length of its vector.

# %% [markdown] tags=["hint"] question="6.8"
# `qdrant.collection_exists(name)`, `qdrant.delete_collection(name)` and `qdrant.create_collection(name,
# vectors_config=…)`, with `models.VectorParams(size=…, distance=models.Distance.COSINE)`.

# %% tags=["solution"] question="6.8"
collection = "nace-chapter-6"
dimension = len(client.embeddings.create(model=os.environ["EMBEDDING_MODEL"], input=["bakery"]).data[0].embedding)
if qdrant.collection_exists(collection):
    qdrant.delete_collection(collection)
qdrant.create_collection(
    collection, vectors_config=models.VectorParams(size=dimension, distance=models.Distance.COSINE)
)
print(f"{collection}: {dimension} dimensions")

# %% tags=["check"] question="6.8"
def check(collection, dimension, *, qdrant, client):
    import os

    assert isinstance(collection, str), "collection should be the name of the collection, a text"
    length = len(client.embeddings.create(model=os.environ["EMBEDDING_MODEL"], input=["x"]).data[0].embedding)
    assert dimension == length, f"dimension should be {length}, the length of a vector of {os.environ['EMBEDDING_MODEL']}"
    assert qdrant.collection_exists(collection), f"collection: qdrant has none of the name {collection!r}; create it"
    vectors = qdrant.get_collection(collection).config.params.vectors
    assert vectors.size == length, f"the vectors of collection should have the size {length}, not {vectors.size}"
    assert str(vectors.distance.value).lower() == "cosine", f"collection should compare by cosine, not by {vectors.distance.value}"
    return f"room for vectors of {length} numbers"


# %% [markdown] tags=["question"] question="6.9"
# Question 6.9: embed a few
#
# Write a function `embed_batch(texts)` that embeds a list of texts in **one** request and returns a numpy array of shape
# (texts, dimension). Embed the texts of the four classes below into `few_vectors`, and put the cosines between all pairs
# of them in `few_similarities`, an array of shape (4, 4).

# %%
few = [document for document in documents if document.code in ("10.71", "47.24", "56.11", "62.10")]
for document in few:
    print(document.code, document.heading)

# %% [markdown] tags=["hint"] question="6.9"
# `np.array([item.embedding for item in answer.data])` makes an array of the answer.

# %% [markdown] tags=["hint"] question="6.9"
# Divide each row by its length, `np.linalg.norm(few_vectors, axis=1, keepdims=True)`. For rows of length 1, `rows @
# rows.T` holds all cosines.

# %% tags=["solution"] question="6.9"
def embed_batch(texts):
    """Vectors of some texts, in one request: array of shape (texts, dimension)."""
    answer = client.embeddings.create(model=os.environ["EMBEDDING_MODEL"], input=texts)
    return np.array([item.embedding for item in answer.data], dtype=np.float32)


few_vectors = embed_batch([document.to_embedding_text() for document in few])
rows = few_vectors / np.linalg.norm(few_vectors, axis=1, keepdims=True)
few_similarities = rows @ rows.T
print(few_vectors.shape, "the first numbers of the first vector:", few_vectors[0, :4].round(3))
print(few_similarities.round(2))

# %% tags=["check"] question="6.9"
def check(embed_batch, few_vectors, few_similarities, *, few, dimension, client):
    import numpy

    assert callable(embed_batch), "embed_batch should be a function of a list of texts"
    sent, send = [], client.embeddings.create
    client.embeddings.create = lambda *args, **arguments: sent.append(arguments) or send(*args, **arguments)
    try:
        made = embed_batch(["bakery", "software"])
    finally:
        del client.embeddings.create
    assert len(sent) < 2, f"embed_batch should send one request for all its texts; it sent {len(sent)} for two"
    assert numpy.shape(made) == (2, dimension), f"embed_batch of two texts should have the shape (2, {dimension}), it has {numpy.shape(made)}"
    assert numpy.shape(few_vectors) == (4, dimension), f"few_vectors should have the shape (4, {dimension}), it has {numpy.shape(few_vectors)}"
    right = numpy.asarray(embed_batch([document.to_embedding_text() for document in few]), dtype=float)
    assert numpy.abs(numpy.asarray(few_vectors) - right).max() < 0.01, "few_vectors should be the vectors of the texts of few, in their order"
    right /= numpy.linalg.norm(right, axis=1, keepdims=True)
    assert numpy.shape(few_similarities) == (4, 4), f"few_similarities should have the shape (4, 4), it has {numpy.shape(few_similarities)}"
    assert numpy.abs(numpy.diag(few_similarities) - 1).max() < 0.001, "few_similarities should have 1 on its diagonal: divide by the lengths"
    assert numpy.abs(numpy.asarray(few_similarities) - right @ right.T).max() < 0.0005, "few_similarities should hold the cosine of each pair"
    return f"making bread and selling bread: {few_similarities[0][1]:.2f}; making bread and programming: {few_similarities[0][3]:.2f}"


# %% [markdown]
# A single number of a vector means nothing to us. What can be read is the table of cosines: bread is nearer to bread than
# to software.

# %% [markdown] tags=["question"] question="6.10"
# Question 6.10: points
#
# What Qdrant stores is a **point**: an id, a vector and a payload. Write
#
# - `point_id(code)`, which returns the id of a code. Ids are integers or UUIDs, and `10.71` is neither. A `uuid5` is made
#   of a name and is always the same for the same name, so take `str(uuid.uuid5(uuid.NAMESPACE_URL,
#   f"nace-rev-2.1/{code}"))`;
# - `make_point(document, vector)`, which returns a `models.PointStruct` with this id, the vector as a list, and all
#   fields of the document as payload.
#
# Make the points of `few` and put them in the list `few_points`.

# %% [markdown] tags=["hint"] question="6.10"
# `import uuid` comes with Python. `asdict(document)`, from `dataclasses`, makes a dictionary of all its fields.

# %% tags=["solution"] question="6.10"
import uuid


def point_id(code):
    """The id of a code: always the same."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"nace-rev-2.1/{code}"))


def make_point(document, vector):
    """What Qdrant stores for a document."""
    return models.PointStruct(id=point_id(document.code), vector=vector.tolist(), payload=asdict(document))


few_points = [make_point(document, vector) for document, vector in zip(few, few_vectors)]
print(few_points[0].id, list(few_points[0].payload))

# %% tags=["check"] question="6.10"
def check(point_id, make_point, few_points, *, few, few_vectors):
    import uuid

    from qdrant_client import models

    assert callable(point_id), "point_id should be a function of a code"
    assert point_id("10.71") == point_id("10.71"), "point_id gives another id each time; use uuid5, which is made of the name"
    assert point_id("10.71") != point_id("10.72"), "point_id gives two codes the same id"
    right = str(uuid.uuid5(uuid.NAMESPACE_URL, "nace-rev-2.1/10.71"))
    assert str(point_id("10.71")) == right, f"point_id('10.71') should be {right}"
    point = make_point(few[0], few_vectors[0])
    assert isinstance(point, models.PointStruct), "make_point should return a models.PointStruct"
    assert str(point.id) == str(point_id(few[0].code)), "the id of a point should be point_id(document.code)"
    assert point.payload, "make_point leaves the payload empty; put the fields of the document in it"
    for name in ("code", "heading", "level", "parent_code", "includes", "includes_also", "excludes"):
        assert name in point.payload, f"the payload that make_point makes lacks {name}"
        assert point.payload[name] == getattr(few[0], name), f"{name} in the payload should be that of the document"
    assert isinstance(few_points, list) and len(few_points) == len(few), f"few_points should be a list of {len(few)} points"
    for given, document, vector in zip(few_points, few, few_vectors):
        assert given.id == point_id(document.code), "few_points should be the points of few, in their order"
        assert len(given.vector) == len(vector) and abs(given.vector[0] - float(vector[0])) < 1e-5, "each of few_points should have its vector of few_vectors"
    return "the same code always gets the same id"


# %% [markdown]
# Why not simply number them 1, 2, 3? Because the numbers depend on the order of the file. Insert a class, and all after it
# have new numbers. Random ids are worse: run the cell twice, and everything stands there twice.

# %% [markdown] tags=["question"] question="6.11"
# Question 6.11: all of them
#
# Embedding text after text, each in its own request, is what most people try first. It works, and it is slow. Two things
# help: **batches**, several texts in a request, and **concurrency**, several requests at a time. Write a function
#
# `embed_texts(texts, batch_size=32, workers=4)`
#
# that cuts the texts into batches, sends at most `workers` requests at a time, shows a progress bar, and returns an array
# of shape (texts, dimension), **in the order of the texts**. The retries are those of the client, from question 6.2.
#
# Then compare, on the texts of `trial` below. Put the seconds that each way takes in a dictionary `seconds`, with the keys
#
# - `"one a request"`: `batch_size=1, workers=1`,
# - `"one a request, 4 at a time"`: `batch_size=1, workers=4`,
# - `"batches of 16"`: `batch_size=16, workers=1`,
# - `"batches of 16, 4 at a time"`: `batch_size=16, workers=4`.
#
# At last embed the texts of all `documents` into `vectors`.

# %%
texts = [document.to_embedding_text() for document in documents]
trial = texts[5::22]
print(f"{len(texts):,} texts, {len(trial)} of them to compare with")

# %% [markdown] tags=["hint"] question="6.11"
# `ThreadPoolExecutor(workers)` from `concurrent.futures` runs a function on many inputs, at most `workers` at a time.
# Threads are right here, since a request is mostly waiting. Its method `map` gives the results in the order of the
# inputs, whichever is ready first.

# %% [markdown] tags=["hint"] question="6.11"
# `[texts[i : i + batch_size] for i in range(0, len(texts), batch_size)]` are the batches. `tqdm(results,
# total=len(batches))` from `tqdm.auto` shows a bar while one loops over the results, and `np.concatenate` joins the
# arrays.

# %% [markdown] tags=["hint"] question="6.11"
# `time.perf_counter()` before and after, and subtract. A function that takes `batch_size` and `workers` and returns the
# seconds saves writing it four times.

# %% tags=["solution"] question="6.11"
import time
from concurrent.futures import ThreadPoolExecutor

from tqdm.auto import tqdm


def embed_texts(texts, batch_size=32, workers=4):
    """Vectors of texts, in their order: array of shape (texts, dimension)."""
    batches = [texts[i : i + batch_size] for i in range(0, len(texts), batch_size)]
    with ThreadPoolExecutor(workers) as pool:
        results = pool.map(embed_batch, batches)
        return np.concatenate(list(tqdm(results, total=len(batches), desc="embedding")))


def time_to_embed(batch_size, workers):
    """Seconds to embed the texts of trial."""
    started = time.perf_counter()
    embed_texts(trial, batch_size, workers)
    return time.perf_counter() - started


seconds = {
    "one a request": time_to_embed(1, 1),
    "one a request, 4 at a time": time_to_embed(1, 4),
    "batches of 16": time_to_embed(16, 1),
    "batches of 16, 4 at a time": time_to_embed(16, 4),
}
started = time.perf_counter()
vectors = embed_texts(texts)
print(f"{len(vectors):,} vectors in {time.perf_counter() - started:.0f} s")
for way, taken in seconds.items():
    print(f"{taken:6.2f} s  {way}")

# %% tags=["check"] question="6.11"
def check(embed_texts, seconds, vectors, *, texts, trial, embed_batch, dimension):
    import threading
    import time

    import numpy

    assert callable(embed_texts), "embed_texts should be a function of a list of texts"
    words = ["bread", "software", "shoes", "haircuts", "insurance"]
    made = embed_texts(words, batch_size=2, workers=3)
    assert numpy.shape(made) == (5, dimension), f"embed_texts of 5 texts in batches of 2 should have the shape (5, {dimension}), it has {numpy.shape(made)}"
    assert numpy.abs(numpy.asarray(made) - embed_batch(words)).max() < 0.01, "embed_texts should return the vectors in the order of the texts"
    # the same function with an embed_batch that only counts: how large are the batches, and how many are under way at a time?
    sizes, open_now, most, lock = [], 0, 0, threading.Lock()

    def count(texts):
        nonlocal open_now, most
        with lock:
            sizes.append(len(texts))
            open_now += 1
            most = max(most, open_now)
        time.sleep(0.03)
        with lock:
            open_now -= 1
        return numpy.zeros((len(texts), dimension))

    known = embed_texts.__globals__
    original = known["embed_batch"]
    known["embed_batch"] = count
    try:
        embed_texts([str(number) for number in range(24)], batch_size=2, workers=3)
    finally:
        known["embed_batch"] = original
    assert not sizes or max(sizes) == 2, f"embed_texts should send batches of batch_size texts; with 2 it sent {max(sizes)} at once"
    assert most < 4, f"embed_texts should have at most workers requests under way; with 3 it had {most}"
    assert isinstance(seconds, dict), "seconds should be a dictionary from way to seconds"
    for way in ("one a request", "one a request, 4 at a time", "batches of 16", "batches of 16, 4 at a time"):
        assert way in seconds, f"seconds has no entry {way!r}"
        assert seconds[way] is not None and 0 < seconds[way] < 3600, f"seconds[{way!r}] should be a number of seconds, it is {seconds[way]}"
    assert numpy.shape(vectors) == (len(texts), dimension), f"vectors should have the shape ({len(texts)}, {dimension}), it has {numpy.shape(vectors)}"
    some = [0, len(texts) // 3, len(texts) // 2, len(texts) - 1]
    right = embed_batch([texts[i] for i in some])
    assert numpy.abs(numpy.asarray(vectors)[some] - right).max() < 0.01, "vectors should be in the order of texts"
    slow, fast = seconds["one a request"], seconds["batches of 16, 4 at a time"]
    return f"for {len(trial)} texts, one a request took {slow:.1f} s, batches of 16 four at a time {fast:.1f} s"


# %% [markdown]
# How much you gain depends on where the time goes. The embedded endpoint computes on the cores of this machine:
# your figures show how well each way keeps them busy, and they change with whatever else the machine is doing, so do not
# read much into a single run. A service far away is another matter: most of the time of a request is the way there and back, and
# while one waits, others can travel. Here is the same comparison with a client that spends a fifth of a second on the way
# with each request:

# %%
#| fig-alt: Bar chart of the seconds that four ways to embed take, on this endpoint and with a fifth of a second added to each request.
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import matplotlib.pyplot as plt
from openai import OpenAI

far_client = OpenAI(
    base_url=os.environ["LLMLAB_URL"],
    api_key=os.environ["LLMLAB_API_KEY"],
    http_client=httpx.Client(event_hooks={"request": [lambda request: time.sleep(0.2)]}),
)


def far_seconds(batch_size, workers):
    """Seconds to embed the texts of trial from far away."""
    batches = [trial[i : i + batch_size] for i in range(0, len(trial), batch_size)]
    started = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda batch: far_client.embeddings.create(model=os.environ["EMBEDDING_MODEL"], input=batch), batches))
    return time.perf_counter() - started


ways = ["one a request", "one a request, 4 at a time", "batches of 16", "batches of 16, 4 at a time"]
near = [seconds[way] for way in ways]
far = [far_seconds(1, 1), far_seconds(1, 4), far_seconds(16, 1), far_seconds(16, 4)]
places = np.arange(len(ways))
plt.figure(figsize=(8, 3), layout="constrained")
for offset, values, name in [(-0.2, near, "this endpoint"), (0.2, far, "a fifth of a second away")]:
    plt.bar_label(plt.barh(places + offset, values, height=0.38, label=name), fmt="{:.1f} s", padding=3)
plt.yticks(places, ways)
plt.gca().invert_yaxis()
plt.margins(x=0.12)
plt.xlabel(f"seconds for {len(trial)} texts")
plt.legend()
plt.show()

# %% [markdown]
# Do not overdo it. Services limit how much one may ask at a time and answer *429, too many requests* beyond that. The
# client then waits and tries again, and all is well as long as `workers` stays small. A few hundred requests at once
# would only queue up, in front of you and in front of everybody else.

# %% [markdown] tags=["question"] question="6.12"
# Question 6.12: store, twice
#
# Make the points of all documents and **upsert** them (insert, or update what has the same id) into the collection, in
# batches of 100. Put the number of points that the collection then has in `count_first`. Then do it all again, and put the
# number in `count_second`.

# %% [markdown] tags=["hint"] question="6.12"
# `qdrant.upsert(collection, points=[…])` takes a list of points. Batches, since a single request with everything may be
# larger than a server accepts.

# %% [markdown] tags=["hint"] question="6.12"
# `qdrant.count(collection, exact=True).count` is the number of points.

# %% tags=["solution"] question="6.12"
points = [make_point(document, vector) for document, vector in zip(documents, vectors)]


def upsert_all():
    """Store all points in batches of 100; return how many points the collection then has."""
    for i in range(0, len(points), 100):
        qdrant.upsert(collection, points=points[i : i + 100])
    return qdrant.count(collection, exact=True).count


count_first = upsert_all()
count_second = upsert_all()
print(count_first, count_second)

# %% tags=["check"] question="6.12"
def check(count_first, count_second, *, qdrant, collection, documents):
    assert not callable(count_first), "count_first should be a number: call the function"
    assert count_first == len(documents), f"count_first should be {len(documents):,}, one point a document, it is {count_first}"
    assert count_second != 2 * len(documents), "count_second is twice the number of documents: the ids are not the same the second time"
    assert count_second == count_first, f"count_second should be {count_first:,} again, it is {count_second}"
    stored = qdrant.count(collection, exact=True).count
    assert stored == len(documents), f"the collection holds {stored:,} points, count_first says {count_first:,}"
    return f"{count_second:,} points, however often it runs"


# %% [markdown]
# An operation that can be repeated without harm is called **idempotent**. It is worth the trouble: when a run breaks off
# in the middle, you run it again and need not think about where it stopped.

# %% [markdown] tags=["question"] question="6.13"
# Question 6.13: look inside, and search
#
# - Fetch the point of `10.71` by its id and put it in `stored`.
# - Search for the ten points nearest to `query_text` below and put them in the list `hits`.
# - Search again, this time among classes only, with a filter on the payload (`level` is 4), and put them in `class_hits`.

# %%
query_text = "renting out holiday flats by the sea"

# %% [markdown] tags=["hint"] question="6.13"
# `qdrant.retrieve(collection, ids=[…])` returns a list. `qdrant.query_points(collection, query=vector, limit=10).points`
# searches; the vector is that of `query_text`, as a list.

# %% [markdown] tags=["hint"] question="6.13"
# `query_filter=models.Filter(must=[models.FieldCondition(key="level", match=models.MatchValue(value=4))])`.

# %% tags=["solution"] question="6.13"
stored = qdrant.retrieve(collection, ids=[point_id("10.71")])[0]
print(stored.payload["code"], stored.payload["heading"])

query_vector = embed_batch([query_text])[0].tolist()
only_classes = models.Filter(must=[models.FieldCondition(key="level", match=models.MatchValue(value=4))])
hits = qdrant.query_points(collection, query=query_vector, limit=10).points
class_hits = qdrant.query_points(collection, query=query_vector, query_filter=only_classes, limit=10).points
for name, found in [("all levels", hits), ("classes only", class_hits)]:
    print(f"\n{name}")
    for hit in found[:6]:
        print(f"{hit.score:.2f}  {hit.payload['code']:6} {hit.payload['heading']}")

# %% tags=["check"] question="6.13"
def check(stored, hits, class_hits, *, point_id, documents, vectors, embed_batch, query_text):
    import numpy

    assert not isinstance(stored, list), "stored should be one point; retrieve returns a list, take its first element"
    assert stored.payload and stored.payload.get("code") == "10.71", "stored should be the point of 10.71"
    target = numpy.asarray(embed_batch([query_text]), dtype=float)[0]
    rows = numpy.asarray(vectors, dtype=float)
    cosines = rows @ target / numpy.linalg.norm(rows, axis=1) / numpy.linalg.norm(target)
    level = numpy.array([document.level for document in documents])
    for name, found, allowed in (("hits", hits, level > 0), ("class_hits", class_hits, level == 4)):
        assert isinstance(found, list), f"{name} should be a list: query_points(…).points"
        assert len(found) == 10, f"{name} should hold ten points, it holds {len(found)}"
        best = numpy.sort(cosines[allowed])[::-1][:10]
        if name == "class_hits":
            assert all(hit.payload["level"] == 4 for hit in found), "class_hits holds codes that are no classes; use the filter"
        scores = numpy.array([hit.score for hit in found])
        worst = int(numpy.abs(scores - best).argmax())
        assert abs(scores[worst] - best[worst]) < 0.01, f"{name} should hold the ten nearest to query_text; number {worst + 1} should have the score {best[worst]:.3f}, it has {scores[worst]:.3f}"
    parents = sum(hit.payload["level"] < 4 for hit in hits)
    return f"{parents} of the ten hits without the filter are no classes"


# %% [markdown]
# Look at the first list. It holds groups beside classes, and with other texts or another model divisions and sections too.
# They are about the same things as their classes, so they are just as near, and often nearer: a short, general note can be
# closer to a short text than a long, exact one. But a business is coded by a class, never as `55.2`. Every place that a
# parent takes is lost to a class.
#
# Is that a nuisance or a disaster? Measure it.

# %% [markdown] tags=["question"] question="6.14"
# Question 6.14: which levels belong in the search?
#
# **Retriever@k** is the share of labels whose right class is among the first `k` candidates. What is not among the
# candidates cannot be chosen, so it is an upper limit for everything that comes after.
#
# Below are 1,000 labels of the **validation** set. (We are choosing a setting, and chapter 1 said what the validation set
# is for.) Embed them into `label_vectors`. Then compute the five nearest codes of each, once among all four levels
# (`candidates_all`) and once among classes only (`candidates_classes`), both arrays of codes of shape (1000, 5), and make
# a table `recall` with the columns `levels` (`"all four"` or `"classes only"`), `k` (1 and 5) and `share`.
#
# A thousand searches at once are one product of matrices, so use numpy. With this few vectors Qdrant compares with every
# one of them too, and finds the same.

# %%
import fsspec
import polars as pl
from sklearn.model_selection import train_test_split

with fsspec.open(os.environ["LABELS_URL"], "rb") as file:
    labels = pl.read_parquet(file)
X, y = labels["label"].to_numpy(), labels["code"].to_numpy()
X_train, X_rest, y_train, y_rest = train_test_split(X, y, test_size=0.3, random_state=42, stratify=y)
X_val, X_test, y_val, y_test = train_test_split(X_rest, y_rest, test_size=0.5, random_state=42, stratify=y_rest)
chosen = np.random.default_rng(1).choice(len(X_val), 1000, replace=False)
sample_texts, sample_codes = X_val[chosen].tolist(), y_val[chosen]

# %% [markdown] tags=["hint"] question="6.14"
# Bring all vectors to length 1; then `label_vectors @ vectors.T` holds the cosine of each label with each document, shape
# (1000, 1047). `np.argsort(-cosines, axis=1)[:, :5]` are the places of the five largest in each row.

# %% [markdown] tags=["hint"] question="6.14"
# `codes = np.array([document.code for document in documents])` turns places into codes. For classes only, keep the
# documents with `level == 4` and their vectors first.

# %% [markdown] tags=["hint"] question="6.14"
# `(candidates == sample_codes[:, None])[:, :k].any(axis=1).mean()` is Retriever@k.

# %% tags=["solution"] question="6.14"
def unit(rows):
    """The rows, each brought to length 1."""
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


label_vectors = embed_texts(sample_texts)
codes = np.array([document.code for document in documents])
is_class = np.array([document.level == 4 for document in documents])


def nearest_codes(chosen):
    """The five nearest codes of each label among the chosen documents: array of shape (labels, 5)."""
    cosines = unit(label_vectors) @ unit(vectors[chosen]).T
    return codes[chosen][np.argsort(-cosines, axis=1)[:, :5]]


candidates_all = nearest_codes(np.full(len(codes), True))
candidates_classes = nearest_codes(is_class)
recall = pl.DataFrame(
    {"levels": levels, "k": k, "share": (candidates == sample_codes[:, None])[:, :k].any(axis=1).mean()}
    for levels, candidates in [("all four", candidates_all), ("classes only", candidates_classes)]
    for k in [1, 5]
)
with pl.Config(float_precision=3):
    display(recall)

# %% tags=["check"] question="6.14"
def check(label_vectors, candidates_all, candidates_classes, recall, *, documents, vectors, sample_texts, sample_codes, embed_batch):
    import numpy
    import polars

    def unit_rows(rows):
        rows = numpy.asarray(rows, dtype=float)
        return rows / numpy.linalg.norm(rows, axis=1, keepdims=True)

    n = len(sample_texts)
    assert numpy.shape(label_vectors) == (n, numpy.shape(vectors)[1]), f"label_vectors should have one vector a label, the shape ({n}, {numpy.shape(vectors)[1]})"
    some = [0, n // 2, n - 1]
    right = embed_batch([sample_texts[i] for i in some])
    assert numpy.abs(unit_rows(label_vectors)[some] - unit_rows(right)).max() < 0.01, "label_vectors should be the vectors of sample_texts, in their order"
    cosines = unit_rows(label_vectors) @ unit_rows(vectors).T
    codes = numpy.array([document.code for document in documents])
    is_class = numpy.array([document.level == 4 for document in documents])
    shares = {}
    for name, levels, given, allowed in (
        ("candidates_all", "all four", candidates_all, is_class | True),
        ("candidates_classes", "classes only", candidates_classes, is_class),
    ):
        assert numpy.shape(given) == (n, 5), f"{name} should have the shape ({n}, 5), it has {numpy.shape(given)}"
        expected = codes[allowed][numpy.argsort(-cosines[:, allowed], axis=1)[:, :5]]
        if levels == "classes only":
            assert set(numpy.ravel(given)) <= set(codes[is_class]), f"{name} holds codes that are no classes"
        same = (numpy.asarray(given) == expected).mean()
        assert same > 0.98, f"{name} should hold the five nearest codes of each label, nearest first; {same:.0%} of yours agree"
        for k in (1, 5):
            shares[levels, k] = (expected[:, :k] == numpy.asarray(sample_codes)[:, None]).any(axis=1).mean()
    assert isinstance(recall, polars.DataFrame), "recall should be a polars DataFrame"
    assert set(recall.columns) >= {"levels", "k", "share"}, "recall should have the columns levels, k and share"
    assert len(recall) == 4, f"recall should have four rows, two for the levels times two k, not {len(recall)}"
    for (levels, k), expected in shares.items():
        row = recall.filter(levels=levels, k=k)
        assert len(row) == 1, f"recall should have one row for {levels!r} and k={k}"
        assert abs(row["share"][0] - expected) < 0.01, f"Retriever@{k} for {levels!r} in recall should be {expected:.3f}, it is {row['share'][0]:.3f}"
    return f"Retriever@5 is {shares['all four', 5]:.1%} with all four levels and {shares['classes only', 5]:.1%} with classes only"


# %%
#| fig-alt: Bar chart of Retriever at 1 and at 5 with all four levels in the index and with classes only, with 95 % intervals.
from scipy.stats import binomtest

plt.figure(figsize=(7, 3), layout="constrained")
for offset, levels in [(-0.2, "all four"), (0.2, "classes only")]:
    shares = recall.filter(levels=levels).sort("k")["share"].to_numpy()
    intervals = [binomtest(round(share * len(sample_codes)), len(sample_codes)).proportion_ci(method="wilson") for share in shares]
    reach = [[share - interval.low for share, interval in zip(shares, intervals)], [interval.high - share for share, interval in zip(shares, intervals)]]
    bars = plt.bar(np.arange(2) + offset, shares, width=0.38, yerr=reach, capsize=4, label=levels)
    plt.bar_label(bars, fmt="{:.1%}", label_type="center", color="white")
plt.xticks([0, 1], ["Retriever@1", "Retriever@5"])
plt.ylim(0, 1)
plt.ylabel("share of labels")
plt.legend(title="levels in the search", loc="upper left")
plt.show()

level_of = {document.code: document.level for document in documents}
parents = np.array([[level_of[code] < 4 for code in row] for row in candidates_all])
print(f"with all four levels, {parents[:, 0].mean():.0%} of the first hits and {parents.mean():.0%} of all five are no classes")

# %% [markdown]
# The lines on the bars are 95 % intervals. They say how far a figure from a thousand labels can be trusted. With the
# embedded model the two settings are farther apart than that.
#
# So only classes belong in the search. The parents are not useless: their notes could be added to the text of each of
# their classes, or they could serve to filter, when one knows the division already. But as candidates they do harm, and
# harm of a kind that shows nowhere: the search runs, finds sensible things, and the program that follows codes businesses
# as `55.2`.
#
# How did other settings do? Retriever@5 depends on the text that is embedded, on the model, and on more. Chapter 7 tries
# what helps, one change at a time.

# %% [markdown]
# ## What you have learnt
#
# - Keys live in `.env`; what a cell prints is saved. A key that was pushed is a key to revoke.
# - What is in the text decides what is found. Exclusions belong in the payload, since an embedding does not understand
#   *not*.
# - Batches and a few requests at a time save most of the waiting; retries cover what passes by itself.
# - Ids made of the code make the storing idempotent.
# - Only what can be an answer should be a candidate. Parents in the index take places from classes, and only a
#   measurement shows it.
#
# Next, in [chapter 7](7-generation.ipynb), a language model chooses among the candidates, and both are put to the test.
