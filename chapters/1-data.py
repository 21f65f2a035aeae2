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
# # 1. Meet the data
#
# *Part 1, supervised learning · chapter 1 of 10 · about 60 minutes · nothing needed before*
#
# In this chapter you will
#
# - see what automatic coding is, and why it is hard;
# - load tens of thousands of labelled activities and look at them closely;
# - split them so that what you measure later can be trusted;
# - turn codes into the integers that a neural network needs.

# %% [markdown]
# ## The problem
#
# Whoever opens a business describes it in a few words: *"bakery with a small tea room"*, *"we fix bikes, mostly
# electric"*. A statistical office turns each of these texts into one code of a **nomenclature**, or statistical
# classification. That is no list of activities, which would never end: it divides all of them into **classes**, so that each
# activity belongs to exactly one. Ours is **NACE Rev. 2.1**, the classification of the European Union. It has four levels: 22
# sections (a letter), 87 divisions (`10`), 287 groups (`10.7`) and 651 classes (`10.71`). A business gets the code of a class.
# (Many countries divide the classes once more, by a fifth digit or a letter of their own. The course stops at the class, which
# all countries share.)
#
# For a long time people did this by reading. It takes long to learn, and a large register receives more texts than its coders
# can read. So we want a program that reads the text and proposes a class, and that knows when to ask a person.
#
# What makes it hard is not one thing but several at once:
#
# - there are 651 answers to choose from, and neighbours differ by a detail: *making* bread is `10.71`, *selling* it in a
#   shop is `47.24`, serving it at a table is `56.11`;
# - the texts are free: short, long, misspelt, abbreviated, with two activities in one line;
# - some classes are everywhere and others so rare that a model hardly ever sees them.
#
# ## What gets the code
#
# Not the text, but the **statistical unit** behind it: an enterprise, or a part of one, such as each of its places of work. A unit may
# do many things, and still it gets one code, that of its **principal activity**: the one that adds most value. The **value added** of
# an activity is what the unit makes by it, less what it has bought in for it. Where an office does not know it, turnover, wages or
# people employed take its place.
#
# The principal activity is found by the **top-down method**: first the section that adds most, then the division that adds most within
# this section, then the group, then the class. Say that a village business adds 40 % of its value by baking bread (`10.71`), 35 % by its
# restaurant (`56.11`) and 25 % by letting holiday rooms (`55.20`). Baking is the largest of the three. But restaurant and rooms stand in
# one section, I, and together add 60 %. So section I comes first, within it division 56, and the code is `56.11`.
#
# Now read *"bakery with restaurant and holiday rooms"*. **No coder and no program can code it from its words alone:** they do not say
# what adds most. It takes figures, or a question to the business. What a program proposes for such a text is a guess. (The course has
# a rule for it, and it is no more than a convention: the activity that is named first counts, unless the text says otherwise.) In
# a register, code what a text can tell and let other columns decide what it cannot.
#
# ## Two ways to do it
#
# This course builds two systems for the same task. In the table, as everywhere in this course, a **label** is the free text with
# which somebody describes an activity. That is a habit, taken over from the course that this one continues. Offices say *description of
# the activity*, and in machine learning a label is mostly the answer, here the code. (The libraries follow that use: their
# `LabelEncoder` and `transform_labels` deal with codes.)
#
# | | Supervised learning (part 1) | Retrieval-augmented generation, RAG (part 2) |
# |---|---|---|
# | Learns from | texts that people have coded already | the explanatory notes of the nomenclature |
# | Needs | many labels for every class | no labels, but a model of language |
# | A new nomenclature | convert or recode the labels, train again | load the new notes |
# | Speed | thousands of texts a second on a laptop | a search and a call to a language model for each text |
# | You can look at | the words that weighed most | the notes that stood in its prompt |
# | Best when | a register has years of coded texts | a classification is new or labels are few |
#
# Chapter 9 puts both to the test on the same texts.

# %% [markdown]
# ## The pipeline of part 1
#
# ![Five steps in a row: labels and codes, split, tokenizer, network, prediction with confidence; MLflow records the
# training below them.](../site/images/pipeline.svg)
#
# This chapter takes care of the first two boxes: data in, split and encoded. Chapter 2 cuts texts into tokens, chapter 3
# trains a network, chapter 4 uses it and asks it why.
#
# Two tools accompany us.
#
# **MLflow** is a logbook for training. Each time you train, it writes down the settings, the accuracy at each epoch and
# the model itself. When you have trained ten models, it tells you which one was good and how you made it. Without a
# server it writes into the folder of this project, and that is all you need.
#
# **`.env`** is a small text file that holds what must not stand in a notebook: addresses of services, user names,
# passwords. Notebooks get shared, copied and published with all that is in them; `.env` is never committed. This course
# runs without any `.env`, because everything has a local stand-in. If you have services of your own (on SSP Cloud, say),
# copy `.env.example` to `.env` and fill in what you have.

# %% [markdown]
# ## How the notebooks work
#
# Each question has hints and a solution that you can unfold, and a cell to work in. After you have run your cell, run
# the `check` below it. It says whether the answer is right and, if not, what it expected.
#
# You can also call `hint("1.2")` and `solution("1.2")` in a cell. And if you arrive late or are stuck,
# `catch_up("1.5")` runs the official answers of everything before question 1.5, so that you can start there.
#
# Where an answer is to be drawn, the question says in which variable to keep the figure: that is how `check` sees it.

# %%
from funathon.course.exercise import start

check, hint, solution, catch_up = start("1-data")

# %% [markdown]
# ## Exercise 1: load and look

# %% [markdown] tags=["question"] question="1.1"
# Question 1.1: the tools
#
# Import `os`, `polars` under its usual name `pl`, and `load_dotenv` from `dotenv`. Then read `.env` with `load_dotenv()` and keep
# what it returns in `env_found`.
#
# In this course `start`, in the cell above, has read `.env` already; in a program of your own this is the line that does it. It
# leaves variables alone that are set. So after a change of `.env`, run the cell with `start` again.

# %% [markdown] tags=["hint"] question="1.1"
# `import … as …` gives a module a shorter name. `load_dotenv` returns `True` when it has found a `.env` with something
# in it and `False` otherwise; both are fine here.

# %% tags=["solution"] question="1.1"
import os

import polars as pl
from dotenv import load_dotenv

env_found = load_dotenv()

# %% tags=["check"] question="1.1"
def check(pl, os, env_found):
    from dotenv import dotenv_values, find_dotenv

    from funathon.course.checking import as_bool, equal

    for name, module, expected in (("pl", pl, "polars"), ("os", os, "os")):
        assert getattr(module, "__name__", "") == expected, f"`{name}` should be the module {expected}: `import {expected}{' as pl' if name == 'pl' else ''}`."
    found = bool(dotenv_values(find_dotenv(usecwd=True)))
    equal("env_found", as_bool("env_found", env_found, "Keep what `load_dotenv()` returns."), found, "what `load_dotenv()` returns here")
    return "your .env was read" if found else "there is no .env, so the course uses its own stand-ins"


# %% [markdown]
# **polars** handles tables, much as pandas or R's data frames do. It is fast, and it reads parquet files, which store the
# type of each column: a code that was saved as text, such as `06.10`, comes back as text. A csv file has no types, and
# `pl.read_csv` would guess the number 6.1; `infer_schema=False` keeps everything text. Zeros lost in this way are so common
# an accident that the commands of this course refuse codes that were read as numbers.

# %% [markdown] tags=["question"] question="1.2"
# Question 1.2: the labels
#
# The environment variable `LABELS_URL` says where the labels are: a file of this project, or what your `.env` names.
# Import `fsspec` and open it with `fsspec.open(…, "rb")`, which reads local files, https and S3 alike, and give the open file to
# `pl.read_parquet`. Call the table `labels`. Show its first rows, and put the number of its rows in `n_labels`.

# %% [markdown] tags=["hint"] question="1.2"
# `os.environ["LABELS_URL"]` holds the place. `fsspec.open` is used in a `with` block:
# `with fsspec.open(place, "rb") as file:`.

# %% [markdown] tags=["hint"] question="1.2"
# The number of rows of a table is `len(table)`; `table.head()` shows the first ones.

# %% tags=["solution"] question="1.2"
import fsspec

with fsspec.open(os.environ["LABELS_URL"], "rb") as file:
    labels = pl.read_parquet(file)
n_labels = len(labels)
print(f"{n_labels:,} labels")
labels.head()

# %% tags=["check"] question="1.2"
def check(labels, n_labels):
    import polars

    from funathon.course.checking import as_instance, as_int, equal

    as_instance("labels", labels, polars.DataFrame, "Read it with `pl.read_parquet`.")
    for column in ("code", "name", "label"):
        assert column in labels.columns, f"`labels` should have a column `{column}`; it has {', '.join(labels.columns)}."
    assert labels.schema["code"] == polars.String, "the column `code` of `labels` should be text, not numbers: 06.10 is no number."
    assert labels["code"].n_unique() > 1, "`labels` should hold the whole file, all classes of it."
    n = as_int("n_labels", n_labels, "`len(labels)` gives it, `.item()` takes it out of a table.")
    equal("n_labels", n, len(labels), "the number of rows of `labels`")
    return f"{n:,} rows with the columns {', '.join(labels.columns)}"


# %% [markdown]
# Each row is one activity. `code` is the class, as text; `name` is the official title of that class; `label` is what
# somebody might write. The model will learn to go from `label` to `code`, and never sees `name`. `kind` says where one would meet
# such a text: most are as people fill in a form (`label`), others as an alphabetical index has them (`entry`), or as an organisation
# describes itself to others (`description`), where one sentence of five may be about the activity.
#
# One thing must be said at once: **these labels are synthetic.** What businesses tell a statistical office can be confidential: in
# the EU by Regulation (EC) No 223/2009 on European statistics, chapter V, and by national law. (What lies in a register that is public
# by law, as Norway's is, is no secret.) This course needs English texts for every class, and none to download. So these were
# written for it by language models, working class by class from the rules of the nomenclature. They are varied, but they are
# cleaner and more evenly spread than life. The data sheet (`data/README.md`) says how they were made, and chapter 4 shows how much
# a figure depends on who wrote the texts.

# %% [markdown] tags=["question"] question="1.3"
# Question 1.3: how many classes?
#
# Put the number of different codes in `n_classes`.

# %% [markdown] tags=["hint"] question="1.3"
# A column of a polars table, `labels["code"]`, has a method `n_unique`.

# %% tags=["solution"] question="1.3"
n_classes = labels["code"].n_unique()
n_classes

# %% tags=["check"] question="1.3"
def check(n_classes, *, labels):
    from funathon.course.checking import as_int, equal

    n = as_int("n_classes", n_classes, "Add `()` to call a method; `.item()` takes a number out of a table.")
    assert n != len(labels), f"`n_classes` is the number of rows, {n:,}; the question asks for different codes."
    equal("n_classes", n, labels["code"].n_unique(), "the number of different values of `labels['code']`")
    return f"{n} classes to choose from"


# %% [markdown] tags=["question"] question="1.4"
# Question 1.4: look at the data
#
# Nobody should train on data they have not looked at. Make
#
# - `labels_per_class`: a polars table with the columns `code` and `len`, one row a class, that counts its labels;
# - `words_per_label`: a series with the number of words of each label, words being separated by spaces;
# - `examples`: a list of five different labels of one class of your choice;
#
# and draw a histogram of each of the first two, side by side in one figure. Keep the figure in `histograms`.

# %% [markdown] tags=["hint"] question="1.4"
# `table.group_by("code").len()` counts rows by code. For texts, polars has a namespace `str`:
# `labels["label"].str.split(" ")` gives lists, and lists have a namespace too: `.list.len()`.

# %% [markdown] tags=["hint"] question="1.4"
# `labels.filter(code="10.71")` keeps one class, `.sample(5, seed=1)` draws five rows of it, and `["label"].to_list()`
# makes a list. For the plots: `import matplotlib.pyplot as plt`, then `histograms, (left, right) = plt.subplots(1, 2)` makes a
# figure with two places to draw in, each of which has a method `hist`.

# %% tags=["solution"] question="1.4"
#| fig-alt: Two histograms. Left, the number of labels per class; right, the number of words per label.
import matplotlib.pyplot as plt

labels_per_class = labels.group_by("code").len()
words_per_label = labels["label"].str.split(" ").list.len()
examples = labels.filter(code="10.71").sample(5, seed=1)["label"].to_list()

histograms, (left, right) = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
left.hist(labels_per_class["len"], bins=20)
left.set(xlabel="labels of a class", ylabel="classes")
right.hist(words_per_label, bins=range(1, 101))
right.set(xlabel="words of a label", ylabel="labels")
plt.show()
print(*examples, sep="\n")

# %% tags=["check"] question="1.4"
def check(labels_per_class, words_per_label, examples, histograms, *, labels):
    from funathon.course.checking import as_list, as_table, drawn, equal

    table = as_table("labels_per_class", labels_per_class, ["code", "len"], labels["code"].n_unique(), "One row a class: group by code.")
    counts = dict(labels.group_by("code").len().iter_rows())
    equal("labels_per_class", dict(table.select("code", "len").iter_rows()), counts, "the number of labels of each code")
    words = as_list("words_per_label", words_per_label, "whole number", len(labels), "Count the words that `str.split` gives.")
    assert max(words) < 300, "`words_per_label` counts characters; it should count words."
    equal("words_per_label", words, labels["label"].str.split(" ").list.len(), "the number of parts between spaces")
    texts = as_list("examples", examples, "text", 5)
    assert len(set(texts)) == 5, "`examples` should hold five different labels."
    codes = [set(labels.filter(label=text)["code"]) for text in texts]
    assert all(codes), f"{texts[[bool(c) for c in codes].index(False)]!r} is not one of the labels."
    assert set.intersection(*codes), "the five labels of `examples` should be of one class."
    axes = drawn("histograms", histograms, "Draw before you show it.")
    assert len(axes) >= 2, "`histograms` should hold two drawings: one of the labels of a class, one of the words of a label."
    return f"labels have {sum(words) / len(words):.1f} words on average, the longest {max(words)}"


# %% [markdown]
# Look at what the plots say, and at what they leave out. Every class has about the same number of labels. In a real
# register a handful of classes (restaurants, hairdressers, consultants) hold a large share of all businesses, and some
# classes have one or two. A model trained on even data does not know that hairdressers are common.
#
# The lengths have humps, because the writers of the form's labels were asked for three kinds of text: a few words, a phrase, a
# sentence. The long tail on the right is the descriptions. That is the brief of our writers, not a law of business activities. A plot
# often shows how the data were made before it shows anything else.
#
# The lengths also matter for the next chapter: a network wants all texts to have the same number of tokens, and we shall have
# to choose where to cut.

# %% [markdown]
# ## Exercise 2: split and encode
#
# A model that is tested on the texts it learnt from looks brilliant and is useless. So we put part of the data aside.
#
# - **Training set** (70 %): what the model learns from.
# - **Validation set** (15 %): what we look at while choosing settings. As we choose what works on it, it flatters us a
#   little.
# - **Test set** (15 %): what the chosen model is judged by, at the end. It tells the truth as long as nothing is chosen by
#   it, not even which of two models to keep: whoever looks at it, changes something and looks again has made it a second
#   validation set.
#
# A split at random answers one question only: how would the model do on more texts *from the same source*? Other writers or
# another year are other questions. Chapter 4 asks one of them.
#
# Our source is a heap of synthetic labels, so the test set stands for that heap and for no population. **An office needs another one**:
# a *probability sample* of the units that it will code, in which each has a known chance to be, coded by two people who do not see
# each other's codes. Chapter 4 comes back to it.

# %% [markdown] tags=["question"] question="1.5"
# Question 1.5: split
#
# Split the labels 70/15/15 into `X_train, X_val, X_test` (the texts) and `y_train, y_val, y_test` (the codes), all of them
# numpy arrays, with scikit-learn's `train_test_split`. It splits in two, so use it twice: take 30 % away, then halve them.
# **Stratify** both splits by code: as in a stratified sample, where one draws from each part of a population by itself, each class is
# split by itself, 70/15/15. Give both `random_state=42`, so that you get the
# same split tomorrow, and the one of the chapters to come.

# %% [markdown] tags=["hint"] question="1.5"
# The first split takes 30 % away (`test_size=0.3`), the second halves them (`test_size=0.5`). `to_numpy()` makes an array
# of a polars column.

# %% [markdown] tags=["hint"] question="1.5"
# `stratify=` takes the codes of what is being split: the column `code` the first time, the codes of the 30 % the second time.

# %% tags=["solution"] question="1.5"
from sklearn.model_selection import train_test_split

X = labels["label"].to_numpy()
y = labels["code"].to_numpy()
X_train, X_rest, y_train, y_rest = train_test_split(X, y, test_size=0.3, random_state=42, stratify=y)
X_val, X_test, y_val, y_test = train_test_split(X_rest, y_rest, test_size=0.5, random_state=42, stratify=y_rest)
print(len(X_train), len(X_val), len(X_test))

# %% tags=["check"] question="1.5"
def check(X_train, y_train, X_val, y_val, X_test, y_test, *, labels):
    import collections

    import numpy
    from sklearn.model_selection import train_test_split

    from funathon.course.checking import as_instance

    parts = {"train": (X_train, y_train), "val": (X_val, y_val), "test": (X_test, y_test)}
    shares = {"train": 0.70, "val": 0.15, "test": 0.15}
    code_of = dict(labels.select("label", "code").iter_rows())
    for name, (texts, codes) in parts.items():
        as_instance(f"X_{name}", texts, numpy.ndarray, "`to_numpy()` makes one of a column.")
        as_instance(f"y_{name}", codes, numpy.ndarray, "`to_numpy()` makes one of a column.")
        assert len(texts) == len(codes), f"`X_{name}` and `y_{name}` should have the same length."
        share = len(texts) / len(labels)
        assert abs(share - shares[name]) < 0.01, f"`X_{name}` holds {share:.0%} of the labels, it should hold {shares[name]:.0%}."
        assert all(code_of.get(text) == code for text, code in zip(texts[:200], codes[:200])), f"`X_{name}` and `y_{name}` do not belong together."
    rows = [set(zip(texts, codes)) for texts, codes in parts.values()]
    assert len(set.union(*rows)) == len(labels), "some labels stand in two of the sets: split the rest, not the whole, the second time."
    whole = collections.Counter(labels["code"])
    for name, (_, codes) in parts.items():
        counts = collections.Counter(codes.tolist())
        uneven = [code for code, n in whole.items() if abs(counts[code] - shares[name] * n) > 2]
        assert not uneven, f"{len(uneven)} classes are not split 70/15/15 in `y_{name}`: stratify both splits by code."
    X, y = labels["label"].to_numpy(), labels["code"].to_numpy()
    wanted = []
    for first, second in (({"test_size": 0.3}, {"test_size": 0.5}), ({"train_size": 0.7}, {"train_size": 0.5})):
        kept, rest, _, codes = train_test_split(X, y, **first, random_state=42, stratify=y)
        wanted.append([set(part) for part in (kept, *train_test_split(rest, **second, random_state=42, stratify=codes))])
    found = [set(texts) for texts, _ in parts.values()]
    assert any(found[0] == split[0] and found[1] in split[1:] for split in wanted), (
        "sizes and classes are right, but this is not the split of `random_state=42` (30 % away, then halved): "
        "without it, every run splits anew, and tomorrow's model is tested on texts that today's has learnt from."
    )
    return f"{len(X_train):,} to learn from, {len(X_val):,} to choose with, {len(X_test):,} to be judged by"


# %% [markdown]
# ### Codes as integers
#
# The last layer of a network has one output a class, numbered from 0. **Encoding** gives each code its number, and
# decoding turns a number back into a code.
#
# The rule is: fit the encoder **on the training set only**. It may seem harmless to fit it on everything, since codes
# are no secret. But whatever is fitted on the test set has seen the test set. That is a **leak**: here the network would
# have outputs for classes it can never learn, and the table of results would count classes that training knew nothing
# about. In other steps (a vocabulary, a mean, a choice of words) the same slip makes results better than they are, and
# nobody notices. (The nomenclature's list of codes is no secret and no leak; which of them occur in the test set is one.)
#
# Fitting on the training set has a price. A code that occurs only in the test set has no number, and encoding it fails. Our
# classes have over a hundred labels each, so this does not happen here; in a register some have two or three, and a random split
# can leave all of them out of the training set. Stratification prevents that as long as a class has enough labels to share
# out (with a single one, `train_test_split` refuses to stratify).

# %% [markdown] tags=["question"] question="1.6"
# Question 1.6: encode
#
# Fit scikit-learn's `LabelEncoder` on `y_train` and call it `encoder`. Then verify that every code of the other two sets
# is known: put the set of codes that occur in `y_val` or `y_test` but not in `y_train` in `unseen_codes`. It should be
# empty.

# %% [markdown] tags=["hint"] question="1.6"
# `LabelEncoder().fit(…)` returns the encoder. Python's sets can be united with `|` and subtracted with `-`.

# %% tags=["solution"] question="1.6"
from sklearn.preprocessing import LabelEncoder

encoder = LabelEncoder().fit(y_train)
unseen_codes = (set(y_val) | set(y_test)) - set(y_train)
print(f"{len(encoder.classes_)} codes encoded, {len(unseen_codes)} codes unseen in training")

# %% tags=["check"] question="1.6"
def check(encoder, unseen_codes, *, y_train, y_val, y_test):
    from sklearn.preprocessing import LabelEncoder

    from funathon.course.checking import as_instance, as_set, same_set

    as_instance("encoder", encoder, LabelEncoder)
    assert hasattr(encoder, "classes_"), "`encoder` is not fitted yet: call its method `fit` on `y_train`."
    assert set(encoder.classes_) == set(y_train), "`encoder` should know exactly the codes of `y_train`: fit it on `y_train`."
    train, val, test = set(y_train), set(y_val), set(y_test)
    given, expected = as_set("unseen_codes", unseen_codes, "text", "The empty set is `set()`; `{}` is an empty dictionary."), (val | test) - train
    for one, other in ((val, test), (test, val)):
        assert given == expected or given != one | (other - train), "`unseen_codes` still holds codes of `y_train`: Python reckons `-` before `|`. Put the union in brackets."
    same_set("unseen_codes", given, expected, "the codes of `y_val` and `y_test` that `y_train` lacks")
    if expected:
        return f"{len(expected)} codes are unseen: stratify the split"
    return (
        f"{len(encoder.classes_)} codes, none unseen. As the training set has every code, an encoder fitted on all labels would be "
        "the same one here; it would leak as soon as a code stood only in the other sets"
    )


# %% [markdown] tags=["question"] question="1.7"
# Question 1.7: hand it to the library
#
# **torchTextClassifiers** is the library that trains the network. It wants the encoder wrapped in its own `ValueEncoder`
# (from `torchTextClassifiers.value_encoder`), which can also hold encoders for other columns, such as the legal form of
# the business. We have only the label: pass `encoder` as `label_encoder` and call the result `value_encoder`.

# %% [markdown] tags=["hint"] question="1.7"
# `ValueEncoder(label_encoder=…)`. Its `num_classes` should be the number of codes.

# %% tags=["solution"] question="1.7"
from torchTextClassifiers.value_encoder import ValueEncoder

value_encoder = ValueEncoder(label_encoder=encoder)
value_encoder.num_classes

# %% tags=["check"] question="1.7"
def check(value_encoder, *, encoder):
    from torchTextClassifiers.value_encoder import ValueEncoder

    from funathon.course.checking import as_instance, equal

    as_instance("value_encoder", value_encoder, ValueEncoder, "Wrap `encoder` in one.")
    assert hasattr(value_encoder.label_encoder, "classes_"), "`value_encoder` holds an encoder that is not fitted: pass it `encoder`."
    equal("value_encoder.label_encoder.classes_", value_encoder.label_encoder.classes_, encoder.classes_, "as in `encoder`")
    return f"{value_encoder.num_classes} classes, from {encoder.classes_[0]} to {encoder.classes_[-1]}"


# %% [markdown]
# There and back again, to be sure:

# %%
numbers = value_encoder.transform_labels(y_test[:3])
print(y_test[:3], "→", numbers, "→", value_encoder.inverse_transform_labels(numbers))

# %% [markdown]
# ## What you have learnt
#
# - Automatic coding goes from a free text to one of 651 classes, and the difference is often a detail of the text.
# - A unit has the code of its principal activity, found from the top by value added. A text with two activities does not tell it.
# - The labels of this course are synthetic and evenly spread; a real register is neither clean nor even.
# - A split into training, validation and test keeps the final figure honest; stratification keeps every class in each.
# - Anything that is fitted is fitted on the training set. The rest is a leak.
#
# Next, in [chapter 2](2-tokenizer.ipynb), texts become numbers too.
