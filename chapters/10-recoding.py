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
# # 10. When the nomenclature changes
#
# *Part 3, into production · chapter 10 of 10 · about 75 minutes · nothing needed before*
#
# In this chapter you will
#
# - bring a register from NACE Rev. 2 to Rev. 2.1: by a table where it is unambiguous, by annotators where it is not;
# - ask a chat model with what is known beforehand, the old code, instead of searching for candidates;
# - let annotators vote, and find out what a vote is worth;
# - rebuild the register in the new nomenclature, and see what that does to its statistics;
# - decide which businesses a person should look at.

# %% [markdown]
# ## The problem
#
# A nomenclature is revised every fifteen years or so, and then every register that uses it has to be recoded. From 2025 on the
# business statistics of the European Union use NACE Rev. 2.1. Millions of businesses have a code of Rev. 2 and none of Rev.
# 2.1, and nobody can ask them all.
#
# Insee, the French office, has published how it did this for 2.7 million texts: by the official correspondence where an old
# class has one successor, and for the others by language models that choose among the successors, whose votes train a new
# model. We do the same, on a register that you can open.
#
# **The register of this chapter is simulated.** No business in it exists. Its texts are labels of the course (of the training
# and the validation set, never of a test), its columns follow profiles that were written by hand, its old codes have the errors
# that registers have. The data sheet, `data/README.md`, says how it was made and what it cannot be. Because it is simulated,
# the truth is known, and lies apart.

# %%
from funathon.course.exercise import start

check, hint, solution, catch_up = start("10-recoding")

# %%
import os

import matplotlib.pyplot as plt
import numpy as np
import polars as pl
from openai import OpenAI

from funathon.corpus.nomenclature import read_nomenclature
from funathon.endpoint.server import ensure_endpoint
from funathon.measures import share
from funathon.paths import CORRESPONDENCE, REGISTER

ensure_endpoint()
register = pl.read_parquet(REGISTER / "register.parquet")
pairs = pl.read_csv(CORRESPONDENCE, separator="\t", quote_char=None, infer_schema=False)
classes = {row["code"]: row for row in read_nomenclature().filter(level=4).iter_rows(named=True)}
print(f"{len(register):,} businesses, {register['registered'].min()} to {register['registered'].max()}")
by_hand = register.filter("coded_by_hand")
print(f"{len(by_hand):,} of them recoded by hand, {by_hand['nace_rev2_1'].null_count()} of these without a class")
register.sample(4, seed=1)

# %% [markdown]
# `nace_rev2` is the old code. `nace_rev2_1` is there for the businesses that a person has recoded (`coded_by_hand`); where such
# a person found no class in the text, it is null. And this is the correspondence: one row for each pair of classes that share
# content. `content` says, where an old class has several successors, what of it went where, in the words of the course.

# %%
with pl.Config(fmt_str_lengths=90, tbl_width_chars=160):
    display(pairs.filter(rev2="56.10").drop("rev2_title"))

# %% [markdown]
# ## Exercise 1: the table

# %% [markdown] tags=["question"] question="10.1"
# Question 10.1: what a join can do
#
# Make a dictionary `successors` from each class of Rev. 2 to the list of its classes of Rev. 2.1, in the order of the codes.
#
# Put the number of old classes with a single successor in `unambiguous`. Then make a table `by_table` of the businesses whose
# old class has a single successor: all columns of `register`, and `recoded`, the new code. Put the share of the register that
# it holds in `done`, made by `share`.

# %% [markdown] tags=["hint"] question="10.1"
# `pairs.group_by("rev2").agg(pl.col("rev2_1").sort())` has a row for each old class, and a list in it.

# %% [markdown] tags=["hint"] question="10.1"
# A join needs one row for each old class: a table of the old classes with one successor. `register.join(…, left_on="nace_rev2",
# right_on="rev2")` keeps the businesses that find a partner. `share` takes an array of true and false, one element a business.

# %% tags=["solution"] question="10.1"
successors = dict(pairs.group_by("rev2").agg(pl.col("rev2_1").sort()).iter_rows())
single = pl.DataFrame([(old, new[0]) for old, new in successors.items() if len(new) == 1], schema=["rev2", "recoded"], orient="row")
unambiguous = len(single)
by_table = register.join(single, left_on="nace_rev2", right_on="rev2")
done = share(register["nace_rev2"].is_in(single["rev2"].implode()))
print(f"{unambiguous} of {len(successors)} old classes have one successor")
print(f"businesses in one of these: {done}")

# %% tags=["check"] question="10.1"
def check(successors, unambiguous, by_table, done, *, pairs, register):
    from funathon.course.checking import as_dict, as_instance, as_table, close, equal
    from funathon.measures import Share

    wanted = {}
    for old, new in pairs.select("rev2", "rev2_1").iter_rows():
        wanted.setdefault(old, []).append(new)
    found = as_dict("successors", successors, keys=wanted, how="The keys are the classes of Rev. 2.")
    for old, new in wanted.items():
        equal(f"successors[{old!r}]", list(found[old]), sorted(new), "the classes of Rev. 2.1 that it went to")
    alone = {old: new[0] for old, new in wanted.items() if len(new) == 1}
    equal("unambiguous", unambiguous, len(alone), "the old classes with one successor")
    rows = register.filter(register["nace_rev2"].is_in(list(alone)))
    table = as_table("by_table", by_table, columns=(*register.columns, "recoded"), rows=len(rows))
    assert sorted(table["id"]) == sorted(rows["id"]), "`by_table` should hold each business whose old class has one successor, once"
    assert table["recoded"].to_list() == [alone.get(old) for old in table["nace_rev2"]], "`recoded` should be the successor of the old class in that row"
    value = as_instance("done", done, Share, "Make it with `share`.")
    equal("done.n", value.n, len(register), "all businesses")
    close("done.value", value.value, len(rows) / len(register), 1e-9, digits=3)
    return f"{unambiguous} of {len(wanted)} old classes have one successor, and {done} of the businesses are done by a join"


# %% [markdown]
# Four in five old classes are done by the table, but only three in five businesses: the classes that were split are the large
# ones. Which ones?

# %%
#| fig-alt: Bars. The twelve old classes with several successors that have most businesses, with the number of their successors.
ambiguous = register.filter(~pl.col("nace_rev2").is_in(by_table["nace_rev2"].unique().implode()))
titles = dict(pairs.select("rev2", "rev2_title").iter_rows())
largest = ambiguous["nace_rev2"].value_counts(sort=True).head(12).reverse()
names = [f"{old} {titles[old][:38]} ({len(successors[old])})" for old in largest["nace_rev2"]]
fig, ax = plt.subplots(figsize=(8, 4))
ax.barh(names, largest["count"])
ax.set_xlabel("businesses")
ax.set_title("Old classes with several successors, and how many")
plt.show()

# %% [markdown]
# ## Exercise 2: ask with what is known
#
# In part 2 the candidates were found by a search. Here they are **known beforehand**: the successors of the old code, two to
# thirty-two of them. A prompt that holds what is known, instead of what was retrieved, is called *cache-augmented generation*,
# **CAG** (Chan and others, 2024; it is also what Insee calls it). The search is the part that limited RAG in chapter 8; it is
# gone. In its place comes a new limit: if the old code was wrong, the right class may not be among its successors at all.
#
# What can a prompt say that RAG could not? The old class with its title; and for each candidate what of the old class went
# there.

# %% [markdown] tags=["question"] question="10.2"
# Question 10.2: the prompt
#
# Write a function `cag_messages(text, old)` that returns a system and a user message, as chapter 7 did:
#
# - the system message is `SYSTEM`, given below;
# - the user message holds the text between `<activity>` and `</activity>`, made harmless by `isolated` (one line, no angle
#   brackets);
# - then a line `Old class: ` with the old code and its title;
# - then for each successor, in the order of the codes, its `candidate_block`, and in the line below its heading `From the old
#   class: ` with the `content` of the pair.
#
# `content_of` has the content by pair (old, new).

# %%
from funathon.rag.prompts import candidate_block, isolated
from funathon.recoding.chat import SYSTEM as TEMPLATE

SYSTEM = TEMPLATE.format(old="NACE Rev. 2", new="NACE Rev. 2.1")
content_of = {(old, new): text for old, new, text in pairs.select("rev2", "rev2_1", "content").iter_rows()}
print(SYSTEM)

# %% [markdown] tags=["hint"] question="10.2"
# `heading, _, notes = candidate_block(classes[new]).partition("\n")` parts a block behind its first line.

# %% [markdown] tags=["hint"] question="10.2"
# Collect the parts of the user message in a list and join them with empty lines: the activity, the old class, and one block for
# each of `successors[old]`.

# %% tags=["solution"] question="10.2"
def cag_messages(text, old):
    """The messages that let a model choose among the successors of an old class."""
    parts = [f"<activity>\n{isolated(text)}\n</activity>", f"Old class: {old} {titles[old]}", "Candidates:"]
    for new in successors[old]:
        heading, _, notes = candidate_block(classes[new]).partition("\n")
        parts.append(f"{heading}\nFrom the old class: {content_of[old, new]}\n{notes}")
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "\n\n".join(parts)}]


print(cag_messages("food truck at festivals", "56.10")[1]["content"][:900])

# %% tags=["check"] question="10.2"
def check(cag_messages, *, SYSTEM, successors, titles, content_of, classes):
    import re

    from funathon.course.checking import as_function, as_list
    from funathon.rag.prompts import candidate_block

    as_function("cag_messages", cag_messages)
    for old in ("56.10", "47.91", "74.90"):
        text = "first line\nsecond </activity> line"
        messages = as_list(f"cag_messages(…, {old!r})", cag_messages(text, old), length=2)
        assert [message["role"] for message in messages] == ["system", "user"], "`cag_messages` should return a system and a user message"
        assert messages[0]["content"] == SYSTEM, "the system message should be `SYSTEM`"
        whole = messages[1]["content"]
        inside = re.search(r"<activity>\s*(.*?)\s*</activity>", whole, re.S)
        assert inside and inside[1] == "first line second ‹/activity› line", "the text should stand between <activity> and </activity>, made harmless by `isolated`"
        assert f"Old class: {old} {titles[old]}" in whole, f"the user message should have the line 'Old class: {old}' with its title"
        shown = re.findall(r"^### (\d\d\.\d\d) ", whole, re.M)
        assert shown == list(successors[old]), f"the candidates for {old} should be its {len(successors[old])} successors, in the order of the codes, not {shown[:4]}"
        for new in successors[old]:
            heading, _, notes = candidate_block(classes[new]).partition("\n")
            assert f"{heading}\nFrom the old class: {content_of[old, new]}" in whole, f"the block of {new} should have what went there from {old} in the line below its heading"
            assert notes.strip() in whole, f"the block of {new} should keep its notes"
    return "the prompt shows the old class, its successors and what went where, and nothing else"


# %% [markdown]
# ## Exercise 3: annotators
#
# Whoever chooses among the candidates is an **annotator**, person or not. We compare five, on businesses that people have
# recoded.
#
# Which businesses? The models of the course have *learnt* from the texts of the training set, so they would do too well on
# those. The truth that lies apart says of each business from which set its text comes; we take the hand-coded ones with several
# successors whose text the network was not trained on. (Its settings, and the few weights of the stand-in, were chosen on the
# validation set; so even these figures flatter a little.)

# %%
truth = pl.read_parquet(REGISTER / "truth.parquet").select("id", "source")
sample = (
    register.filter("coded_by_hand")
    .join(truth, on="id", how="left", maintain_order="left")
    .filter(pl.col("source").ne_missing("training") & pl.col("nace_rev2").is_in([old for old, new in successors.items() if len(new) > 1]))
    .drop("source")
)
texts, old_codes, right = (sample[name].to_list() for name in ("description", "nace_rev2", "nace_rev2_1"))
candidates = [successors[old] for old in old_codes]
offered = np.array([code in row for code, row in zip(right, candidates)])
print(f"{len(sample)} businesses, {right.count(None)} of them without a class")
print(f"the right class is among the successors: {share(offered)}")

# %% [markdown]
# So far for the best that anybody can reach. The others have no class, or an old code that was wrong: no choice among its
# successors can be right, and they are for a person.
#
# Now the annotators. Two of them ask a chat model (offline the stand-in, which is **no language model, but a ranker**): one by
# CAG, with your prompt, the other by RAG as in part 2, which knows nothing of the old code and may contradict it. The
# pretrained network of chapter 4 scores all 651 classes: restricted to the successors it can only choose among these. The
# nearest note and the nearest labels are searches of chapters 6 and 8, restricted in the same way. (About a minute and a half
# with the stand-in.)

# %%
from functools import partial

from funathon.corpus.labels import read_labels
from funathon.corpus.splitting import split_labels
from funathon.minilm import embed
from funathon.paths import DEFAULT_LABELS
from funathon.rag import asking
from funathon.rag.asking import ask_all, generator_name
from funathon.rag.kept import kept_folder
from funathon.rag.prompts import make_messages
from funathon.rag.retrieval import Document, WordIndex, class_passages, with_examples
from funathon.rag.searching import BestSearch, best_of_class, note_text
from funathon.supervised.classifier import scores as network_scores
from funathon.supervised.pretrained import load_model

client = OpenAI(base_url=os.environ["LLMLAB_URL"], api_key=os.environ["LLMLAB_API_KEY"], timeout=120, max_retries=5)
ask = partial(asking.ask, client=client)
answers_path = kept_folder() / "recoding.jsonl"
nomenclature = read_nomenclature()
codes = np.array(list(classes))
split = split_labels(read_labels(str(DEFAULT_LABELS)))
labelled = [Document(code, text) for code, text in zip(split.y_train.tolist(), split.X_train.tolist())]

cag = ask_all([(cag_messages(text, old), row) for text, old, row in zip(texts, old_codes, candidates)], answers_path, ask)
vectors = embed(texts)
search = BestSearch(nomenclature, labelled, lambda some, keep="": embed(list(some)))
found = search.candidates(texts, vectors, 5)
rag = ask_all([(make_messages(text, [candidate_block(classes[code]) for code in row]), row) for text, row in zip(texts, found)], answers_path, ask)
passages = class_passages(nomenclature)
by_notes = best_of_class(vectors @ embed([passage.text for passage in passages]).T, [passage.code for passage in passages], codes)
by_labels = WordIndex(with_examples([Document(code, note_text(row)) for code, row in classes.items()], labelled)).scores(texts)
by_network = network_scores(load_model(os.environ["PRETRAINED_URL"]), texts)
print(f"chat: {generator_name()}")
print(f"by RAG, a class outside the successors: {share([row['code'] not in [None, *own] for row, own in zip(rag, candidates)])}")

# %% [markdown] tags=["question"] question="10.3"
# Question 10.3: restrict and compare
#
# Write a function `restricted(scores, candidates)`: `scores` has one row a text and one column a class, in the order of
# `codes`; it returns a list with the code of the best-scored *candidate* of each text.
#
# Put the codes of the five annotators in a dictionary `annotations` with the keys `"cag"`, `"rag"`, `"network"`, `"notes"`,
# `"labels"`: lists of codes, null where a chat model gave none. Put in `figures`, with the same keys, a dictionary with
# `"all"`, the share of right codes among all businesses of `sample`, and `"offered"`, among those whose right class is offered,
# each made by `share`.

# %% [markdown] tags=["hint"] question="10.3"
# `column = {code: number for number, code in enumerate(codes)}` gives the column of a code; `max(row_of_candidates, key=…)` the
# best.

# %% [markdown] tags=["hint"] question="10.3"
# A null is not right, nor is any code where `right` is null: `[a == b and b is not None for a, b in zip(found_codes, right)]`.

# %% tags=["solution"] question="10.3"
column = {code: number for number, code in enumerate(codes)}


def restricted(scores, candidates):
    """The best-scored candidate of each text."""
    return [max(row, key=lambda code: own[column[code]]) for own, row in zip(scores, candidates)]


annotations = {
    "cag": [row["code"] for row in cag],
    "rag": [row["code"] for row in rag],
    "network": restricted(by_network, candidates),
    "notes": restricted(by_notes, candidates),
    "labels": restricted(by_labels, candidates),
}
figures = {}
for name, chosen_codes in annotations.items():
    good = np.array([code is not None and code == true for code, true in zip(chosen_codes, right)])
    figures[name] = {"all": share(good), "offered": share(good[offered])}
    print(f"{name:8} all {figures[name]['all']}   where the right class is offered {figures[name]['offered']}")

# %% tags=["check"] question="10.3"
def check(restricted, annotations, figures, *, codes, candidates, right, offered, cag, rag, by_network, by_notes, by_labels):
    import numpy
    from funathon.course.checking import as_dict, as_function, as_instance, as_list, close, equal
    from funathon.measures import Share

    as_function("restricted", restricted)
    place = {code: number for number, code in enumerate(codes)}
    scores = numpy.zeros((2, len(codes)))
    scores[0, place["56.30"]], scores[0, place["56.11"]], scores[1, place["01.11"]] = 9, 5, -1
    made = as_list("restricted(…)", restricted(scores, [["56.11", "56.12"], ["01.11", "01.12"]]), length=2)
    equal("restricted(…)", [str(code) for code in made], ["56.11", "01.12"], "the best-scored of the candidates, not of all classes")
    names = ("cag", "rag", "network", "notes", "labels")
    given = as_dict("annotations", annotations, keys=names)
    wanted = {"cag": [row["code"] for row in cag], "rag": [row["code"] for row in rag]}
    for name, array in (("network", by_network), ("notes", by_notes), ("labels", by_labels)):
        wanted[name] = [max(row, key=lambda code: own[place[code]]) for own, row in zip(array, candidates)]
    shares = as_dict("figures", figures, keys=names)
    for name in names:
        found = as_list(f"annotations[{name!r}]", given[name], length=len(right))
        different = [number for number, (a, b) in enumerate(zip(found, wanted[name])) if a != b]
        assert not different, f"`annotations[{name!r}][{different[0]}]` should be {wanted[name][different[0]]}, not {found[different[0]]}" if different else ""
        good = numpy.array([b is not None and a == b for a, b in zip(wanted[name], right)])
        own = as_dict(f"figures[{name!r}]", shares[name], keys=("all", "offered"))
        for which, part in (("all", good), ("offered", good[offered])):
            value = as_instance(f"figures[{name!r}][{which!r}]", own[which], Share, "Make it with `share`.")
            equal(f"figures[{name!r}][{which!r}].n", value.n, len(part), "a text without a code stays in the denominator")
            close(f"figures[{name!r}][{which!r}].value", value.value, part.mean(), 1e-9, digits=3)
    return "; ".join(f"{name} {figures[name]['offered']}" for name in names)


# %% [markdown]
# Set `"offered"` of CAG beside RAG's: the same ranker, told the old code or not. What the old code brings is what a search of
# chapter 8 could not. And set the network beside the others: an annotator that *learnt from labels like these* needs no notes.
# In an office there are no such labels for the new nomenclature yet; that is what all this is for. On texts that people wrote,
# the order of the five may be another. Measure it on your own hand-coded sample.
#
# ## Exercise 4: votes
#
# Annotators that err on different texts can correct each other. Three ways to vote:
#
# - **Majority**: the code that most of them name.
# - **Weighted**: each has a weight. If annotators erred independently, the best weight would be the logarithm of right to
#   wrong, `log(p / (1 - p))` (Nitzan and Paroush, 1982).
# - **Cascade**: the best one decides where it is sure, the next where it is not.
#
# Weights are learnt, so learn them on one half of the businesses and measure on the other.

# %% [markdown] tags=["question"] question="10.4"
# Question 10.4: the vote
#
# Write a function `vote(given, weights)`: `given` is a dictionary of lists of codes, as `annotations`, `weights` a number for
# each of its keys. It returns for each text the code with the largest sum of weights; null counts for nobody, and of equal
# codes the one wins that is named first in the order of `given`.
#
# `first_half` and `second_half`, given below, are arrays of true and false; `rightness` says which codes are right. Learn the weights on `first_half`, with `log((right
# + 1) / (wrong + 1))` of all its businesses, 0 at least, and put them in `weights`. Then measure on `second_half`, of those
# whose right class is offered: the majority vote in `majority`, the weighted vote in `weighted`, and the best single annotator
# on the *first* half, in `best_single`; all made by `share`.

# %%
first_half = np.random.default_rng(10).permutation(len(sample)) < len(sample) // 2
second_half = ~first_half


def rightness(codes_given):
    """True where the code is the right one: array."""
    return np.array([code is not None and code == true for code, true in zip(codes_given, right)])

# %% [markdown] tags=["hint"] question="10.4"
# For one text: a dictionary that starts empty; for each annotator that names a code, add its weight at that code. `max(sums,
# key=sums.get)` takes the first of equal ones.

# %% [markdown] tags=["hint"] question="10.4"
# The majority vote is the vote with the weight 1 for everybody. `measured = second_half & offered` says which businesses count.

# %% tags=["solution"] question="10.4"
def vote(given, weights):
    """The code with the largest sum of weights, for each text."""
    decided = []
    for codes_of_text in zip(*given.values()):
        sums = {}
        for name, code in zip(given, codes_of_text):
            if code is not None:
                sums[code] = sums.get(code, 0) + weights[name]
        decided.append(max(sums, key=sums.get) if sums else None)
    return decided


weights = {}
for name, chosen_codes in annotations.items():
    good = rightness(chosen_codes)[first_half]
    weights[name] = max(0.0, float(np.log((good.sum() + 1) / ((~good).sum() + 1))))
measured = second_half & offered
majority = share(rightness(vote(annotations, dict.fromkeys(annotations, 1)))[measured])
weighted = share(rightness(vote(annotations, weights))[measured])
best = max(annotations, key=lambda name: rightness(annotations[name])[first_half].mean())
best_single = share(rightness(annotations[best])[measured])
print("weights:", {name: round(weight, 2) for name, weight in weights.items()})
print(f"majority {majority}\nweighted {weighted}\n{best} alone {best_single}")

# %% tags=["check"] question="10.4"
def check(vote, weights, majority, weighted, best_single, *, annotations, right, first_half, second_half, offered):
    import numpy
    from funathon.course.checking import as_dict, as_function, as_instance, as_list, close, equal
    from funathon.measures import Share

    as_function("vote", vote)
    given = {"a": ["01.11", None, "01.11"], "b": ["01.12", "01.12", None], "c": ["01.12", None, "01.12"]}
    made = as_list("vote(…)", vote(given, {"a": 1, "b": 1, "c": 1}), length=3)
    equal("vote(…) with equal weights", made, ["01.12", "01.12", "01.11"], "the majority; of equal codes the one that is named first")
    made = as_list("vote(…)", vote(given, {"a": 3, "b": 1, "c": 1}), length=3)
    equal("vote(…) with the weights 3, 1, 1", made, ["01.11", "01.12", "01.11"], "the largest sum of weights")
    equal("vote(…) where nobody names a code", list(vote({"a": [None], "b": [None]}, {"a": 1, "b": 1})), [None])

    def good(codes):
        return numpy.array([a is not None and a == b for a, b in zip(codes, right)])

    own = as_dict("weights", weights, keys=annotations)
    wanted = {}
    for name, codes in annotations.items():
        hits = good(codes)[first_half]
        wanted[name] = max(0.0, float(numpy.log((hits.sum() + 1) / ((~hits).sum() + 1))))
        close(f"weights[{name!r}]", own[name], wanted[name], 1e-6, "learnt on the first half")
    some = second_half & offered
    best = max(annotations, key=lambda name: good(annotations[name])[first_half].mean())
    for name, value, codes in (
        ("majority", majority, vote(annotations, dict.fromkeys(annotations, 1))),
        ("weighted", weighted, vote(annotations, wanted)),
        ("best_single", best_single, annotations[best]),
    ):
        as_instance(name, value, Share, "Make it with `share`.")
        equal(f"{name}.n", value.n, int(some.sum()), "the businesses of the second half whose right class is offered")
        close(f"{name}.value", value.value, good(codes)[some].mean(), 1e-9, digits=3)
    return f"majority {majority}, weighted {weighted}, {best} alone {best_single}"


# %% [markdown]
# Is the vote better than the best annotator? It need not be, and offline it is not: the weighted vote and the network alone
# cannot be told apart here, since the network has learnt from labels by the writers of these very texts, and the others have
# hardly anything to correct it by. (Insee's vote of three language models was better than each of them: they were alike in
# quality.) A vote gains where annotators are about equally good and err on *different* texts. Where one is far better than the
# rest, or where all stumble over the same texts, there is little to gain. How much do they agree, beyond what chance would
# bring? **Cohen's kappa** says it for two, **Fleiss' kappa** for all: 0 is chance, 1 is full agreement.

# %%
from funathon.recoding.votes import cohen_kappa, fleiss_kappa

named = {name: [code or "none" for code in row] for name, row in annotations.items()}
print(f"all five (Fleiss): {fleiss_kappa(list(named.values())):.2f}")
for name in named:
    print(f"  {name:8}", *(f"{other} {cohen_kappa(named[name], named[other]):.2f}" for other in named if other != name), sep="  ")
agree = np.array([sum(row[i] == winner for row in annotations.values()) for i, winner in enumerate(vote(annotations, weights))])
for votes in sorted(set(agree.tolist()), reverse=True):
    print(f"{votes} of 5 agree: {(agree == votes).sum():4} businesses, right {share(rightness(vote(annotations, weights))[agree == votes])}")

# %% [markdown]
# This is what a vote is worth even where it is no better than its best member: **agreement tells where it is right**. Where all
# agree you can let it pass; where they part, a person should look.
#
# ## Exercise 5: the register in Rev. 2.1
#
# `funathon recode` does for a whole register what you have done for a sample; it is resumable, and writes both codes side by
# side, which is called **dual coding**. Here we take the quick annotator, the restricted network, for the businesses with
# several successors. (It has learnt from most of these texts, so the result is better than an office could hope for.)

# %%
texts_left = ambiguous["description"].to_list()
chosen = []
model = load_model(os.environ["PRETRAINED_URL"])
for start_at in range(0, len(texts_left), 4096):
    some = texts_left[start_at : start_at + 4096]
    chosen += restricted(network_scores(model, some), [successors[old] for old in ambiguous["nace_rev2"][start_at : start_at + 4096]])
recoded = pl.concat([by_table, ambiguous.with_columns(recoded=pl.Series(chosen))]).sort("id")
whole_truth = pl.read_parquet(REGISTER / "truth.parquet").sort("id")
codable = whole_truth["true_rev2_1"].is_not_null()
print(f"right, among businesses that can be coded: {share((recoded['recoded'] == whole_truth['true_rev2_1']).filter(codable))}")

# %% [markdown]
# Statistics are published by section and division, and now their series break: not because the economy changed, but because
# classes moved.

# %% [markdown] tags=["question"] question="10.5"
# Question 10.5: the break in the series
#
# Count the businesses by section before and after: the section of an old code by Rev. 2, that of a new one by Rev. 2.1.
# `old_section` and `new_section`, given below, map a division (the first two digits) to its section.
#
# Make a table `shift` with the columns `section_before`, `section_after` and `businesses`: one row for each pair of sections
# that *differ* and occur, with the number of businesses that went from one to the other. Put the share of all businesses that
# changed section in `moved`, made by `share`.
#
# Beware: the letters changed their meaning. Section J of Rev. 2, information and communication, became two sections, J and K,
# and all letters behind it moved by one.

# %%
old_section = {f"{number:02}": letter for letter, low, high in [
    ("A", 1, 3), ("B", 5, 9), ("C", 10, 33), ("D", 35, 35), ("E", 36, 39), ("F", 41, 43), ("G", 45, 47), ("H", 49, 53), ("I", 55, 56),
    ("J", 58, 63), ("K", 64, 66), ("L", 68, 68), ("M", 69, 75), ("N", 77, 82), ("O", 84, 84), ("P", 85, 85), ("Q", 86, 88), ("R", 90, 93),
    ("S", 94, 96), ("T", 97, 98), ("U", 99, 99)] for number in range(low, high + 1)}  # fmt: skip
new_section = dict(nomenclature.filter(level=2).select("code", "parent_code").iter_rows())
same_section = {**{letter: letter for letter in "ABCDEFGHI"}, **dict(zip("KLMNOPQRSTU", "LMNOPQRSTUV"))}  # J went to J and K
print(new_section["62"], old_section["62"])

# %% [markdown] tags=["hint"] question="10.5"
# Make two columns: `pl.col("nace_rev2").str.head(2).replace_strict(old_section)`, and the same for the new code; then
# `.group_by(…).len(name="businesses")`.

# %% [markdown] tags=["hint"] question="10.5"
# "Differ" in what? Compare like with like: bring the old letter to the new lettering first. A business of J did not change
# section if it is in J or in K.

# %% tags=["solution"] question="10.5"
sections = recoded.select(
    section_before=pl.col("nace_rev2").str.head(2).replace_strict(old_section),
    section_after=pl.col("recoded").str.head(2).replace_strict(new_section),
)
stays = (pl.col("section_before").replace(same_section) == pl.col("section_after")) | (
    (pl.col("section_before") == "J") & pl.col("section_after").is_in(["J", "K"])
)
shift = sections.filter(~stays).group_by("section_before", "section_after").len(name="businesses").sort("businesses", descending=True)
moved = share(~sections.select(stays=stays)["stays"])
print(f"{moved} of the businesses change section")
shift.head(8)

# %% tags=["check"] question="10.5"
def check(shift, moved, *, recoded, old_section, new_section, same_section):
    from collections import Counter

    from funathon.course.checking import as_instance, as_table, close, equal
    from funathon.measures import Share

    counts = Counter()
    for old, new in recoded.select("nace_rev2", "recoded").iter_rows():
        before, after = old_section[old[:2]], new_section[new[:2]]
        like = {"J", "K"} if before == "J" else {same_section[before]}
        if after not in like:
            counts[before, after] += 1
    table = as_table("shift", shift, columns=("section_before", "section_after", "businesses"))
    found = {(before, after): n for before, after, n in table.select("section_before", "section_after", "businesses").iter_rows()}
    for pair in set(found) - set(counts):
        raise AssertionError(f"`shift` has a row for {pair[0]} to {pair[1]}, which is the same section under another letter, or none that occurs")
    for pair, number in counts.items():
        equal(f"the businesses from {pair[0]} to {pair[1]} in `shift`", found.get(pair, 0), number)
    value = as_instance("moved", moved, Share, "Make it with `share`.")
    equal("moved.n", value.n, len(recoded), "all businesses")
    close("moved.value", value.value, counts.total() / len(recoded), 1e-9, digits=4)
    return f"{moved} of the businesses changed section"


# %% [markdown]
# Some of these shifts are the revision's own: the repair of vehicles left trade (G) for the other services, for instance.
# Others are errors of the recoding. An office publishes both codes for a year or two, so that users can tell a break from a
# change.
#
# Does it matter for a model? Train the same quick one, a linear model on words, on the old and on the new codes of the same
# texts, and compare at each level. A text of the register can occur several times in other words around it, so the split is by
# the label behind it: what is tested has not been learnt in any form. (About 40 seconds.)

# %%
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline

tested = whole_truth["source"].eq_missing("validation").to_numpy()
learnt = whole_truth["source"].eq_missing("training").to_numpy()
descriptions = recoded["description"].to_numpy()
for name, system, section_of in (("nace_rev2", "Rev. 2", old_section), ("recoded", "Rev. 2.1", new_section)):
    codes_of_all = recoded[name].to_numpy()
    quick = make_pipeline(TfidfVectorizer(sublinear_tf=True), SGDClassifier(loss="log_loss", alpha=1e-5, max_iter=3, tol=None, random_state=0))
    said = quick.fit(descriptions[learnt], codes_of_all[learnt]).predict(descriptions[tested])
    true = codes_of_all[tested]
    levels = {"class": lambda code: code, "group": lambda code: code[:4], "division": lambda code: code[:2], "section": lambda code, of=section_of: of[code[:2]]}
    print(f"{system:8}", *(f"{level} {np.mean([cut(a) == cut(b) for a, b in zip(said, true)]):.1%}" for level, cut in levels.items()), sep="   ")

# %% [markdown]
# ## Exercise 6: what people should look at
#
# Suppose there is money for 100 hand codings among these businesses. Which ones? One chosen at random mends an error only if
# there is one. One where the annotators part is more likely to be wrong. But a business without any class, or with a wrong old
# code, can also be one on which all agree wrongly: they cannot say what is not offered. RAG can: it does not know the old code.

# %% [markdown] tags=["question"] question="10.6"
# Question 10.6: spend a budget
#
# There are `BUDGET` hand codings for the businesses of `sample`. Put in `to_people` the places (0 to `len(sample) - 1`) of the
# `BUDGET` businesses that a person should code: use the annotations, the scores, the answers and their confidences, **not
# `right`**, which nobody knows before.
#
# What people code is right; the others keep the weighted vote. The check counts how many errors your choice mends, beside a
# choice at random; it wants at least twice as many.

# %%
BUDGET = 100
decided = vote(annotations, weights)
print(f"{(~rightness(decided)).sum()} of {len(sample)} are wrong or have no class")
print(f"{BUDGET} at random would mend about {BUDGET * (~rightness(decided)).mean():.0f}")

# %% [markdown] tags=["hint"] question="10.6"
# `agree`, from above, counts the annotators that agree with the vote: `np.argsort(agree, kind="stable")[:BUDGET]` are the
# places of the least agreement.

# %% [markdown] tags=["hint"] question="10.6"
# Two signs together are better than one: few annotators agree, and RAG, which does not know the old code, names a class outside
# the successors.

# %% tags=["solution"] question="10.6"
outside = np.array([row["code"] is None or row["code"] not in own for row, own in zip(rag, candidates)])
to_people = np.argsort(agree - outside, kind="stable")[:BUDGET]
mended = (~rightness(decided))[to_people].sum()
print(f"{mended} errors mended with {BUDGET} hand codings")

# %% tags=["check"] question="10.6"
def check(to_people, *, decided, right, BUDGET, sample):
    import numpy
    from funathon.course.checking import as_list

    places = [int(place) for place in as_list("to_people", to_people, length=BUDGET)]
    assert len(set(places)) == BUDGET and set(places) <= set(range(len(sample))), f"`to_people` should hold {BUDGET} different places of `sample`"
    wrong = numpy.array([true is None or code != true for code, true in zip(decided, right)])
    mended, chance = int(wrong[places].sum()), BUDGET * wrong.mean()
    assert mended < 0.98 * min(BUDGET, wrong.sum()), "`to_people` finds nearly every error: did it look at `right`? Nobody knows that before"
    assert mended >= 2 * chance, f"`to_people` mends {mended} errors, a choice at random about {chance:.0f}: look for at least twice as many, where annotators disagree"
    return f"{mended} errors mended by {BUDGET} hand codings, where chance would mend about {chance:.0f}"


# %% [markdown]
# The budget goes furthest where the annotators part. But keep a few for a **random sample** as well: without one you never
# learn how often all of them are wrong together, and have no figure to publish.
#
# ## What you have learnt
#
# - The correspondence decides most classes, and far fewer businesses. What is left has two to thirty-two candidates, which are
#   known beforehand: nothing has to be searched for.
# - The old code is worth more than a search, unless it is wrong: then the right class is not even offered.
# - A vote gains where annotators are alike in quality and differ in their errors. Even where it gains nothing, agreement says
#   where to trust it.
# - Recoding breaks series. Publish both codes for a while, and send people where annotators disagree, and to a random sample.
#
# For a register of your own: `uv run funathon recode register.csv -o recoded.csv --label description --old-code nace_rev2`.
