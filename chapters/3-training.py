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
# # 3. Train a network
#
# *Part 1, supervised learning · chapter 3 of 7 · about 60 minutes · nothing needed before: the first cells rebuild it*
#
# In this chapter you will
#
# - see what a text classifier is made of, part by part;
# - train one, on whatever your machine has, with MLflow taking notes;
# - find out why the first settings barely learn, and choose better ones from evidence;
# - start a network from vectors that know English already;
# - compare the network with a method from before neural networks, and be honest about the result.

# %% [markdown]
# ## From integers to meaning
#
# Chapter 2 turned a text into integers. They are only names: token 1204 is not "more" than token 317. The network's first
# layer therefore replaces each integer by a **vector**, a row of some 100 numbers, called its **embedding**. At the start
# the numbers are random. During training they move, so that tokens which call for the same classes end up near each
# other. At the end of this chapter you will see where your own ended up.
#
# ![A row of boxes: token ids go through the TokenEmbedder, which gives one vector a token, the SentenceEmbedder, which
# takes their mean, the ClassificationHead, which gives one score a class, and softmax, which turns scores into
# confidences. A CategoricalVariableNet can add other columns before the head.](../site/images/network.svg)
#
# torchTextClassifiers names the parts of the network as the picture does:
#
# - the **TokenEmbedder** looks up the vector of each token (it can also let the tokens of a text look at each other, which
#   is called *self-attention*; we leave that out);
# - the **SentenceEmbedder** makes one vector of a whole text, here the mean over its real tokens. This is where the
#   attention mask of chapter 2 is needed. Together the two are the **TextEmbedder**;
# - the **CategoricalVariableNet** adds other columns, such as the legal form or the number of employees. Registers have
#   them and they help; our labels have none, so this part is absent;
# - the **ClassificationHead** gives one score to each of the 651 classes. A function named *softmax* turns the scores into
#   confidences between 0 and 1 that add up to 1.
#
# ## How it learns
#
# Five words are enough to read any training log.
#
# - The **loss** measures how wrong the confidences are: 0 if the right class has confidence 1, larger the less it has. A
#   model that knows nothing about 651 classes has a loss of about ln 651 ≈ 6.5.
# - A **batch** is the group of labels (say 256) whose loss is computed at once. After each batch every number in the
#   network moves a little in the direction that lowers the loss.
# - The **learning rate** says how far it moves. Too small and it crawls; too large and it jumps over the goal.
# - An **epoch** is one pass through the whole training set.
# - **Early stopping** ends the training when the loss on the validation set has not fallen for a few epochs. From there on
#   the network would only learn the training set by heart, which is called *overfitting*.

# %%
from funathon.course.exercise import start

check, hint, solution, catch_up = start("3-training")

# %% [markdown]
# This cell rebuilds what the chapters before made: the labels, the split, the encoder and a trained tokenizer.

# %%
import os

import fsspec
import numpy as np
import polars as pl
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder
from torchTextClassifiers.tokenizers.WordPiece import WordPieceTokenizer
from torchTextClassifiers.value_encoder import ValueEncoder

with fsspec.open(os.environ["LABELS_URL"], "rb") as file:
    labels = pl.read_parquet(file)
X, y = labels["label"].to_numpy(), labels["code"].to_numpy()
X_train, X_rest, y_train, y_rest = train_test_split(X, y, test_size=0.3, random_state=42, stratify=y)
X_val, X_test, y_val, y_test = train_test_split(X_rest, y_rest, test_size=0.5, random_state=42, stratify=y_rest)
value_encoder = ValueEncoder(label_encoder=LabelEncoder().fit(y_train))
tokenizer = WordPieceTokenizer(vocab_size=5000, output_dim=10)
tokenizer.train(X_train.tolist())
print(f"{len(X_train):,} labels to learn from, {value_encoder.num_classes} classes")

# %% [markdown]
# ## Exercise: train, look, train again

# %% [markdown] tags=["question"] question="3.1"
# Question 3.1: the classifier
#
# Describe the network with `ModelConfig(embedding_dim=96, …)`, giving it the number of classes, and call it
# `model_config`. Build the classifier from your tokenizer, this description and `value_encoder`, and call it `classifier`.
#
# The class has the name of its module, `torchTextClassifiers`. Do not give that name to the classifier too, or the class
# is gone.

# %% [markdown] tags=["hint"] question="3.1"
# Both names come from the module: `from torchTextClassifiers import ModelConfig, torchTextClassifiers`. The class wants the
# arguments `tokenizer`, `model_config` and `value_encoder`.

# %% tags=["solution"] question="3.1"
from torchTextClassifiers import ModelConfig, torchTextClassifiers

model_config = ModelConfig(embedding_dim=96, num_classes=value_encoder.num_classes)
classifier = torchTextClassifiers(tokenizer=tokenizer, model_config=model_config, value_encoder=value_encoder)
n_parameters = sum(parameter.numel() for parameter in classifier.pytorch_model.parameters())
print(f"{n_parameters:,} numbers to learn")

# %% tags=["check"] question="3.1"
def check(model_config, classifier, *, value_encoder):
    from torchTextClassifiers import ModelConfig, torchTextClassifiers

    assert isinstance(model_config, ModelConfig), "model_config should be a ModelConfig"
    assert model_config.embedding_dim == 96, f"embedding_dim should be 96, not {model_config.embedding_dim}"
    assert model_config.num_classes == value_encoder.num_classes, f"num_classes should be {value_encoder.num_classes}"
    assert isinstance(classifier, torchTextClassifiers), "classifier should be made by the class torchTextClassifiers"
    assert classifier.value_encoder is not None, "classifier has no value_encoder: pass it, so that it answers with codes"
    assert classifier.embedding_dim == 96, "classifier should be built from model_config"
    return "the network exists, with random numbers in it"


# %% [markdown]
# Nearly all of its numbers are embeddings, 96 for each token, and the head, 96 for each class.

# %% [markdown] tags=["question"] question="3.2"
# Question 3.2: how to train
#
# Make a `TrainingConfig` named `training_config` with
#
# | argument | value | what it is |
# |---|---|---|
# | `num_epochs` | 1 | passes through the training set |
# | `batch_size` | 256 | labels whose loss is computed at once |
# | `lr` | `5e-4` | learning rate |
# | `num_workers` | 0 | extra processes that read data; ours is in memory, and starting them takes longer than it saves |
# | `patience_early_stopping` | 3 | epochs without progress on the validation set before it stops |
# | `save_path` | `str(folder / "first")` | where the trained model is saved |
# | `trainer_params` | `trainer_params` | what the library passes on to Lightning, which runs the training |
#
# The cell below prepares the last two.

# %%
import logging
import tempfile
import warnings
from pathlib import Path

from pytorch_lightning.loggers import CSVLogger

folder = Path(tempfile.mkdtemp())
trainer_params = {"logger": CSVLogger(folder, name="first"), "enable_model_summary": False}

# Lightning announces the devices it has found and a tip of the day; we print the device ourselves.
logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
# Three warnings about the inside of the libraries, in each run: Lightning uses a class of torch that has been renamed, it
# infers the batch size from the batch, rightly, and saving a model makes a second trainer that finds no TensorBoard.
warnings.filterwarnings("ignore", message=".*LeafSpec.*")
warnings.filterwarnings("ignore", message="Trying to infer the `batch_size` from an ambiguous collection.*")
warnings.filterwarnings("ignore", message=".*tensorboardX.*")

# %% [markdown] tags=["hint"] question="3.2"
# `from torchTextClassifiers import TrainingConfig`, then one argument for each row of the table.

# %% tags=["solution"] question="3.2"
from torchTextClassifiers import TrainingConfig

training_config = TrainingConfig(
    num_epochs=1,
    batch_size=256,
    lr=5e-4,
    num_workers=0,
    patience_early_stopping=3,
    save_path=str(folder / "first"),
    trainer_params=trainer_params,
)

# %% tags=["check"] question="3.2"
def check(training_config, *, folder):
    from torchTextClassifiers import TrainingConfig

    assert isinstance(training_config, TrainingConfig), "training_config should be a TrainingConfig"
    wanted = {"num_epochs": 1, "batch_size": 256, "lr": 5e-4, "num_workers": 0, "patience_early_stopping": 3, "save_path": str(folder / "first")}
    for name, value in wanted.items():
        given = getattr(training_config, name)
        assert given == value, f"{name} of training_config should be {value}, not {given}"
    assert training_config.trainer_params, "trainer_params of training_config should be the dictionary trainer_params"
    return "ready to train"


# %% [markdown]
# Training runs on a GPU if the machine has one and on the CPU otherwise; `accelerator="auto"`, the default, decides. The
# same cell works on both. On SSP Cloud you get a GPU by launching the service *jupyter-pytorch-gpu* or *vscode-pytorch-gpu*
# instead of the one without `gpu`. You do not need one here: this whole chapter takes some four minutes on two cores, and
# half as long on a machine with one of the largest GPUs (an NVIDIA H200). Networks as small as ours keep a GPU waiting for
# texts; a language model would not.

# %% [markdown] tags=["question"] question="3.3"
# Question 3.3: train under MLflow
#
# 1. Choose an experiment, a folder for runs: `mlflow.set_experiment("nace-training")`.
# 2. Switch on the automatic notes: `mlflow.pytorch.autolog(log_models=False)`.
# 3. Inside `with mlflow.start_run(run_name="first settings") as first_run:` train the classifier with
#    `X_train, y_train, training_config, X_val, y_val`; log the parameters that autolog does not know, `vocab_size` and `output_dim`; and log
#    the folder of the saved model with `mlflow.log_artifacts(…, artifact_path="model")`.
# 4. Load the model back **from the run**, not from your folder, and call it `reloaded`.
#
# Why `log_models=False`? Autolog would pickle the network and guess all the packages it needs, which takes longer than
# training it. We log what the library itself saves, which is complete: the network, the tokenizer and the encoder.

# %% [markdown] tags=["hint"] question="3.3"
# `classifier.train(X_train, y_train, training_config, X_val, y_val)` and
# `mlflow.log_params({"vocab_size": 5000, "output_dim": 10})`.

# %% [markdown] tags=["hint"] question="3.3"
# `mlflow.artifacts.download_artifacts(run_id=first_run.info.run_id, artifact_path="model")` returns a folder, and
# `torchTextClassifiers.load(folder)` reads it.

# %% tags=["solution"] question="3.3"
import mlflow

mlflow.set_experiment("nace-training")
mlflow.pytorch.autolog(log_models=False)

with mlflow.start_run(run_name="first settings") as first_run:
    classifier.train(X_train, y_train, training_config, X_val, y_val)
    mlflow.log_params({"vocab_size": 5000, "output_dim": 10})
    mlflow.log_artifacts(training_config.save_path, artifact_path="model")

model_folder = mlflow.artifacts.download_artifacts(run_id=first_run.info.run_id, artifact_path="model")
reloaded = torchTextClassifiers.load(model_folder)
print("trained on", classifier.device)

# %% tags=["check"] question="3.3"
def check(first_run, reloaded, *, classifier, X_val):
    import mlflow
    import torch
    from torchTextClassifiers import torchTextClassifiers

    run = mlflow.get_run(first_run.info.run_id)
    assert run.info.status == "FINISHED", f"first_run is {run.info.status.lower()}; it should have finished"
    assert "val_accuracy" in run.data.metrics, "first_run has no val_accuracy: call autolog before training, and train inside the run"
    assert run.data.params.get("output_dim") == "10", "first_run lacks the parameter output_dim: log it with mlflow.log_params"
    files = [item.path for item in mlflow.MlflowClient().list_artifacts(first_run.info.run_id, "model")]
    assert files, "first_run has no artifacts under 'model': use mlflow.log_artifacts(…, artifact_path='model')"
    assert isinstance(reloaded, torchTextClassifiers), "reloaded should come from torchTextClassifiers.load"
    assert reloaded is not classifier, "reloaded is classifier itself; load it from the run"
    with torch.no_grad():
        same = reloaded.predict(X_val[:50])["prediction"] == classifier.predict(X_val[:50])["prediction"]
    assert same.all(), "reloaded does not predict what classifier predicts; load it from first_run"
    return f"{run.data.metrics['val_accuracy']:.1%} of the validation set right, and the model in MLflow predicts the same"


# %% [markdown]
# ### Is that good?
#
# To judge a model one needs its predictions. `predict` takes an array of texts and returns a dictionary with `prediction` (the
# codes, an array) and `confidence` (a tensor), both of shape `(texts, top_k)`. Two habits save trouble:
#
# - **Take the column you want**, `["prediction"][:, 0]`. Comparing an array of shape `(n, 1)` with one of shape `(n,)`
#   compares everything with everything and gives a wrong accuracy without any error.
# - **Predict in batches and without gradients.** `predict` sends all texts through the network at once and keeps what
#   training would need; on a hundred thousand texts that takes gigabytes.

# %%
import torch


def predict_codes(model, texts, batch_size=1024):
    """The most likely code of each text, shape (texts,)."""
    with torch.no_grad():
        batches = [model.predict(texts[i : i + batch_size])["prediction"][:, 0] for i in range(0, len(texts), batch_size)]
    return np.concatenate(batches)


first_accuracy = (predict_codes(classifier, X_val) == y_val).mean()
print(f"first settings: {first_accuracy:.1%} of the validation set coded correctly")

# %% [markdown]
# For comparison, a die with 651 sides would be right once in 651 times. So the network has learnt something, but it is
# far from useful. Two suspects:
#
# - the **learning rate** of `5e-4` and a single epoch: the numbers hardly had time to move;
# - the **length** of 10 tokens, which cuts most of the labels, as you saw in chapter 2.

# %% [markdown]
# ### A better start
#
# There is a third suspect, less easy to see. The vectors start at random, so the network has to learn from its labels alone
# that *sneakers* are *footwear*, and most words stand in only a few labels. But nothing says that embeddings must start at
# random. **all-MiniLM-L6-v2** is a small model that turns English sentences into vectors; it was trained on Wikipedia and
# books, and then on a billion pairs of sentences that belong together. We can take from it a vector for each token, copy
# them into the embedding layer, and let training move them from there.
#
# Vectors belong to the tokens they were made for, so they come with MiniLM's own WordPiece tokenizer. The cell below keeps
# its English pieces and adds the words of four letters or more that stand in at least two of our training labels, so that
# these are not cut. It also reads the notes of the nomenclature: each title and each point of *includes* and *includes
# also* is a text whose class is known, and so a few more rows to learn from.

# %%
import matplotlib.pyplot as plt
import pytorch_lightning

from funathon.minilm import token_vectors
from funathon.supervised.training import frequent_words, minilm_tokenizer
from funathon.corpus.notes import note_rows

large_tokenizer = WordPieceTokenizer(vocab_size=20_000, output_dim=36)
large_tokenizer.train(X_train.tolist())

english_tokenizer = minilm_tokenizer(frequent_words(X_train, 2), row_length=40)
english_vectors = token_vectors(english_tokenizer.tokenizer.get_vocab(), 384)
note_texts, note_codes = note_rows(set(y_train))
pytorch_lightning.seed_everything(42, verbose=False)  # the same random numbers each time
print(f"vectors of shape {tuple(english_vectors.shape)}, {len(note_texts):,} rows from the notes")

# %% [markdown] tags=["question"] question="3.4"
# Question 3.4: better settings, from evidence
#
# Train again with other settings and give each run its own name in MLflow, so that you can compare. At least three runs in
# all: the first, one that changes the learning rate only (ten times as large), and your best. For the best, try
#
# - rows of 36 tokens or more, so that next to nothing is cut, and a larger vocabulary, so that more words stay whole:
#   `large_tokenizer` has 20,000 pieces;
# - `english_tokenizer` with `english_vectors`, copied into the embedding layer before you train;
# - the rows of the notes, `note_texts` and `note_codes`, added to the training set (never to the validation set);
# - three epochs with a learning rate that is halved after each: large steps first, small ones to settle. Vectors that know something
#   already want smaller steps than random ones, 1e-3 to 3e-3 at first.
#
# Then keep your best classifier in `best_classifier`, which should get more than 60 % of the validation set right, fetch
# the runs of the experiment from MLflow into a table `runs` (of pandas, with all columns that MLflow returns), and plot the
# validation accuracy of each.

# %% [markdown] tags=["hint"] question="3.4"
# Write a function that does one run, such as `train_and_log(name, run_tokenizer, texts, codes, vectors=None, **settings)`, from the
# code of questions 3.1 to 3.3, and call it for each run. `np.concatenate([X_train, note_texts])` joins two arrays.

# %% [markdown] tags=["hint"] question="3.4"
# `model.pytorch_model.token_embedder.embedding_layer.weight` is where the vectors stand; inside `with torch.no_grad():` its
# method `copy_` takes a tensor of the same shape. `ModelConfig(embedding_dim=384, …)` must fit the vectors. `TrainingConfig` takes
# `scheduler=torch.optim.lr_scheduler.ExponentialLR` and `scheduler_params={"gamma": 0.5}`.

# %% [markdown] tags=["hint"] question="3.4"
# `mlflow.search_runs(experiment_names=["nace-training"])` returns a pandas table with columns such as
# `tags.mlflow.runName`, `params.lr` and `metrics.val_accuracy`. Runs from other days are in it too: filter them or keep the
# latest of each name.

# %% tags=["solution"] question="3.4"
#| fig-alt: Bar chart of the validation accuracy of the four runs.
def train_and_log(name, run_tokenizer, texts, codes, vectors=None, **settings):
    """Train a classifier with these settings in an MLflow run of its own; return the classifier and the run's id."""
    dimensions = 96 if vectors is None else vectors.shape[1]
    model = torchTextClassifiers(
        tokenizer=run_tokenizer,
        model_config=ModelConfig(embedding_dim=dimensions, num_classes=value_encoder.num_classes),
        value_encoder=value_encoder,
    )
    if vectors is not None:
        with torch.no_grad():
            model.pytorch_model.token_embedder.embedding_layer.weight.copy_(vectors)
    config = TrainingConfig(
        batch_size=256,
        num_workers=0,
        patience_early_stopping=3,
        save_path=str(folder / name),
        trainer_params=trainer_params | {"logger": CSVLogger(folder, name=name)},
        **settings,
    )
    with mlflow.start_run(run_name=name) as run:
        model.train(texts, codes, config, X_val, y_val)
        mlflow.log_params({"vocab_size": len(run_tokenizer), "output_dim": run_tokenizer.output_dim})
        mlflow.log_artifacts(config.save_path, artifact_path="model")
    return model, run.info.run_id


halving = {"scheduler": torch.optim.lr_scheduler.ExponentialLR, "scheduler_params": {"gamma": 0.5}}
run_ids = [
    first_run.info.run_id,
    train_and_log("larger learning rate", tokenizer, X_train, y_train, lr=5e-3, num_epochs=1)[1],
    train_and_log("longer rows, more words, more epochs", large_tokenizer, X_train, y_train, lr=5e-3, num_epochs=2)[1],
]
best_classifier, best_id = train_and_log(
    "vectors that know English, and the notes",
    english_tokenizer,
    np.concatenate([X_train, note_texts]),
    np.concatenate([y_train, note_codes]),
    english_vectors,
    lr=3e-3,
    num_epochs=3,
    **halving,
)
run_ids.append(best_id)

all_runs = mlflow.search_runs(experiment_names=["nace-training"])
runs = all_runs[all_runs["run_id"].isin(run_ids)].sort_values("metrics.val_accuracy")
plt.figure(figsize=(8, 2.4), layout="constrained")
bars = plt.barh(runs["tags.mlflow.runName"], runs["metrics.val_accuracy"])
plt.bar_label(bars, fmt="{:.1%}", padding=3)
plt.xlim(0, 1)
plt.xlabel("validation accuracy")
plt.show()
runs[["tags.mlflow.runName", "params.lr", "params.vocab_size", "params.output_dim", "metrics.val_accuracy", "metrics.val_loss"]]

# %% tags=["check"] question="3.4"
def check(best_classifier, runs, *, predict_codes, X_val, y_val):
    from torchTextClassifiers import torchTextClassifiers

    assert isinstance(best_classifier, torchTextClassifiers), "best_classifier should be a trained classifier"
    columns = {"run_id", "tags.mlflow.runName", "metrics.val_accuracy", "params.lr", "params.vocab_size", "params.output_dim"}
    assert hasattr(runs, "iloc") and columns <= set(runs.columns), "runs should be the table that mlflow.search_runs returns, with all its columns"
    assert len(runs) >= 3, f"runs has {len(runs)} rows; compare at least three runs"
    like_first = runs[(runs["params.vocab_size"] == "5000") & (runs["params.output_dim"] == "10")]
    rates = {round(float(rate), 6) for rate in like_first["params.lr"].dropna()}
    assert {0.0005, 0.005} <= rates, "runs has no run with the tokenizer of the first one (vocab_size 5000 and output_dim 10, both logged) and a learning rate ten times as large"
    accuracy = (predict_codes(best_classifier, X_val) == y_val).mean()
    assert accuracy > 0.60, f"best_classifier gets {accuracy:.1%} of the validation set right; more than 60 % is possible"
    return f"best_classifier gets {accuracy:.1%} of the validation set right"


# %% [markdown]
# The run with the larger learning rate differs from the first in one thing only, so its gain is the learning rate's. Where
# a run changes several things at once, the table cannot say which of them did it. To find out, one changes one thing at a
# time, as the model card of chapter 4 does: there, the same network started from random vectors loses four to five points.
#
# MLflow's own pages show the runs and more, epoch by epoch: run `uv run mlflow ui --backend-store-uri sqlite:///mlflow.db` in a
# terminal at the root of the project, or open your server if you have one.

# %%
#| fig-alt: Line chart of training and validation accuracy, epoch by epoch, for the best run.
import mlflow

client = mlflow.MlflowClient()
plt.figure(figsize=(7, 3), layout="constrained")
for metric, label in [("train_accuracy", "training"), ("val_accuracy", "validation")]:
    best_run = runs.dropna(subset=["metrics.val_accuracy"]).sort_values("metrics.val_accuracy").iloc[-1]
    history = client.get_metric_history(best_run["run_id"], metric)
    plt.plot(range(1, len(history) + 1), [point.value for point in history], marker="o", label=label)
plt.xticks(range(1, len(history) + 1))
plt.xlabel("epoch")
plt.ylabel("accuracy")
plt.legend()
plt.show()

# %% [markdown]
# The two lines cross and part. (Training accuracy is an average taken while the network was still learning, so it starts
# low.) In the end the network knows nearly all of the training set by heart, and a third of the validation set is still
# wrong: this gap is what overfitting leads to. In a longer training, early stopping would end it when the validation loss
# stops falling.

# %% [markdown] tags=["question"] question="3.5"
# Question 3.5: is the network worth it?
#
# A method from before neural networks: **TF-IDF** counts the words of a text, weighing rare words more than frequent ones,
# and a **logistic regression** learns one weight for each word and class. Train it on the same split, with scikit-learn's
# `TfidfVectorizer` and `SGDClassifier(loss="log_loss")`, which is a logistic regression trained in small steps, fast
# enough for 651 classes. Put its accuracy on the validation set in `baseline_accuracy` and that of your best classifier in
# `network_accuracy`.

# %% [markdown] tags=["hint"] question="3.5"
# `make_pipeline(TfidfVectorizer(), SGDClassifier(loss="log_loss", alpha=1e-6, n_jobs=-1))` has `fit(X, y)` and
# `predict(X)`. `alpha` is how strongly it is kept from overfitting.

# %% tags=["solution"] question="3.5"
import time

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline

started = time.perf_counter()
baseline = make_pipeline(
    TfidfVectorizer(sublinear_tf=True),
    SGDClassifier(loss="log_loss", alpha=1e-6, max_iter=10, tol=None, n_jobs=-1, random_state=42),
)
baseline.fit(X_train, y_train)
baseline_accuracy = (baseline.predict(X_val) == y_val).mean()
network_accuracy = (predict_codes(best_classifier, X_val) == y_val).mean()
print(f"TF-IDF and logistic regression: {baseline_accuracy:.1%} in {time.perf_counter() - started:.0f} s")
print(f"network: {network_accuracy:.1%}")

# %% tags=["check"] question="3.5"
def check(baseline_accuracy, network_accuracy, *, best_classifier, predict_codes, X_val, y_val):
    expected = (predict_codes(best_classifier, X_val) == y_val).mean()
    for name, value in (("baseline_accuracy", baseline_accuracy), ("network_accuracy", network_accuracy)):
        assert 0 <= value <= 1, f"{name} should be a share between 0 and 1"
    assert abs(network_accuracy - expected) < 0.002, f"network_accuracy should be {expected:.3f}, on the validation set"
    assert baseline_accuracy > 0.2, f"a baseline of {baseline_accuracy:.1%} has not learnt; let fit run on the training set"
    assert baseline_accuracy < 0.99, "a baseline that good was measured on the training set; use the validation set"
    ahead = network_accuracy - baseline_accuracy
    return f"the network is {abs(ahead) * 100:.1f} points {'ahead of' if ahead > 0 else 'behind'} the baseline"


# %% [markdown]
# Always do this comparison. The runs with random vectors are behind a method that counts words and takes less than a
# minute: had you stopped there, the honest choice would have been the baseline. The best network is ahead. (It has also
# read the notes, which the baseline has not; the model card of chapter 4 compares such methods on the same rows, and the
# gap remains.) A network has other strengths too: it can take other columns beside the text, and its parts can be
# exchanged.

# %% [markdown]
# ## What the vectors have become
#
# Here are the embeddings of some words, as your network has learnt them, drawn in two dimensions (by *principal component
# analysis*, which keeps the two directions in which they differ most). They started from what a language model knows of
# English, and the codes have moved them. Where two groups overlap, remember that the picture shows two directions out of 384.

# %%
#| fig-alt: Scatter plot of the embeddings of 20 words in two dimensions; words for food and for health form groups of their own.
from sklearn.decomposition import PCA

groups = {
    "food": ["bread", "cakes", "cheese", "sausages", "jam"],
    "building": ["roof", "brick", "plumbing", "plaster", "paving"],
    "health": ["dental", "nurse", "patients", "therapy", "clinic"],
    "transport": ["lorry", "taxi", "freight", "ferry", "bus"],
}
vectors = best_classifier.pytorch_model.token_embedder.embedding_layer.weight.detach().cpu()
vocabulary = best_classifier.tokenizer.tokenizer.get_vocab()
known = {name: [word for word in words if word in vocabulary] for name, words in groups.items()}
rows = torch.stack([vectors[vocabulary[word]] for words in known.values() for word in words]).numpy()
# only the direction of a vector counts in this network, so all are brought to length 1
points = iter(PCA(n_components=2, random_state=0).fit_transform(rows / np.linalg.norm(rows, axis=1, keepdims=True)))

plt.figure(figsize=(7, 4.5), layout="constrained")
for name, words in known.items():
    places = np.array([next(points) for _ in words])
    plt.scatter(places[:, 0], places[:, 1], label=name)
    for word, place in zip(words, places):
        plt.annotate(word, place, xytext=(4, 4), textcoords="offset points", fontsize=9)
plt.legend()
plt.show()

# %% [markdown]
# ## What you have learnt
#
# - A text classifier looks up a vector for each token, takes their mean, and scores each class from it.
# - Loss, batch, learning rate, epoch and early stopping describe every training. To know what helped, change one thing at a time.
# - MLflow keeps what you did, so that runs can be compared and a model can be fetched back from its run.
# - A simple baseline tells you what a network is worth. Without it, no accuracy means anything.
#
# Next, in [chapter 4](4-prediction.ipynb), a model whose confidences mean nearly what they say explains itself and meets
# texts from outside.
