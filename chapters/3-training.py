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
# *Part 1, supervised learning · chapter 3 of 10 · about 90 minutes · nothing needed before: the first cells rebuild it*
#
# In this chapter you will
#
# - see what a text classifier is made of, part by part;
# - train one, on whatever your machine has, with MLflow taking notes;
# - find out why the first settings barely learn, changing one thing at a time;
# - start a network from vectors that know English already;
# - compare the network with a method from before neural networks, and be honest about the result.

# %% [markdown]
# ## From integers to meaning
#
# Chapter 2 turned a text into integers. They are only names: token 1204 is not "more" than token 317. The network's first
# layer therefore replaces each integer by a **vector**, a row of numbers (96 in your first network, 128 in your best), called its
# **embedding**. At the start
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
# This cell rebuilds what the chapters before made: the labels, the split, the encoder and a trained tokenizer. It takes some 20
# seconds, most of them to import the libraries. New is `training_set`, a fingerprint of the training texts: it will say in the
# logbook what a network has learnt from.

# %%
import hashlib
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
training_set = hashlib.sha256("\n".join(X_train).encode()).hexdigest()[:12]
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

    from funathon.course.checking import as_instance, equal

    as_instance("model_config", model_config, ModelConfig)
    equal("model_config.embedding_dim", model_config.embedding_dim, 96)
    equal("model_config.num_classes", model_config.num_classes, value_encoder.num_classes, "the number of classes of `value_encoder`")
    as_instance("classifier", classifier, torchTextClassifiers, "Call the class with a tokenizer, a description and an encoder.")
    assert classifier.value_encoder is not None, "`classifier` has no value_encoder: pass it, so that it answers with codes."
    equal("classifier.embedding_dim", classifier.embedding_dim, 96, "as in `model_config`")
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
# | `save_path` | `folder / "first"` | where the trained model is saved |
# | `trainer_params` | `trainer_params` | what the library passes on to Lightning, which runs the training |
#
# The cell below prepares the last two. `folder` is temporary: what is worth keeping goes to MLflow.

# %%
import logging
import tempfile
import warnings
from pathlib import Path

from pytorch_lightning.loggers import CSVLogger

workspace = tempfile.TemporaryDirectory()  # it is removed when the kernel ends
folder = Path(workspace.name)
trainer_params = {"logger": CSVLogger(folder / "lightning", name="first"), "enable_model_summary": False}

# Lightning announces the devices it has found and a tip of the day; we print the device ourselves.
logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
# Four warnings about the inside of the libraries: Lightning uses a class of torch that has been renamed, it infers the batch
# size from the batch, rightly, saving a model makes a second trainer that finds no TensorBoard, and a second training finds
# the log of the first.
warnings.filterwarnings("ignore", message=".*LeafSpec.*")
warnings.filterwarnings("ignore", message="Trying to infer the `batch_size` from an ambiguous collection.*")
warnings.filterwarnings("ignore", message=".*tensorboardX.*")
warnings.filterwarnings("ignore", message=".*exists and is not empty.*")

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
    save_path=folder / "first",
    trainer_params=trainer_params,
)

# %% tags=["check"] question="3.2"
def check(training_config, *, folder):
    from torchTextClassifiers import TrainingConfig

    from funathon.course.checking import as_instance, as_path, equal

    as_instance("training_config", training_config, TrainingConfig)
    wanted = {"num_epochs": 1, "batch_size": 256, "lr": 5e-4, "num_workers": 0, "patience_early_stopping": 3}
    for name, value in wanted.items():
        equal(f"training_config.{name}", getattr(training_config, name), value)
    equal("training_config.save_path", as_path("training_config.save_path", training_config.save_path), as_path("folder", folder / "first"))
    assert training_config.trainer_params, "`training_config.trainer_params` should be the dictionary `trainer_params`."
    return "ready to train"


# %% [markdown]
# Training runs on a GPU if the machine has one and on the CPU otherwise; `accelerator="auto"`, the default, decides. The same
# cell works on both. On SSP Cloud you get a GPU by launching the service *jupyter-pytorch-gpu* or *vscode-pytorch-gpu*
# instead of the one without `gpu`. You do not need one here: all the cells of this chapter together take less than four
# minutes on two cores. Networks as small as ours keep a GPU waiting for texts; a language model would not.

# %% [markdown] tags=["question"] question="3.3"
# Question 3.3: train under MLflow
#
# 1. Choose an experiment, a folder for runs: `mlflow.set_experiment("nace-training")`.
# 2. Switch on the automatic notes: `mlflow.pytorch.autolog(log_models=False, checkpoint=False)`.
# 3. Inside `with mlflow.start_run(run_name="first settings") as first_run:` train the classifier with `X_train, y_train,
#    training_config, X_val, y_val`; log the parameters that autolog does not know, `vocab_size`, `output_dim` and
#    `training_set`; and log the folder of the saved model with `mlflow.log_artifacts(…, artifact_path="model")`.
# 4. Load the model back **from the run**, not from your folder, and call it `reloaded`.
#
# The training takes about ten seconds. Run the cell again and the same network **trains on from where it stands**, in a run
# of its own; to start afresh, first run the cell of question 3.1 again, which fills the network with new random numbers.
#
# Why the two `False`? With `log_models` autolog would pickle the network and guess all the packages it needs, which takes
# longer than training it. With `checkpoint` it would store the network with all that the optimizer remembers, three times as
# large. We log what the library itself saves, which is complete: the network, the tokenizer and the encoder.

# %% [markdown] tags=["hint"] question="3.3"
# `classifier.train(X_train, y_train, training_config, X_val, y_val)` and
# `mlflow.log_params({"vocab_size": 5000, "output_dim": 10, "training_set": training_set})`.

# %% [markdown] tags=["hint"] question="3.3"
# `mlflow.artifacts.download_artifacts(run_id=first_run.info.run_id, artifact_path="model", dst_path=folder / "fetched")`
# returns a folder, and `torchTextClassifiers.load(…)` reads it.

# %% tags=["solution"] question="3.3"
import mlflow

mlflow.set_experiment("nace-training")
mlflow.pytorch.autolog(log_models=False, checkpoint=False)

with mlflow.start_run(run_name="first settings") as first_run:
    classifier.train(X_train, y_train, training_config, X_val, y_val)
    mlflow.log_params({"vocab_size": 5000, "output_dim": 10, "training_set": training_set})
    mlflow.log_artifacts(training_config.save_path, artifact_path="model")

model_folder = mlflow.artifacts.download_artifacts(run_id=first_run.info.run_id, artifact_path="model", dst_path=folder / "fetched")
reloaded = torchTextClassifiers.load(model_folder)
print("trained on", classifier.device)

# %% tags=["shortcut"] question="3.3"
# what catch_up runs: the network of an earlier run, if MLflow has one, instead of another training
import mlflow

from funathon.supervised.runs import newest_run

mlflow.set_experiment("nace-training")
mlflow.pytorch.autolog(log_models=False, checkpoint=False)
wanted = {"vocab_size": 5000, "output_dim": 10, "training_set": training_set}
earlier = newest_run("nace-training", "first settings", with_model=True, least_accuracy=0, **wanted)
if earlier:
    first_run = mlflow.get_run(earlier)
else:
    with mlflow.start_run(run_name="first settings") as first_run:
        classifier.train(X_train, y_train, training_config, X_val, y_val)
        mlflow.log_params(wanted)
        mlflow.log_artifacts(training_config.save_path, artifact_path="model")

model_folder = mlflow.artifacts.download_artifacts(run_id=first_run.info.run_id, artifact_path="model", dst_path=folder / "fetched")
reloaded = torchTextClassifiers.load(model_folder)
if earlier:
    classifier = torchTextClassifiers.load(model_folder)
    tokenizer = classifier.tokenizer  # the numbers of its tokens are those that the network knows

# %% tags=["check"] question="3.3"
def check(first_run, reloaded, *, classifier, training_config, X_val):
    from pathlib import Path

    import mlflow
    import torch
    from torchTextClassifiers import torchTextClassifiers

    from funathon.course.checking import as_instance, equal

    assert hasattr(getattr(first_run, "info", None), "run_id"), "`first_run` should be what `mlflow.start_run` gives."
    run = mlflow.get_run(first_run.info.run_id)
    assert run.info.status == "FINISHED", f"`first_run` is {run.info.status.lower()}; it should have finished."
    assert "val_accuracy" in run.data.metrics, "`first_run` has no val_accuracy: call autolog before training, and train inside the run."
    for name, value in (("vocab_size", "5000"), ("output_dim", "10")):
        assert name in run.data.params, f"`first_run` lacks the parameter {name}: log it with `mlflow.log_params`."
        equal(f"the parameter {name} of first_run", run.data.params[name], value)
    assert run.data.params.get("training_set"), "`first_run` lacks the parameter training_set: log it with `mlflow.log_params`."
    client = mlflow.MlflowClient()
    assert client.list_artifacts(run.info.run_id, "model"), "`first_run` has no artifacts under 'model': use `mlflow.log_artifacts(…, artifact_path='model')`."
    assert not client.list_artifacts(run.info.run_id, "checkpoints"), "`first_run` holds checkpoints beside the model: pass `checkpoint=False` to autolog."
    as_instance("reloaded", reloaded, torchTextClassifiers, "`torchTextClassifiers.load(folder)` makes one.")
    assert reloaded is not classifier, "`reloaded` is `classifier` itself; load it from the run."
    source = Path(getattr(reloaded, "checkpoint_path", None) or ".").resolve()
    assert source.name == "model_checkpoint.ckpt", "`reloaded` was not loaded from a saved model: use `torchTextClassifiers.load(folder)`."
    own = Path(training_config.save_path).resolve()
    assert own not in source.parents, "`reloaded` was loaded from your own folder, `save_path`. Fetch it from the run: that is where a colleague would find it."
    with torch.no_grad():
        same = reloaded.predict(X_val[:50])["prediction"] == classifier.predict(X_val[:50])["prediction"]
    assert same.all(), "`reloaded` does not predict what `classifier` predicts; load it from `first_run`."
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
# - the **learning rate** of `5e-4`, with a single epoch: the numbers hardly had time to move;
# - the **length** of 10 tokens, which cuts most of the labels, as you saw in chapter 2.
#
# Which is it? Whoever changes both at once will not know. The cell below puts the code of questions 3.2 and 3.3 into a
# function, so that a trial takes two lines, and trains a tokenizer with 20,000 pieces and rows of 36 tokens, which cut hardly
# any label but the descriptions.

# %%
import mlflow
import pytorch_lightning
from torchTextClassifiers import TrainingConfig


def train_and_log(name, model, texts, codes, keep_model=False, batch_size=256, **settings):
    """Train `model` on texts and codes in an MLflow run of its own and return the run's id.

    `settings` are further arguments of TrainingConfig. The model is logged only if `keep_model`: it is what takes room.
    """
    config = TrainingConfig(
        batch_size=batch_size,
        num_workers=0,
        patience_early_stopping=3,
        save_path=folder / name,
        trainer_params=trainer_params | {"logger": CSVLogger(folder / "lightning", name=name)},
        **settings,
    )
    with mlflow.start_run(run_name=name) as run:
        mlflow.log_params({"vocab_size": len(model.tokenizer), "output_dim": model.tokenizer.output_dim, "training_set": training_set})
        model.train(texts, codes, config, X_val, y_val)
        if keep_model:
            mlflow.log_artifacts(config.save_path, artifact_path="model")
    Path(model.checkpoint_path).unlink()  # what Lightning needed to go back to the best epoch
    return run.info.run_id


large_tokenizer = WordPieceTokenizer(vocab_size=20_000, output_dim=36)
large_tokenizer.train(X_train.tolist())
pytorch_lightning.seed_everything(42, verbose=False)  # the same random numbers each time

# %% [markdown] tags=["question"] question="3.4"
# Question 3.4: one change at a time
#
# Train two more networks for one epoch each, with `embedding_dim=96` as the first, **each a new classifier** (an old one
# would train on):
#
# 1. `"larger learning rate"`: as the first, with a learning rate ten times as large. Keep the id of the run in `rate_id`.
# 2. `"longer rows"`: as the one before, with `large_tokenizer`. Keep the id of the run in `rows_id`.
#
# Put what each change has gained in validation accuracy, against the network before it, in `rate_gain` and `rows_gain` (0.05 for
# five points). The two take about half a minute.

# %% [markdown] tags=["hint"] question="3.4"
# A new classifier is made as in question 3.1, and
# `train_and_log("larger learning rate", model, X_train, y_train, lr=5e-3, num_epochs=1)` trains it.

# %% [markdown] tags=["hint"] question="3.4"
# `mlflow.get_run(rate_id).data.metrics["val_accuracy"]` is what the run recorded; the first run's id is `first_run.info.run_id`.

# %% tags=["solution"] question="3.4"
def new_classifier(run_tokenizer):
    """A classifier that has not learnt anything yet."""
    config = ModelConfig(embedding_dim=96, num_classes=value_encoder.num_classes)
    return torchTextClassifiers(tokenizer=run_tokenizer, model_config=config, value_encoder=value_encoder)


rate_id = train_and_log("larger learning rate", new_classifier(tokenizer), X_train, y_train, lr=5e-3, num_epochs=1)
rows_id = train_and_log("longer rows", new_classifier(large_tokenizer), X_train, y_train, lr=5e-3, num_epochs=1)

accuracies = [mlflow.get_run(run_id).data.metrics["val_accuracy"] for run_id in (first_run.info.run_id, rate_id, rows_id)]
rate_gain, rows_gain = np.diff(accuracies)
print(f"a larger learning rate: {rate_gain * 100:+.1f} points, longer rows: {rows_gain * 100:+.1f} points")

# %% tags=["shortcut"] question="3.4"
# what catch_up runs: earlier runs, if MLflow has them; else both networks learn from a fifth of the labels, as their runs say
from funathon.supervised.runs import newest_run

found = []
for name, run_tokenizer in [("larger learning rate", tokenizer), ("longer rows", large_tokenizer)]:
    wanted = {"output_dim": run_tokenizer.output_dim, "training_set": training_set, "lr": 0.005}
    run_id = newest_run("nace-training", name, least_accuracy=0, **wanted)
    if run_id is None:
        config = ModelConfig(embedding_dim=96, num_classes=value_encoder.num_classes)
        model = torchTextClassifiers(tokenizer=run_tokenizer, model_config=config, value_encoder=value_encoder)
        name = f"{name} (a fifth of the labels)"
        run_id = train_and_log(name, model, X_train[::5], y_train[::5], lr=5e-3, num_epochs=1)
    found.append(run_id)
rate_id, rows_id = found
accuracies = [mlflow.get_run(run_id).data.metrics["val_accuracy"] for run_id in (first_run.info.run_id, rate_id, rows_id)]
rate_gain, rows_gain = np.diff(accuracies)

# %% tags=["check"] question="3.4"
def check(rate_id, rows_id, rate_gain, rows_gain, *, first_run):
    import mlflow
    from mlflow.exceptions import MlflowException

    from funathon.course.checking import as_text, close

    runs = [mlflow.get_run(first_run.info.run_id)]
    for name, run_id in (("rate_id", rate_id), ("rows_id", rows_id)):
        try:
            runs.append(mlflow.get_run(as_text(name, run_id, "`train_and_log` returns it.")))
        except MlflowException:
            raise AssertionError(f"`{name}` should be the id of a run; MLflow knows none of that id.") from None
        assert runs[-1].info.status == "FINISHED" and "val_accuracy" in runs[-1].data.metrics, f"the run of `{name}` has recorded no val_accuracy."
        rate = float(runs[-1].data.params.get("lr", 0))
        assert abs(rate - 0.005) < 1e-9, f"the run of `{name}` has the learning rate {rate:g}; ten times that of the first is 0.005."
    lengths = [int(run.data.params.get("output_dim", 0)) for run in runs]
    assert lengths[1] == 10, f"the run of `rate_id` has rows of {lengths[1]} tokens; change the learning rate only."
    assert lengths[2] >= 36, f"the run of `rows_id` has rows of {lengths[2]} tokens; use `large_tokenizer`."
    first, second, third = (run.data.metrics["val_accuracy"] for run in runs)
    close("rate_gain", rate_gain, second - first, 0.0051, "the accuracy of the second run less that of the first", digits=3)
    close("rows_gain", rows_gain, third - second, 0.0051, "the accuracy of the third run less that of the second", digits=3)
    if any("a fifth of the labels" in run.info.run_name for run in runs):
        return "but catch_up trained on a fifth of the labels to be quick, so the gains say nothing"
    return f"the learning rate brings {100 * (second - first):+.1f} points, longer rows {100 * (third - second):+.1f} more"


# %% [markdown]
# Both changes help, and now you know how much each does. (How much is chance? An accuracy measured on 10,000 texts is
# uncertain by about a point, and another random start gives a slightly different network. Differences of several points mean
# something.)
#
# Still, after one epoch the network is far from useful.
#
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
from funathon.corpus.notes import note_rows
from funathon.minilm import token_vectors
from funathon.supervised.training import frequent_words, minilm_tokenizer

english_tokenizer = minilm_tokenizer(frequent_words(X_train, 2), row_length=40)
note_texts, note_codes = note_rows(set(y_train))
print(f"{len(english_tokenizer):,} tokens, {len(note_texts):,} rows from the notes")

# %% [markdown] tags=["question"] question="3.5"
# Question 3.5: vectors that know English
#
# 1. `english_vectors = token_vectors(english_tokenizer.tokenizer.get_vocab(), 128)` has MiniLM read each token and keeps, of
#    its 384 numbers, the 128 directions that matter most: with fewer numbers the training is faster. This takes half a minute
#    to a minute.
# 2. Make a classifier with `english_tokenizer` and `embedding_dim=128`, and copy the vectors into its embedding layer. Call it
#    `best_classifier`.
# 3. Train it as `"vectors that know English"`, with `keep_model=True`, and keep the id of the run in `best_id`. Add the rows
#    of the notes to the training set (never to the validation set). Three epochs in batches of 512; a learning rate of
#    `5e-3`, halved after each epoch: large steps first, small ones to settle. This takes about a minute.
#
# It should get more than 60 % of the validation set right.

# %% [markdown] tags=["hint"] question="3.5"
# `best_classifier.pytorch_model.token_embedder.embedding_layer.weight` is where the vectors stand; inside `with
# torch.no_grad():` its method `copy_` takes a tensor of the same shape. `np.concatenate([X_train, note_texts])` joins two
# arrays.

# %% [markdown] tags=["hint"] question="3.5"
# `train_and_log` hands its further arguments to `TrainingConfig`, which takes
# `scheduler=torch.optim.lr_scheduler.ExponentialLR` and `scheduler_params={"gamma": 0.5}`.

# %% tags=["solution"] question="3.5"
english_vectors = token_vectors(english_tokenizer.tokenizer.get_vocab(), 128)
best_classifier = torchTextClassifiers(
    tokenizer=english_tokenizer,
    model_config=ModelConfig(embedding_dim=128, num_classes=value_encoder.num_classes),
    value_encoder=value_encoder,
)
with torch.no_grad():
    best_classifier.pytorch_model.token_embedder.embedding_layer.weight.copy_(english_vectors)

best_id = train_and_log(
    "vectors that know English",
    best_classifier,
    np.concatenate([X_train, note_texts]),
    np.concatenate([y_train, note_codes]),
    keep_model=True,
    batch_size=512,
    num_epochs=3,
    lr=5e-3,
    scheduler=torch.optim.lr_scheduler.ExponentialLR,
    scheduler_params={"gamma": 0.5},
)
print(f"{(predict_codes(best_classifier, X_val) == y_val).mean():.1%} of the validation set coded correctly")

# %% tags=["shortcut"] question="3.5"
# what catch_up runs: your best network, if MLflow has it; else the pretrained model of the course stands in, and its run says so
from funathon.supervised.pretrained import load_model
from funathon.supervised.runs import newest_run

wanted = {"training_set": training_set}
best_id = newest_run("nace-training", "vectors that know English", with_model=True, least_accuracy=0.6, **wanted)
if best_id:
    best_folder = mlflow.artifacts.download_artifacts(run_id=best_id, artifact_path="model", dst_path=folder / "best")
    best_classifier = torchTextClassifiers.load(best_folder)
else:
    best_classifier = load_model(os.environ["PRETRAINED_URL"])
    with mlflow.start_run(run_name="stand-in: the pretrained model", tags={"stand_in": "yes"}) as run:
        settings = {"lr": 0.003, "vocab_size": len(best_classifier.tokenizer), "output_dim": best_classifier.tokenizer.output_dim}
        mlflow.log_params(settings | wanted)
        mlflow.log_metric("val_accuracy", (predict_codes(best_classifier, X_val) == y_val).mean())
    best_id = run.info.run_id

# %% tags=["check"] question="3.5"
def check(best_classifier, best_id, *, predict_codes, X_val, y_val):
    import mlflow
    from mlflow.exceptions import MlflowException
    from torchTextClassifiers import torchTextClassifiers

    from funathon.course.checking import as_instance, as_text

    as_instance("best_classifier", best_classifier, torchTextClassifiers)
    try:
        run = mlflow.get_run(as_text("best_id", best_id, "`train_and_log` returns it."))
    except MlflowException:
        raise AssertionError("`best_id` should be the id of a run; MLflow knows none of that id.") from None
    accuracy = (predict_codes(best_classifier, X_val) == y_val).mean()
    assert accuracy > 0.60, f"`best_classifier` gets {accuracy:.1%} of the validation set right; more than 60 % is possible."
    recorded = run.data.metrics.get("val_accuracy", 0)
    assert abs(recorded - accuracy) < 0.03, f"the run of `best_id` recorded an accuracy of {recorded:.1%}, and `best_classifier` has {accuracy:.1%}: this is another run."
    kept = "stand_in" in run.data.tags or mlflow.MlflowClient().list_artifacts(best_id, "model")
    assert kept, "the run of `best_id` does not hold the model: train with `keep_model=True`, so that you can fetch it tomorrow."
    return f"{accuracy:.1%} of the validation set right" + (", by the pretrained model of the course, which stands in for yours" if "stand_in" in run.data.tags else "")


# %% [markdown]
# This run changes several things at once: the vectors, the notes, the number of epochs, the steps. The table of runs cannot
# say which of them did it. The model card of chapter 4 changes one at a time: there, the same network started from random
# vectors loses four to five points.
#
# ### Tomorrow
#
# When the kernel restarts, your variables are gone; what MLflow keeps is not. You need not train again:
#
# ```python
# best_run = mlflow.search_runs(
#     experiment_names=["nace-training"], filter_string="attributes.run_name = 'vectors that know English'", output_format="list"
# )[0]
# best_folder = mlflow.artifacts.download_artifacts(run_id=best_run.info.run_id, artifact_path="model")
# best_classifier = torchTextClassifiers.load(best_folder)
# ```
#
# `catch_up("3.6")` and later ones do this for you. Where MLflow has no run of yours, `catch_up` trains small networks on a
# fifth of the labels and lets the pretrained model of chapter 4 stand in for the best one; the names of the runs say so.
#
# Without a server, MLflow keeps its notes in the file `mlflow.db` and the models in the folder `mlruns`, both at the root of
# the project. One pass through this chapter adds a little over 20 MB, nearly all of it the best model; each further training with
# `keep_model=True` adds as much again. To forget everything, shut the kernels down and delete both.

# %% [markdown] tags=["question"] question="3.6"
# Question 3.6: compare the runs
#
# Fetch the runs of the experiment from MLflow into a table `runs` (of pandas, with all columns that MLflow returns), keep the
# four runs of this chapter in it (runs from other days are in it too), and draw their validation accuracy. Keep the figure in
# `runs_figure`.

# %% [markdown] tags=["hint"] question="3.6"
# `mlflow.search_runs(experiment_names=["nace-training"])` returns a pandas table with columns such as `run_id`,
# `tags.mlflow.runName`, `params.lr` and `metrics.val_accuracy`. `table[table["run_id"].isin([…])]` keeps some of the rows.

# %% [markdown] tags=["hint"] question="3.6"
# The ids are `first_run.info.run_id`, `rate_id`, `rows_id` and `best_id`. `runs_figure = plt.figure()` starts a figure, and
# `plt.barh(names, values)` draws bars.

# %% tags=["solution"] question="3.6"
#| fig-alt: Bar chart of the validation accuracy of the four runs.
import matplotlib.pyplot as plt

all_runs = mlflow.search_runs(experiment_names=["nace-training"])
runs = all_runs[all_runs["run_id"].isin([first_run.info.run_id, rate_id, rows_id, best_id])].sort_values("metrics.val_accuracy")
runs_figure = plt.figure(figsize=(8, 2.4), layout="constrained")
bars = plt.barh(runs["tags.mlflow.runName"], runs["metrics.val_accuracy"])
plt.bar_label(bars, fmt="{:.1%}", padding=3)
plt.xlim(0, 1)
plt.xlabel("validation accuracy")
plt.show()
runs[["tags.mlflow.runName", "params.lr", "params.vocab_size", "params.output_dim", "metrics.val_accuracy", "metrics.val_loss"]]

# %% tags=["check"] question="3.6"
def check(runs, runs_figure, *, first_run, rate_id, rows_id, best_id):
    from funathon.course.checking import drawn

    columns = {"run_id", "tags.mlflow.runName", "metrics.val_accuracy", "params.lr", "params.vocab_size", "params.output_dim"}
    assert hasattr(runs, "iloc") and columns <= set(getattr(runs, "columns", ())), "`runs` should be the table that `mlflow.search_runs` returns, with all its columns."
    known = list(runs["run_id"])
    for name, run_id in (("first_run", first_run.info.run_id), ("rate_id", rate_id), ("rows_id", rows_id), ("best_id", best_id)):
        assert run_id in known, f"`runs` lacks the run of `{name}`."
    assert len(known) == len(set(known)) == 4, f"`runs` has {len(known)} rows; keep the four runs of this chapter, each once."
    drawn("runs_figure", runs_figure)
    accuracies = dict(zip(known, runs["metrics.val_accuracy"]))
    return f"{', '.join(f'{accuracies[run_id]:.1%}' for run_id in (first_run.info.run_id, rate_id, rows_id, best_id))} of the validation set right"


# %% [markdown]
# MLflow's own pages show the runs and more, epoch by epoch: run `uv run mlflow ui --backend-store-uri sqlite:///mlflow.db` in
# a terminal at the root of the project, or open your server if you have one. The cell below fetches the same from MLflow for
# the best run.

# %%
#| fig-alt: Line chart of training and validation accuracy, epoch by epoch, for the best run.
import matplotlib.pyplot as plt
import mlflow

client = mlflow.MlflowClient()
plt.figure(figsize=(7, 3), layout="constrained")
for metric, label in [("train_accuracy", "training"), ("val_accuracy", "validation")]:
    history = client.get_metric_history(best_id, metric)
    plt.plot(range(1, len(history) + 1), [point.value for point in history], marker="o", label=label)
plt.xticks(range(1, len(history) + 1))
plt.xlabel("epoch")
plt.ylabel("accuracy")
plt.legend()
plt.show()

# %% [markdown]
# The two lines cross and part. (Training accuracy is an average taken while the network was still learning, so it starts
# low.) In the end the network is right far more often on the texts it has learnt from than on those it has not: it has begun
# to learn them by heart, and this gap is what overfitting leads to. In a longer training, early stopping would end it when
# the validation loss stops falling.

# %% [markdown] tags=["question"] question="3.7"
# Question 3.7: is the network worth it?
#
# A method from before neural networks: **TF-IDF** counts the words of a text, weighing rare words more than frequent ones,
# and a **logistic regression** learns one weight for each word and class. Train it on the same split, with scikit-learn's
# `TfidfVectorizer` and `SGDClassifier(loss="log_loss", alpha=1e-6)`, a logistic regression trained in small steps, fast
# enough for 651 classes. Call the two, as one pipeline, `baseline`. Put its accuracy on the validation set in `baseline_accuracy`
# and that of your best classifier in `network_accuracy`. The training takes about half a minute.
#
# `alpha` is how strongly the regression is kept from overfitting. Its default is a hundred times as large, and with so many
# classes keeps it from learning: try it, if you like. Whoever compares a network with a baseline that nobody has tuned finds
# what they wish to find.

# %% [markdown] tags=["hint"] question="3.7"
# `make_pipeline(TfidfVectorizer(), SGDClassifier(loss="log_loss", alpha=1e-6, n_jobs=-1))` has `fit(X, y)` and
# `predict(X)`; `from sklearn.pipeline import make_pipeline`.

# %% tags=["solution"] question="3.7"
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

# %% tags=["check"] question="3.7"
def check(baseline, baseline_accuracy, network_accuracy, *, best_classifier, predict_codes, X_val, y_val):
    from funathon.course.checking import as_share, close

    assert hasattr(baseline, "predict"), "`baseline` should be the fitted pipeline."
    found = as_share("baseline_accuracy", baseline_accuracy)
    measured = (baseline.predict(X_val) == y_val).mean()
    assert measured > 0.2, f"a baseline of {measured:.1%} has not learnt; let `fit` run on the training set."
    assert measured > 0.45, f"a baseline of {measured:.1%} is weaker than it need be, and the network would look better than it is: give `SGDClassifier` `alpha=1e-6`."
    assert found < 0.9 or measured > 0.9, "a baseline that good was measured on the training set; use the validation set."
    close("baseline_accuracy", found, measured, 0.002, "the accuracy of `baseline` on the validation set", digits=3)
    expected = (predict_codes(best_classifier, X_val) == y_val).mean()
    close("network_accuracy", as_share("network_accuracy", network_accuracy), expected, 0.002, "the accuracy of `best_classifier` on the validation set", digits=3)
    ahead = expected - measured
    return f"the network is {abs(ahead) * 100:.1f} points {'ahead of' if ahead > 0 else 'behind'} the baseline"


# %% [markdown]
# Always do this comparison. Your first three networks are far behind a method that counts words: had you stopped there, the
# honest choice would have been the baseline. (They have had one epoch each. Given six, the notes and better settings, a
# network passes the baseline from random vectors too, as the model card of chapter 4 shows.) The best network is ahead. Is
# the comparison fair? The network has also read the notes, and the baseline has not. The model card of chapter 4 compares
# such methods trained on the same rows, notes included, and the network stays ahead. A network has other strengths too: it
# can take other columns beside the text, and its parts can be exchanged.
#
# Both figures flatter a little. They are of the validation set, and on it the settings of both were chosen, the `alpha` of the
# baseline and the epochs of the network among them. The model card has the same methods on the test set, which chose nothing.

# %% [markdown]
# ## What the vectors have become
#
# Here are the embeddings of some words, as your network has learnt them, drawn in two dimensions (by *principal component
# analysis*, which keeps the two directions in which they differ most). They started from what a language model knows of
# English, and the codes have moved them. Where two groups overlap, remember that the picture shows two directions out of 128.

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
# ## On a real register
#
# Our labels are even: each class has about as many as any other. No register is so. A few classes hold most of its businesses, hundreds of
# classes share the rest, and some have two or three. The cells below train your kind of network on a register, if there is one:
# name it by `REGISTER_URL` in `.env`, as [the page about it](../site/register.qmd) tells, with Norway's for an example. It is public, and in
# Norwegian. Without a register, or where it cannot be reached, the first cell says so in one sentence and the others do nothing.

# %%
from funathon.corpus.register import read_register, split_register
from funathon.storage import Unreachable

try:
    register = read_register(rows=60_000)  # of each file, drawn at random; without a number all of them
    print(register.train, register.test or "no other file to measure on: a part of this one is", sep="\n")
    register_split = split_register(register)
except Unreachable as reason:
    register = None
    print(f"There is no register here, so this section is skipped: {reason}")

# %% [markdown]
# How uneven is it?

# %%
if register:
    sizes = pl.Series("code", register_split.y_train).value_counts(sort=True)
    display(sizes.head(5))
    print(f"The 20 commonest of {len(sizes)} classes hold {sizes['count'].head(20).sum() / sizes['count'].sum():.0%} of the texts.")
    print(f"{(sizes['count'] < 20).sum()} classes have fewer than 20 texts, too few to learn much from.")

# %% [markdown]
# Whoever always names the commonest class is right surprisingly often here, and of no use. So two averages are told side by side.
# *Micro* takes all texts together, so that a class counts by its texts: this is the accuracy that you know. *Macro* takes the mean over
# the classes, so that the rarest counts as much as the commonest. The **F1 score** of a class is high if most of its texts get its code
# and most texts that get its code are its own; **macro-F1** is the mean of these.
#
# What can be done for rare classes? Let their texts count for more in the loss, by a **sample weight**. With one over the number
# of texts of its class, each class would count the same, and the network would learn the three texts of the rarest by heart. One over
# the *root* of that number goes half of the way.
#
# There is little else to change. The tokenizer is trained on the register's own texts, so it does not mind their language; its rows
# are as long as 98 % of the texts need.

# %%
if register:
    from torchTextClassifiers import ModelConfig, torchTextClassifiers

    from funathon.supervised.register_figures import judge
    from funathon.supervised.register_training import fit_tokenizer

    mlflow.pytorch.autolog(disable=True)  # a register's runs are not to stand among those of this chapter
    register_tokenizer = fit_tokenizer(register_split.X_train)
    register_encoder = ValueEncoder(label_encoder=LabelEncoder().fit(register_split.y_train))
    root = {code: count**-0.5 for code, count in sizes.iter_rows()}
    mean_root = np.mean([root[code] for code in register_split.y_train])  # with it, weights are 1 on average

    figures = {}
    for name, weigh in [("all texts count the same", lambda code: 1.0), ("rare classes lifted", lambda code: root[code] / mean_root)]:
        torch.manual_seed(42)
        network = torchTextClassifiers(
            tokenizer=register_tokenizer,
            model_config=ModelConfig(embedding_dim=96, num_classes=register_encoder.num_classes),
            value_encoder=register_encoder,
        )
        config = TrainingConfig(
            num_epochs=5,
            batch_size=256,
            lr=5e-3,
            num_workers=0,
            scheduler=torch.optim.lr_scheduler.ExponentialLR,
            scheduler_params={"gamma": 0.6},
            save_path=folder / name,
            trainer_params=trainer_params,
        )
        network.train(
            register_split.X_train,
            register_split.y_train,
            config,
            register_split.X_val,
            register_split.y_val,
            sample_weights=np.array([weigh(code) for code in register_split.y_train]),
            val_sample_weights=np.array([weigh(code) for code in register_split.y_val]),
        )
        figures[name] = judge(predict_codes(network, register_split.X_test), register_split)
    told = pl.DataFrame([{"network": name, **dict(found.rows())} for name, found in figures.items()])
    display(told.transpose(include_header=True, header_name="measure", column_names="network"))

# %% [markdown]
# If you have run it: which of the two would you take? It depends on what is published. Micro is right for a total, macro for a table in
# which every class has a row. What the weights give to rare classes they take from common ones, and a class with few texts to measure
# on has a wide interval. `uv run funathon register` does the same in one command, with all rows.

# %% [markdown]
# ## What you have learnt
#
# - A text classifier looks up a vector for each token, takes their mean, and scores each class from it.
# - Loss, batch, learning rate, epoch and early stopping describe every training. To know what helped, change one thing at a time.
# - MLflow keeps what you did, so that runs can be compared and a model can be fetched back from its run instead of trained again.
# - A simple baseline tells you what a network is worth, provided that it is given its chance too.
# - Registers are uneven. Tell micro and macro averages side by side, and give rare classes a weight if they matter.
#
# Next, in [chapter 4](4-prediction.ipynb), a model explains itself, says how sure it is, and meets texts from outside.
