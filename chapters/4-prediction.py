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
# # 4. Predict and explain
#
# *Part 1, supervised learning · chapter 4 of 10 · about 75 minutes · nothing needed before: the first cells rebuild it*
#
# In this chapter you will
#
# - load a model that somebody else trained, without taking risks;
# - get its best five answers and see which words decided;
# - measure it as an office would: at each level of the nomenclature, with intervals, and by how sure it says it is;
# - confront it with texts that are not like those it learnt from.

# %%
from funathon.course.exercise import start

check, hint, solution, catch_up = start("4-prediction")

# %% [markdown]
# This cell rebuilds the labels and their split, in some 20 seconds. The pretrained model was trained on exactly this training
# set, with the same `random_state`, so the test set is new to it.

# %%
import os

import fsspec
import matplotlib.pyplot as plt
import numpy as np
import polars as pl
import torch
from sklearn.model_selection import train_test_split

with fsspec.open(os.environ["LABELS_URL"], "rb") as file:
    labels = pl.read_parquet(file)
X, y = labels["label"].to_numpy(), labels["code"].to_numpy()
X_train, X_rest, y_train, y_rest = train_test_split(X, y, test_size=0.3, random_state=42, stratify=y)
X_val, X_test, y_val, y_test = train_test_split(X_rest, y_rest, test_size=0.5, random_state=42, stratify=y_rest)
titles = dict(labels.select("code", "name").unique().iter_rows())
print(f"{len(X_test):,} labels in the test set")

# %% [markdown]
# ## A model from elsewhere
#
# The **pretrained model** has the same tokens as the best one of chapter 3 and, like it, has read the notes. It differs in
# four ways: it learns how much each token weighs in the mean, by the token and by what stands around it; it averages two smaller
# networks; it has learnt from teachers; and its confidences have been adjusted on the validation set, to come nearer to the share of
# answers that are right. How near they come, you will measure.
#
# What stands around a token matters in *bakery with a small tea room* and in *formerly a bakery, now a tea room*: a plain mean would
# take the two activities for equals. The **teachers** are two networks of the same kind, trained before it, each from other random numbers: the
# pretrained model learnt to give the mean of their scores beside the right codes. That is called **distillation**. All three read the
# texts alone, beside a side activity, and among sentences that mean nothing for the class ("founded in 1987, we care for our region"), as they stand in descriptions. Its model card (`data/pretrained/MODEL_CARD.md`) says how it was made and what it can and cannot do.
#
# It is a folder of files, and most of them are **pickles**. A pickle is Python's way of storing any object, and to load one
# is to *run* what it says. A changed pickle can delete your files or send them away. So the rule is: **verify first, load
# second**. The folder holds a `manifest.json` with the checksum (sha256, a fingerprint) of each file.
#
# A checksum is worth as much as the place it comes from. It tells a file that was damaged or exchanged from the one in the
# manifest; it does not protect you from somebody who can write to the whole folder. Where that matters, take the manifest from
# another place than the files (here, from the repository of the course).

# %% [markdown] tags=["question"] question="4.1"
# Question 4.1: fetch, verify, load
#
# `PRETRAINED_URL` says where the model is: a folder of this project or one on S3.
#
# 1. Copy its files into the folder `model_folder`, with `fsspec`, which speaks to local disks and S3 alike.
# 2. Write a function `changed(folder)` that computes the sha256 of each file that the folder's manifest names and returns the
#    list of the names of those that do not match. Put what it says of `model_folder` in `changed_files`.
# 3. Only if that list is empty, load the model as `pretrained` with `torchTextClassifiers.load`.
# 4. Log the folder to an MLflow run of the experiment `nace-pretrained`, download it from there into the folder `downloaded`,
#    verify it again, and load it as `from_run`. This is how a team shares models. (Each time it is logged, MLflow keeps
#    another copy of some 25 MB.)

# %% [markdown] tags=["hint"] question="4.1"
# `files, path = fsspec.core.url_to_fs(url)` gives the file system and the path on it. `files.get(path + "/", folder + "/",
# recursive=True)` copies a folder's content; without the slashes, running the cell twice would nest a folder in a folder.

# %% [markdown] tags=["hint"] question="4.1"
# The library's class comes with `from torchTextClassifiers import torchTextClassifiers`.
# `json.loads((folder / "manifest.json").read_text())["files"]` maps each name to its `bytes` and `sha256`.
# `hashlib.sha256(content).hexdigest()` computes one.

# %% [markdown] tags=["hint"] question="4.1"
# `mlflow.log_artifacts(folder, artifact_path="model")` inside `with mlflow.start_run(…) as run:`, then
# `mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="model", dst_path=…)`. A
# `tempfile.TemporaryDirectory()` removes itself when the kernel ends; its `name` is the folder.

# %% tags=["solution"] question="4.1"
import hashlib
import json
import tempfile
from pathlib import Path

import mlflow
from torchTextClassifiers import torchTextClassifiers


def changed(folder):
    """Names of the files of a model that are not those of its manifest."""
    files = json.loads((folder / "manifest.json").read_text())["files"]
    return [
        name
        for name, expected in files.items()
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != expected["sha256"]
    ]


workspace = tempfile.TemporaryDirectory()
model_folder = Path(workspace.name) / "model"
files, path = fsspec.core.url_to_fs(os.environ["PRETRAINED_URL"])
files.get(path.rstrip("/") + "/", f"{model_folder}/", recursive=True)
changed_files = changed(model_folder)
if not changed_files:
    pretrained = torchTextClassifiers.load(model_folder, device="cpu")

mlflow.set_experiment("nace-pretrained")
with mlflow.start_run(run_name="pretrained model") as run:
    mlflow.log_artifacts(str(model_folder), artifact_path="model")
copy = Path(workspace.name) / "copy"
downloaded = Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="model", dst_path=copy))
if not changed(downloaded):
    from_run = torchTextClassifiers.load(downloaded, device="cpu")
print(f"model verified and loaded: {len(pretrained.tokenizer):,} tokens, {pretrained.num_classes} classes")

# %% tags=["shortcut"] question="4.1"
# what catch_up runs: the same with functions of the package, and what MLflow has already is not logged again
import hashlib
import json
import tempfile
from pathlib import Path

import mlflow

from funathon.supervised.pretrained import fetch_model, fingerprint, load_model
from funathon.supervised.runs import newest_run


def changed(folder):
    """Names of the files of a model that are not those of its manifest."""
    files = json.loads((folder / "manifest.json").read_text())["files"]
    return [name for name in files if hashlib.sha256((folder / name).read_bytes()).hexdigest() != files[name]["sha256"]]


workspace = tempfile.TemporaryDirectory()
model_folder = fetch_model(os.environ["PRETRAINED_URL"], Path(workspace.name) / "model")
changed_files, pretrained = changed(model_folder), load_model(str(model_folder))
known = {"model": fingerprint(str(model_folder))}
mlflow.set_experiment("nace-pretrained")
run_id = newest_run("nace-pretrained", "pretrained model", with_model=True, **known)
if run_id is None:
    with mlflow.start_run(run_name="pretrained model") as run:
        mlflow.log_params(known)
        mlflow.log_artifacts(str(model_folder), artifact_path="model")
    run_id = run.info.run_id
copy = Path(workspace.name) / "copy"
downloaded = Path(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="model", dst_path=copy))
from_run = load_model(str(downloaded))

# %% tags=["check"] question="4.1"
def check(model_folder, changed, changed_files, pretrained, downloaded, from_run, *, X_test):
    import hashlib
    import json
    import tempfile
    from pathlib import Path

    from torchTextClassifiers import torchTextClassifiers

    from funathon.course.checking import as_function, as_instance, as_path, as_set, same_set

    places = {name: as_path(name, folder) for name, folder in (("model_folder", model_folder), ("downloaded", downloaded))}
    for name, place in places.items():
        manifest = place / "manifest.json"
        assert manifest.is_file(), f"`{name}` holds no manifest.json; copy the content of the folder, not the folder."
        missing = [file for file in json.loads(manifest.read_text())["files"] if not (place / file).is_file()]
        assert not missing, f"`{name}` lacks {missing[0]}."
    assert places["model_folder"] != places["downloaded"], "`downloaded` is your own folder; fetch the model from the run."
    found = sorted(as_set("changed_files", changed_files, "text"))
    assert not found, f"{found[0]} does not match its checksum: compare sha256 of the bytes, in hexadecimal."
    as_function("changed", changed)
    with tempfile.TemporaryDirectory() as trial:
        trial, trial_names = Path(trial), ("kept.pkl", "changed.pkl")
        files = {name: {"bytes": len(name), "sha256": hashlib.sha256(name.encode()).hexdigest()} for name in trial_names}
        for name in trial_names:
            (trial / name).write_bytes(name.encode())
        (trial / "manifest.json").write_text(json.dumps({"files": files}))
        (trial / "changed.pkl").write_bytes(b"changed.PKL")
        named = {Path(str(file)).name for file in as_set("what changed returns", changed(trial), "")}
        same_set("what changed returns", named, {"changed.pkl"}, "the files whose sha256 differs from the manifest's, and no others")
    for name, model in (("pretrained", pretrained), ("from_run", from_run)):
        as_instance(name, model, torchTextClassifiers, "`torchTextClassifiers.load(folder)` makes one.")
    assert from_run is not pretrained, "`from_run` should be loaded from the MLflow run."
    same = from_run.predict(X_test[:20])["prediction"] == pretrained.predict(X_test[:20])["prediction"]
    assert same.all(), "`from_run` should predict the same as `pretrained`."
    return "every file is the one that the manifest names"


# %% [markdown]
# If the model is on a server that answers slowly or not at all, you see an error that names the address, and nothing has
# been loaded. The package does the same in one call, `funathon.supervised.pretrained.load_model`, which the commands `funathon
# evaluate` and `funathon predict` use.

# %% [markdown] tags=["question"] question="4.2"
# Question 4.2: the five best answers
#
# Draw five texts from the test set at random (with `np.random.default_rng(1).choice(X_test, 5, replace=False)`), call them
# `sample`, and let the model give its five best codes for each in `top5`, the dictionary that `predict` returns. Print
# each text with its right code, and the five codes with their titles and confidences.

# %% [markdown] tags=["hint"] question="4.2"
# `predict` wants an array of texts. `pretrained.predict(sample, top_k=5)` returns the arrays `prediction` and `confidence`,
# both of shape (5, 5).

# %% tags=["solution"] question="4.2"
sample = np.random.default_rng(1).choice(X_test, 5, replace=False)
top5 = pretrained.predict(sample, top_k=5)
truth = dict(zip(X_test, y_test))
for text, codes, confidences in zip(sample, top5["prediction"], top5["confidence"]):
    print(f"{text} (right: {truth[text]})")
    for code, confidence in zip(codes, confidences):
        print(f"   {confidence:4.0%}  {code}  {titles[code]}")

# %% tags=["check"] question="4.2"
def check(sample, top5, *, pretrained, X_test):
    import numpy

    from funathon.course.checking import as_array, as_dict, as_list, equal

    texts = as_list("sample", sample, "text", 5)
    places = {text: place for place, text in enumerate(X_test)}
    assert all(text in places for text in texts), "`sample` should be drawn from `X_test`."
    drawn = sorted(places[text] for text in texts)
    assert len(set(drawn)) == 5, "`sample` should hold five different texts: pass `replace=False`."
    assert drawn != list(range(drawn[0], drawn[0] + 5)), "`sample` holds neighbours in `X_test`; draw five at random. Here the order is random already, in a register it hardly ever is."
    found = as_dict("top5", top5, ("prediction", "confidence"), "Keep what `predict` returns.")
    codes = as_array("top5['prediction']", found["prediction"], (5, 5), "Pass `top_k=5`.")
    equal("top5['prediction']", codes, pretrained.predict(numpy.asarray(texts), top_k=5)["prediction"], "the predictions for the texts of `sample`")
    return "five candidates a text, the likeliest first"


# %% [markdown]
# This is what a coder would see on a screen: a short list instead of 651 classes. Where the right answer is not the first,
# it is often the second or third.

# %% [markdown]
# ## Which words decided?
#
# An office that codes by machine must be able to say why. **Integrated gradients** is a method for that. It starts from a text in
# which every token is `[PAD]`, goes to the real text in small steps, and adds up how much each token raised or lowered the
# score of one class on the way. The result is one number a token, its **attribution**.
#
# The library computes attributions with Captum when you ask for them:
# `predict(texts, top_k=1, explain_with_captum=True)` also returns `captum_attributions`, of shape
# `(texts, top_k, tokens)`, and, for each token, its place in the text (`offset_mapping`) and the number of the word it
# belongs to (`word_ids`).
#
# People read words, not pieces of words. The sum over the pieces of a word is the attribution of the word. The function
# below also finds how the word is written in the text: from where its first piece starts to where its last piece ends.
# (The library has a function for this, `map_attributions_to_word`, but it names a word by its last piece only, so that
# *bakeries* would be shown as *ies*.)


# %%
def attributions_by_word(text, attributions, word_ids, offsets):
    """Words of a text, as written, and the sum of the attributions of each one's tokens: two lists."""
    spans, sums = {}, {}
    for attribution, word, (first, last) in zip(attributions.tolist(), word_ids, offsets.tolist()):
        if word is None:
            continue
        start, _ = spans.get(word, (first, last))
        spans[word] = (start, last)
        sums[word] = sums.get(word, 0.0) + attribution
    return [text[start:end] for start, end in spans.values()], list(sums.values())


# %% [markdown] tags=["question"] question="4.3"
# Question 4.3: explain a prediction
#
# Explain the best answer for the text below: put what `predict` returns in `explained`, the words and their attributions in
# the lists `words` and `word_attributions`, and the attributions by character in `char_attributions`, with
# `map_attributions_to_char` from `torchTextClassifiers.utilities.plot_explainability`. Plot them by token, by word and by
# character, one below the other in one figure, and keep it in `attribution_figure`.
#
# Mind the third plot. The library gives each character the value of its token and puts the whole through a **softmax**: all
# values become positive and add up to 1. Their order is kept, but a token that spoke against the class no longer shows as
# negative, and bars that were twice as long are not any more. Read signs and sizes from the first two plots.

# %%
text = "hand-made pretzels and rye loaves, sold from a van at farmers' markets"

# %% [markdown] tags=["hint"] question="4.3"
# `predict` wants an array of texts, here `np.array([text])`. `explained["captum_attributions"][0, 0]` holds the
# attributions of the first text and its best answer; `explained["word_ids"][0]` and `explained["offset_mapping"][0]` go
# with them.

# %% [markdown] tags=["hint"] question="4.3"
# `map_attributions_to_char(explained["captum_attributions"][0], explained["offset_mapping"][0], text)` has the shape
# (1, characters). `attribution_figure, axes = plt.subplots(3, 1)` makes three places to draw in.

# %% tags=["solution"] question="4.3"
#| fig-alt: Three bar charts of attributions for one text, by token, by word and by character.
from torchTextClassifiers.utilities.plot_explainability import map_attributions_to_char

explained = pretrained.predict(np.array([text]), top_k=1, explain_with_captum=True)
token_attributions = explained["captum_attributions"][0, 0]
word_ids, offsets = explained["word_ids"][0], explained["offset_mapping"][0]
words, word_attributions = attributions_by_word(text, token_attributions, word_ids, offsets)
char_attributions = map_attributions_to_char(explained["captum_attributions"][0], offsets, text)

is_token = [word is not None for word in word_ids]
ids = pretrained.tokenizer.tokenize([text]).input_ids[0]
tokens = [pretrained.tokenizer.tokenizer.convert_ids_to_tokens(int(i)) for i, real in zip(ids, is_token) if real]

attribution_figure, axes = plt.subplots(3, 1, figsize=(9, 8), layout="constrained")
for axis, names, values in [
    (axes[0], tokens, token_attributions[is_token].tolist()),
    (axes[1], words, word_attributions),
    (axes[2], list(text), char_attributions[0]),
]:
    axis.bar(range(len(names)), values)
    axis.set_xticks(range(len(names)), names, rotation=60 if len(names) < 40 else 0, fontsize=9)
axes[0].set_ylabel("by token")
axes[1].set_ylabel("by word")
axes[2].set_ylabel("by character, softmax")
code = explained["prediction"][0, 0]
attribution_figure.suptitle(f"{code} {titles[code]}")
plt.show()

# %% tags=["check"] question="4.3"
def check(explained, words, word_attributions, char_attributions, attribution_figure, *, text):
    import numpy

    from funathon.course.checking import as_array, as_dict, as_list, drawn

    found = as_dict("explained", explained, how="Keep what `predict` returns.")
    assert found.get("captum_attributions") is not None, "`explained` has no attributions: pass `explain_with_captum=True`."
    sums = found["captum_attributions"][0, 0]
    real = [word is not None for word in found["word_ids"][0]]
    whole = as_list("words", words, "text")
    values = as_list("word_attributions", word_attributions, "number")
    assert len(whole) == len(values), "`words` and `word_attributions` should have the same length."
    assert "pretzels" in whole, "`words` should be whole words of the text, among them 'pretzels'."
    assert abs(sum(values) - float(sums[real].sum())) < 1e-3, "`word_attributions` should add up to the sum over all tokens of the text."
    characters = as_array("char_attributions", char_attributions).squeeze()
    assert characters.shape == (len(text),), f"`char_attributions` should have one number a character, {len(text)}; its shape is {numpy.shape(char_attributions)}."
    assert len(drawn("attribution_figure", attribution_figure)) >= 3, "`attribution_figure` should hold three plots: by token, by word and by character."
    return f"the strongest word is {whole[int(numpy.argmax(values))]!r}"


# %% [markdown]
# **Read them with caution.** An attribution says what moved *this* model on *this* text. It does not say that the word is
# the reason a person would give, nor that the answer is right: a wrong answer has attributions too, and they look just as
# convincing. A negative bar is a word that lowered the score of this class. Most bars are positive, since almost any word
# raises it above a text of nothing but `[PAD]`: compare bars with each other. And words that were cut off by the length of the
# row have none at all.

# %% [markdown]
# ## How good is it?
#
# `predict` rounds confidences to two digits, too coarse for what follows. This function takes the scores from the network
# itself, in batches and without gradients.


# %%
def probabilities(model, texts, batch_size=1024):
    """Confidence of every class for each text: array of shape (texts, classes), in the order of the encoder's classes."""
    batches = []
    with torch.no_grad():
        for start in range(0, len(texts), batch_size):
            tokenized = model.tokenizer.tokenize([str(text) for text in texts[start : start + batch_size]])
            no_columns = torch.empty((len(tokenized.input_ids), 0))
            scores = model.pytorch_model(tokenized.input_ids, tokenized.attention_mask, no_columns)
            batches.append(scores.softmax(dim=1).numpy())
    return np.concatenate(batches)


classes = pretrained.value_encoder.label_encoder.classes_
P_test = probabilities(pretrained, X_test)
P_test.shape

# %% [markdown] tags=["question"] question="4.4"
# Question 4.4: accuracy on the test set
#
# From `P_test`, put the codes that the model ranks first in `predicted` (an array of codes) and the share that is right in
# `test_accuracy`.

# %% [markdown] tags=["hint"] question="4.4"
# `P_test.argmax(axis=1)` gives the number of the best class; `classes[…]` turns numbers into codes.

# %% tags=["solution"] question="4.4"
predicted = classes[P_test.argmax(axis=1)]
test_accuracy = (predicted == y_test).mean()
print(f"{test_accuracy:.1%} of {len(y_test):,} test labels coded correctly")

# %% tags=["check"] question="4.4"
def check(predicted, test_accuracy, *, P_test, classes, y_test):
    from funathon.course.checking import as_array, as_share, close

    expected = classes[P_test.argmax(axis=1)]
    codes = as_array("predicted", predicted, expected.shape, "One code a text.")
    assert (codes == expected).all(), "`predicted` should hold the likeliest code of each text, as text."
    share = (expected == y_test).mean()
    close("test_accuracy", as_share("test_accuracy", test_accuracy), share, 0.0006, "the share of right codes")
    return f"{share:.1%}"


# %% [markdown]
# One figure is not enough. Is a wrong answer far off, or next door? Would a list of five have held the right one? And how
# far can the figure be trusted, given that the test set is a sample?

# %% [markdown] tags=["question"] question="4.5"
# Question 4.5: levels, lists and intervals
#
# Make a polars table `by_level` with one row for each level (`section`, `division`, `group`, `class`) and each `k` in 1, 3, 5,
# and the columns `level`, `k`, `accuracy`, `low`, `high`: the share of test labels whose right code **at that level** is
# among those of the `k` likeliest classes, and its 95 % interval: one made by a rule that, applied to many samples like this
# one, holds the true share in 95 of 100.
#
# A class tells its division (`10.71` → `10`) and its group (`10.7`); the section is a matter of the nomenclature, and the
# cell below makes a dictionary of it.

# %%
with fsspec.open(os.environ["NACE_URL"], "rb") as file:
    nomenclature = pl.read_csv(file, separator="\t", infer_schema=False)
parent = dict(nomenclature.select("CODE", "PARENT_CODE").iter_rows())
section_of_division = {code: parent[code] for code in nomenclature.filter(LEVEL="2")["CODE"]}


def code_at(level, code):
    """The code of a class at another level: 'section', 'division', 'group' or 'class'."""
    return {"section": section_of_division[code[:2]], "division": code[:2], "group": code[:4], "class": code}[level]


# %% [markdown] tags=["hint"] question="4.5"
# `np.argsort(-P_test, axis=1)[:, :5]` holds the numbers of the five likeliest classes, best first. For a label, compare the
# code of `y_test` at a level with those of its first `k` candidates at that level.

# %% [markdown] tags=["hint"] question="4.5"
# `scipy.stats.binomtest(right, n).proportion_ci(method="wilson")` gives an interval with `low` and `high`. The *Wilson*
# interval stays between 0 and 1 and is good for small samples too.

# %% tags=["solution"] question="4.5"
from scipy.stats import binomtest

candidates = classes[np.argsort(-P_test, axis=1)[:, :5]]
rows = []
for level in ["section", "division", "group", "class"]:
    truth = np.array([code_at(level, code) for code in y_test])
    guesses = np.array([[code_at(level, code) for code in row] for row in candidates])
    for k in [1, 3, 5]:
        right = (guesses[:, :k] == truth[:, None]).any(axis=1).sum()
        interval = binomtest(int(right), len(truth)).proportion_ci(method="wilson")
        rows.append({"level": level, "k": k, "accuracy": right / len(truth), "low": interval.low, "high": interval.high})
by_level = pl.DataFrame(rows)
with pl.Config(tbl_rows=12, float_precision=3):
    display(by_level)

# %% tags=["check"] question="4.5"
def check(by_level, *, P_test, classes, y_test, code_at):
    import numpy
    from scipy.stats import norm

    from funathon.course.checking import as_table

    table = as_table("by_level", by_level, ("level", "k", "accuracy", "low", "high"), 12, "Four levels times three k.")
    best = classes[numpy.argsort(-P_test, axis=1)[:, :5]]
    for level in ("section", "division", "group", "class"):
        truth = numpy.array([code_at(level, code) for code in y_test])
        for k in (1, 3, 5):
            guesses = numpy.array([[code_at(level, code) for code in row] for row in best[:, :k]])
            share = (guesses == truth[:, None]).any(axis=1).mean()
            row = table.filter(level=level, k=k)
            assert len(row) == 1, f"`by_level` should have one row for {level} and k={k}."
            accuracy, low, high = row.select("accuracy", "low", "high").row(0)
            assert abs(accuracy - share) < 0.0006, f"the accuracy at level {level} for k={k} should be {share:.3f}; it is {accuracy:.3f}."
            assert low < share < high, f"the interval at level {level} for k={k} should hold {share:.3f}."
            # half the interval, in standard errors: 1.96 for 95 %, by whichever of the usual methods
            errors = (high - low) / 2 / (share * (1 - share) / len(truth)) ** 0.5
            assert 0.92 < errors / norm.ppf(0.975) < 1.08, f"the interval at level {level} for k={k} reaches {errors:.2f} standard errors to either side, as an interval of {2 * norm.cdf(errors) - 1:.2%} does; one of 95 % reaches 1.96."
    return "a wrong class is often in the right section"


# %% [markdown]
# With ten thousand texts the intervals are narrow. They tell how far chance in *drawing* the test set goes, and nothing else: not
# what texts of another kind would give, nor that the model was trained once and another random start would give another figure.
#
# And they take the test set for a **simple random sample**: each text drawn by itself, with the same chance. It is none. It was
# *stratified* by class, which by itself makes a figure a little surer than they say. But its texts come in **clusters**: one writer
# wrote all labels of some twenty neighbouring classes, and a class that is hard is hard for all its two dozen texts. This makes it less
# sure what other classes and writers would give. A **bootstrap** shows how much: draw as many classes as there are, with
# replacement, each with all its texts, compute the accuracy, and repeat.

# %%
from scipy.stats import binomtest

right_of_class = pl.DataFrame({"code": y_test, "right": predicted == y_test}).group_by("code").agg(pl.sum("right"), n=pl.len())
n_right, n_texts = right_of_class.sort("code").select("right", "n").to_numpy().T
draws = np.random.default_rng(0).integers(len(n_texts), size=(2000, len(n_texts)))
by_class = np.quantile(n_right[draws].sum(axis=1) / n_texts[draws].sum(axis=1), [0.025, 0.975])
simple = binomtest(int(n_right.sum()), int(n_texts.sum())).proportion_ci(method="wilson")
print(f"accuracy {test_accuracy:.1%}; Wilson {simple.low:.1%} to {simple.high:.1%}; bootstrap by class {by_class[0]:.1%} to {by_class[1]:.1%}")

# %% [markdown]
# The second interval is the wider one. All other intervals of the course are Wilson's, so read them as the least that chance can do.
# A survey statistician computes an interval from the design of the sample, and so should an office with the sample that it draws of
# its own texts.

# %% [markdown]
# ### When should it ask a person?
#
# A model need not code everything. Let it code only those texts on which its confidence reaches a threshold, and send the
# others to a coder. Two figures then matter: **coverage**, the share of texts it codes (the *rate of automatic coding*; in surveys the
# word coverage is taken, for how much of a population a register holds), and **precision**, the share of those that it codes rightly.
# Raising the threshold lowers coverage, never the reverse. As a rule it raises precision, but it need not: where the answers that drop
# out were righter than those that stay, precision falls.
#
# The threshold is a setting like any other. Whoever chooses it on the texts on which they then report the precision, reports what
# they have chosen. So choose it on the validation set, and look once at what it gives on the test set.
#
# For that, right answers must have higher confidences than wrong ones. If the confidence is also to be read as a
# probability, more is needed. A model is **calibrated** if, of all the answers it gives with 70 % confidence, 70 % are
# right. The **expected calibration error** (ECE) sorts the answers into bins by confidence and takes the mean distance
# between confidence and accuracy, each bin weighing as much as it has answers.

# %% [markdown] tags=["question"] question="4.6"
# Question 4.6: coverage, precision, calibration
#
# - On the **validation set**, make a polars table `curve` with the columns `threshold`, `coverage` and `precision`, for thresholds
#   from 0 to 0.95 in steps of 0.05, and plot precision against coverage. `P_val` holds the confidences, `y_val` the right codes.
# - Put the lowest of these thresholds whose precision there is at least 90 % in `chosen`, and what it gives on the **test set** in
#   `test_coverage` and `test_precision`, both made by `share`.
# - Put the expected calibration error on the test set, over ten bins of equal width, in `ece`, and plot accuracy against confidence.
#
# Draw both plots in one figure and keep it in `curve_figure`.
#
# `share`, from the cell below, makes a share of an array of true and false: its `value`, the number `n` of texts and the ends `low`
# and `high` of its Wilson interval, computed as in question 4.5.

# %%
from funathon.measures import share

P_val = probabilities(pretrained, X_val)
print(f"validation set: {share(classes[P_val.argmax(axis=1)] == y_val)} coded rightly")

# %% [markdown] tags=["hint"] question="4.6"
# `confidence = P_val.max(axis=1)` and `right = classes[P_val.argmax(axis=1)] == y_val`. For a threshold, `kept = confidence >=
# threshold`; coverage is `kept.mean()` and precision `right[kept].mean()`.

# %% [markdown] tags=["hint"] question="4.6"
# `curve.filter(pl.col("precision") >= 0.9)["threshold"].min()` chooses. On the test set, with its own `confidence` and `right`, what
# passes is `confidence >= chosen`: `share(passed)` is the coverage, `share(right[passed])` the precision.

# %% [markdown] tags=["hint"] question="4.6"
# `np.minimum((confidence * 10).astype(int), 9)` gives the bin of each answer. For each bin, weigh
# `abs(right[inside].mean() - confidence[inside].mean())` by `inside.mean()`, and add up.

# %% tags=["solution"] question="4.6"
#| fig-alt: Two plots. Left, precision against coverage; right, accuracy against confidence with the diagonal of perfect calibration.
confidence_val, right_val = P_val.max(axis=1), classes[P_val.argmax(axis=1)] == y_val
thresholds = np.arange(20) / 20
kept = [confidence_val >= threshold for threshold in thresholds]
curve = pl.DataFrame(
    {
        "threshold": thresholds,
        "coverage": [k.mean() for k in kept],
        "precision": [right_val[k].mean() for k in kept],
    }
)
chosen = curve.filter(pl.col("precision") >= 0.9)["threshold"].min()

confidence, right = P_test.max(axis=1), predicted == y_test
passed = confidence >= chosen
test_coverage, test_precision = share(passed), share(right[passed])

bins = np.minimum((confidence * 10).astype(int), 9)
filled = [b for b in range(10) if (bins == b).any()]
mean_confidence = [confidence[bins == b].mean() for b in filled]
mean_accuracy = [right[bins == b].mean() for b in filled]
weights = [(bins == b).mean() for b in filled]
ece = sum(w * abs(a - c) for w, a, c in zip(weights, mean_accuracy, mean_confidence))

curve_figure, (first, second) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
first.plot(curve["coverage"], curve["precision"], marker="o", markersize=3)
first.set(xlabel="coverage", ylabel="precision", title="validation set")
second.plot([0, 1], [0, 1], color="gray", linestyle="--")
second.plot(mean_confidence, mean_accuracy, marker="o")
second.set(xlabel="confidence", ylabel="accuracy", title=f"test set, ECE {ece:.3f}")
plt.show()
on_validation = curve.row(by_predicate=pl.col("threshold") == chosen, named=True)
print(f"threshold {chosen:.2f}, chosen on validation: coverage {on_validation['coverage']:.1%}, precision {on_validation['precision']:.1%}")
print(f"on the test set: coverage {test_coverage}, precision {test_precision}")
print(f"in the last bin: confidence {mean_confidence[-1]:.1%}, right {mean_accuracy[-1]:.1%} of {(bins == filled[-1]).sum():,}")

# %% tags=["check"] question="4.6"
def check(curve, chosen, test_coverage, test_precision, ece, curve_figure, *, P_val, P_test, classes, predicted, y_val, y_test):
    import numpy

    from funathon.course.checking import as_instance, as_number, as_share, as_table, close, drawn
    from funathon.measures import Share

    table = as_table("curve", curve, ("threshold", "coverage", "precision"), 20, "One for each of the thresholds 0 to 0.95 in steps of 0.05.")
    assert table["threshold"].max() > 0.9 and table["threshold"].min() < 0.01, "the thresholds of `curve` should go from 0 to 0.95."
    confidence, right = P_val.max(axis=1), classes[P_val.argmax(axis=1)] == y_val
    good = []
    for threshold, coverage, precision in table.select("threshold", "coverage", "precision").iter_rows():
        kept = confidence >= threshold
        assert abs(coverage - kept.mean()) < 0.001, f"at threshold {threshold:.2f} the coverage on the validation set should be {kept.mean():.3f}."
        assert abs(precision - right[kept].mean()) < 0.001, f"at threshold {threshold:.2f} the precision on the validation set should be {right[kept].mean():.3f}: only among the texts that are kept."
        good += [threshold] if right[kept].mean() >= 0.9 else []
    close("chosen", as_number("chosen", chosen, "It is one of the thresholds of `curve`."), min(good), 1e-6, "the lowest threshold with a precision of at least 90 % on the validation set", digits=2)
    confidence, right = P_test.max(axis=1), predicted == y_test
    passed = confidence >= chosen
    for name, value, of in (("test_coverage", test_coverage, passed), ("test_precision", test_precision, right[passed])):
        as_instance(name, value, Share, "Make it with `share`.")
        close(f"{name}.value", value.value, of.mean(), 0.001, "on the test set, with the threshold chosen on the validation set", digits=3)
        assert value.n == len(of), f"`{name}` should be a share of {len(of):,} labels, measured on the test set; it is one of {value.n:,}."
    bins = numpy.minimum((confidence * 10).astype(int), 9)
    # the confidence of a bin is the mean of its answers', or else its middle: both are called calibration error
    stated = {b: (confidence[bins == b].mean(), (b + 0.5) / 10) for b in set(bins)}
    by_mean, by_middle = (sum((bins == b).mean() * abs(right[bins == b].mean() - stated[b][way]) for b in stated) for way in (0, 1))
    error = as_share("ece", ece)
    near = min(abs(error - by_mean), abs(error - by_middle))
    assert near < 0.0006, f"`ece` should be {by_mean:.4f}, it is {error:.4f}: weigh each bin by its share of the answers."
    assert len(drawn("curve_figure", curve_figure)) >= 2, "`curve_figure` should hold two plots: precision against coverage, and accuracy against confidence."
    return f"threshold {chosen:.2f} gives coverage {test_coverage} and precision {test_precision} on the test set; expected calibration error {by_mean:.3f}" + ("" if abs(error - by_mean) < 0.0006 else f" ({by_middle:.3f} from the middles of the bins, as you have it)")


# %% [markdown]
# On the right, a point below the diagonal means that the model is surer than it is right, one above that it is too modest.
# The error is the mean distance from the diagonal; the model card has it before and after the confidences were adjusted.
#
# A small mean hides something. Look at the last bin, which holds the answers that an office would let pass unread: the model
# says what is printed as *confidence*, and is right as often as is printed beside it. The adjustment was one number for all
# confidences, and where the model is surest it still promises too much. So do not read the confidence as the share that will
# be right: that is what a threshold gives on labels that have not chosen it.
#
# The left curve shows what an office can have: so many texts coded at once, so many sent to people, so many errors. Where to stand on
# it is a decision about cost and quality, and no accuracy takes it for you. That the threshold kept its promise on the test set is
# because both sets are halves of one heap, from the same writers. Question 4.7 tries it on texts that are not.
#
# `funathon code` marks what is below 0.5 for review if nobody says otherwise; the model card tells what that gives. It is no
# recommendation.

# %% [markdown]
# ## Texts from outside
#
# The test set comes from the same writers as the training set. The **field test** (`data/field_test.parquet`) was written
# apart, by writers who had not seen the labels and who were asked for messier texts. It has a column `register`: `terse`,
# `phrase`, `long`, and `messy` for texts with errors, abbreviations or a second activity. Nothing is trained on it and no setting was
# tuned on it, but it was looked at three times while the course was made (the data sheet, `data/README.md`, says how). It too is
# synthetic.

# %% [markdown] tags=["question"] question="4.7"
# Question 4.7: the field test
#
# Read the field test into a polars table `field`. Put the accuracy of the model on it in `field_accuracy`, its accuracy by
# register in a table `by_register` (columns `register`, `n`, `accuracy`), and the ten divisions with the lowest accuracy in
# a table `worst_divisions` (columns `division`, `n`, `accuracy`). Then print what the threshold `chosen` gives here.

# %%
from funathon.paths import FIELD_TEST

# %% [markdown] tags=["hint"] question="4.7"
# Add the predictions to the table as a column, `field.with_columns(predicted=pl.Series(codes))`, and a column `right`;
# then `group_by("register").agg(n=pl.len(), accuracy=pl.col("right").mean())`.

# %% [markdown] tags=["hint"] question="4.7"
# `pl.col("code").str.slice(0, 2)` is the division. `sort("accuracy").head(10)` keeps the ten lowest.

# %% tags=["solution"] question="4.7"
field = pl.read_parquet(FIELD_TEST)
P_field = probabilities(pretrained, field["label"].to_numpy())
field = field.with_columns(
    predicted=pl.Series(classes[P_field.argmax(axis=1)]), division=pl.col("code").str.slice(0, 2)
).with_columns(right=pl.col("predicted") == pl.col("code"))
field_accuracy = field["right"].mean()
by_register = field.group_by("register").agg(n=pl.len(), accuracy=pl.col("right").mean()).sort("accuracy")
worst_divisions = field.group_by("division").agg(n=pl.len(), accuracy=pl.col("right").mean()).sort("accuracy", "division").head(10)
print(f"field test: {field_accuracy:.1%} of {len(field):,} labels, test set: {test_accuracy:.1%}")
passed = P_field.max(axis=1) >= chosen
print(f"threshold {chosen:.2f}: coverage {share(passed)}, precision {share(field['right'].to_numpy()[passed])}")
display(by_register, worst_divisions)

# %% tags=["check"] question="4.7"
def check(field, field_accuracy, by_register, worst_divisions, *, pretrained, classes, probabilities):
    import polars

    from funathon.course.checking import as_share, as_table, close

    texts = as_table("field", field, ("label", "code", "register"), how="Read it from FIELD_TEST.")
    codes = classes[probabilities(pretrained, texts["label"].to_numpy()).argmax(axis=1)]
    right = codes == texts["code"].to_numpy()
    close("field_accuracy", as_share("field_accuracy", field_accuracy), right.mean(), 0.0006, "the share of the field test that is coded rightly")
    registers = as_table("by_register", by_register, ("register", "n", "accuracy"))
    assert registers["n"].sum() == len(texts), "the `n` of `by_register` should add up to the whole field test."
    for register, accuracy in registers.select("register", "accuracy").iter_rows():
        share = right[(texts["register"] == register).to_numpy()].mean()
        assert abs(accuracy - share) < 0.0006, f"the accuracy of `by_register` for {register} should be {share:.3f}; it is {accuracy:.3f}."
    checked = polars.DataFrame({"division": texts["code"].str.slice(0, 2), "right": right}).group_by("division").agg(accuracy=polars.col("right").mean())
    lowest = checked.sort("accuracy")["accuracy"].head(10).to_list()
    found = sorted(as_table("worst_divisions", worst_divisions, ("division", "n", "accuracy"), 10, "The ten lowest.")["accuracy"])
    assert all(abs(a - b) < 0.0006 for a, b in zip(found, lowest)), "`worst_divisions` should hold the ten lowest accuracies, right answers over texts of the division."
    return f"{right.mean():.1%} on texts by other writers"


# %% [markdown]
# Which of the two did you expect to be harder? The texts of the field test are messier, and yet the model does better on
# them, by far. Look at who wrote what. Each class has over a hundred labels that all had to differ, so their writers went into
# every corner of it, and the test set is full of corners. The field test has four texts a class, and whoever writes four
# writes what is typical. Both were also written by language models of one family, which tend to find the same words; texts
# that stood in both were taken out of the labels, near neighbours were not.
#
# So neither figure is *the* accuracy, nor is what the threshold gives *the* precision: see how far it is from the 90 % that it was
# chosen for. Both depend on the texts, more than on the model.
#
# What a register would give, only texts of that register can tell. For that an office draws a **probability sample** of its own
# population: each text has a known chance to be in it, so that the figure can be weighted up to the whole, rare classes and large
# units with a higher chance. Two coders code it, each without seeing the other's code or the machine's; a third settles what they
# disagree on, and how often they do is worth knowing, since no machine can be righter than that.
#
# ### Harder texts
#
# The field test is the easy one. Two tests are harder: **entries**, as an alphabetical index has them ("pumps, centrifugal
# (manufacture)", "Court stenographer"), and **descriptions**, in which organisations tell of themselves: founders, values, prizes, and
# somewhere what they do. No model learns from them and no setting was tuned on them; they were looked at once (data sheet).

# %%
from funathon.paths import DESCRIPTIONS, ENTRIES

for name, path in (("descriptions", DESCRIPTIONS), ("entries", ENTRIES)):
    hard = pl.read_parquet(path)
    P_hard = probabilities(pretrained, hard["label"].to_numpy())
    hard_right = classes[P_hard.argmax(axis=1)] == hard["code"].to_numpy()
    passed = P_hard.max(axis=1) >= chosen
    print(f"{name}: right {share(hard_right)}; threshold {chosen:.2f}: coverage {share(passed)}, precision {share(hard_right[passed])}")
    print(hard.with_columns(right=pl.Series(hard_right)).group_by("register").agg(n=pl.len(), accuracy=pl.col("right").mean()).sort("accuracy"))

# %% [markdown]
# Read these with care as well. The model has learnt from other entries and descriptions, and those who wrote them and those who
# wrote the tests were language models of one family with like briefs. That brings texts of both kinds nearer to each other than
# people's are. Entries without the kind of activity (`bare`) are the hardest: "boiler suits" may be made, sold, let or washed.
#
# ### What does it confuse?
#
# A question that invites to read tea leaves: four texts a class in the field test are too few to tell (mind the `n` of the
# divisions above, too), and even the test set has some two dozen a class. So first see how the wrong answers spread, then add
# them up until there is something to read.

# %%
wrong = pl.DataFrame({"code": y_test, "predicted": predicted}).filter(pl.col("code") != pl.col("predicted"))
pairs = wrong.group_by("code", "predicted").len()
print(f"{len(wrong):,} wrong answers fall on {len(pairs):,} pairs of classes; no pair has more than {pairs['len'].max()}")

headings = dict(nomenclature.select("CODE", "HEADING").iter_rows())
divisions = wrong.select(low=pl.min_horizontal(pl.all().str.head(2)), high=pl.max_horizontal(pl.all().str.head(2)))
within = divisions.filter(pl.col("low") == pl.col("high"))
print(f"{len(within) / len(wrong):.0%} stay in the right division; between two divisions, in either direction:\n")
mixed = divisions.filter(pl.col("low") != pl.col("high")).group_by("low", "high").len().sort("len", "low", descending=[True, False])
for low, high, count in mixed.head(8).iter_rows():
    print(f"{count:3} × {low} {headings[low]}\n    — {high} {headings[high]}")

# %% [markdown]
# A pair of classes that was mixed up four times may be chance; to name it in a report would be reading tea leaves. Between
# divisions there are enough to see a pattern: wholesale and retail trade of the same goods, growing a thing and processing
# it, making and selling it. They lie far apart in the nomenclature and near each other in words, and often the text does not
# say which it is. (The trade divisions have many classes, so they would be high on the list even if all classes were mixed up
# alike.) This is worth more than the overall figure: it says what a form should ask, and where a person should look.
#
# ### What errors do to a published total
#
# An office publishes numbers: so many enterprises in a division, with so much turnover. Errors that go both ways cancel in a total,
# in part. Here are the divisions whose totals would be farthest off, if the test set were the population and nobody reviewed a code.

# %%
true_division = np.array([code[:2] for code in y_test])
coded_division = np.array([code[:2] for code in predicted])
totals = pl.DataFrame(
    [
        {
            "division": division,
            "true": int((true_division == division).sum()),
            "published": int((coded_division == division).sum()),
            "lost": int(((true_division == division) & (coded_division != division)).sum()),
            "gained": int(((true_division != division) & (coded_division == division)).sum()),
        }
        for division in np.unique(true_division)
    ]
)
display(totals.sort((pl.col("published") - pl.col("true")).abs(), descending=True).head(6))
net = (totals["published"] - totals["true"]).abs().sum()
print(f"{totals['lost'].sum():,} texts are in a wrong division, but the totals are off by {net:,} in all")

# %% [markdown]
# The published total is the true one, less what is *lost* to other divisions, plus what is *gained* from them. That so much of it
# cancels is the doing of even data. Where one class is a hundred times as large as its neighbour, the small one gains more than it can
# lose. The numbers of this example are made up:

# %%
large, small = 10_000, 100  # enterprises that truly are in the two classes
error = 0.02  # of each class, the share that is coded into the other
published = small - error * small + error * large
print(f"98 % are coded rightly, and yet {published:.0f} are published where there are {small}: {published / small - 1:+.0%}")

# %% [markdown]
# So a model with a fine accuracy can ruin the figure of a small class, and a change from one year to the next may be a change of
# model. Look at each class's *lost* and *gained* before you publish, have people review what goes into small classes, and let them
# always code the largest units: one of these misplaced moves more turnover than a thousand small ones.

# %% [markdown]
# ## What you have learnt
#
# - A pickle runs code. Verify checksums that come from somebody you trust before you load a model.
# - Attributions show what moved the model; they do not show that it is right.
# - An accuracy needs an interval, a level and a sample that is not like the training set.
# - With a confidence that ranks right answers above wrong ones, an office chooses how much to code by machine and how many
#   errors to accept. It chooses on some texts and reports from others.
# - A good accuracy does not make a good total: small classes gain from the errors of large ones.
#
# ## Where to go from here
#
# This model learnt from tens of thousands of examples. What if there were none, only the text of the nomenclature itself?
# Part 2 does the same task by retrieval-augmented generation: find the classes whose notes are nearest to the text, and let
# a language model choose among them. It begins in [chapter 5](5-rag.ipynb).
