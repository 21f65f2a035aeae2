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
# # 9. Two systems, one text
#
# *Part 2, retrieval-augmented generation · chapter 9 of 9 · about 45 minutes · nothing needed before: the first cells rebuild
# it*
#
# In this chapter you will
#
# - code the same texts with both systems of this course, and count who is right where;
# - try a rule that needs no confidence: code automatically when the two agree;
# - compare what a label costs, in seconds and in tokens, like with like.

# %% [markdown]
# ## The two systems
#
# Part 1 trained a network on tens of thousands of labels. Part 2 put the notes and the same labels into an index and asked a chat
# model. Which is better? On the same labels, and with more than one measure: how many are right, how many can be coded without a
# person, how long it takes and what it costs.
#
# The texts come from the **field test**: nothing is trained on it and no setting was tuned on it, but it was looked at three times
# while the course was made (the data sheet, `data/README.md`, says how). If your `.env` names no endpoint, the
# answers on the side of RAG come from `offline-stand-in`, which is **no language model, but a ranker fitted on labels**. Then
# *both* systems of this chapter have learnt from labels, and the comparison is one of two ways to use them. Every figure names what
# made it.
#
# With an endpoint in `.env`, the labels go to its host. The network codes on your machine and sends nothing: where texts are
# confidential (chapter 5) and no endpoint is cleared for them, that decides between the two before any figure does.

# %%
from funathon.course.exercise import start

check, hint, solution, catch_up = start("9-comparison")

# %% [markdown]
# What the chapters before built comes from the package: the split (chapter 1), the embeddings (6), the messages and the requests
# that cannot break the run (7), and the best search of chapter 8, `passages + bm25 with labels`. (The embedded endpoint takes up to 15
# seconds to start.)

# %%
import os
import time
from functools import partial

import numpy as np
import polars as pl
from openai import OpenAI

from funathon.corpus.labels import read_labels
from funathon.corpus.nomenclature import read_nomenclature
from funathon.corpus.splitting import split_labels
from funathon.endpoint.server import ensure_endpoint
from funathon.measures import share
from funathon.paths import FIELD_TEST
from funathon.rag import asking
from funathon.rag.asking import ask_all, generator_name
from funathon.rag.kept import kept_folder
from funathon.rag.prompts import candidate_block, make_messages
from funathon.rag.retrieval import Document, WordIndex
from funathon.rag.searching import BestSearch, Embedder

ensure_endpoint()
client = OpenAI(base_url=os.environ["LLMLAB_URL"], api_key=os.environ["LLMLAB_API_KEY"], timeout=120, max_retries=5)
embed = Embedder(client)
ask = partial(asking.ask, client=client)
answers_path = kept_folder() / "answers.jsonl"

split = split_labels(read_labels(os.environ["LABELS_URL"]))
nomenclature = read_nomenclature()
classes = {row["code"]: row for row in nomenclature.filter(level=4).iter_rows(named=True)}
K = 5  # candidates for each label
print(f"embeddings: {os.environ['EMBEDDING_MODEL']}, chat: {generator_name()}")

# %% [markdown]
# 500 labels of the field test, their candidates, and an index of the training labels by their words. **The first time** this takes
# about 20 seconds, unless chapter 8 has left the vectors of the passages; after that, five.

# %%
training = [Document(code, text) for code, text in zip(split.y_train.tolist(), split.X_train.tolist())]
search = BestSearch(nomenclature, training, embed)
training_words = WordIndex(training)

field = pl.read_parquet(FIELD_TEST)
final = field[np.random.default_rng(9).choice(len(field), 500, replace=False)].select("label", "code")
final_truth = final["code"].to_numpy()
final_candidates = search.candidates(final["label"].to_list(), embed(final["label"], keep="final"), K)
within_reach = share([code in row for code, row in zip(final["code"], final_candidates)])
print(f"{len(final)} labels of the field test, Retriever@5 {within_reach}")

# %% [markdown] tags=["question"] question="9.1"
# Question 9.1: RAG, with examples
#
# The prompt can show labelled examples too, with each candidate: labels of the training set, chosen to be like the text.
# `training_words.scores(texts)` gives the BM25 scores of all training labels for each of `texts`, an array with one column a
# training label, in the order of `split.X_train` and `split.y_train`.
#
# - Write a function `requests_for(texts, candidates)` that returns a list of pairs (messages, candidates), one for each text;
#   `candidates` has a list of codes for each. Show each candidate with the **three training labels of its class with the highest
#   scores** for the text, best first: `candidate_block(classes[code], examples)` writes the block, `make_messages(text, blocks)` the
#   messages. Put the pairs for `final` and `final_candidates` in `final_requests`.
# - Let `ask_all(final_requests, answers_path, ask)` ask (a language model takes several minutes), and make a table `rag`: the columns
#   of `final` and those of the answers, whose `code` is renamed to `coded`.
# - Put the codes in an array `rag_codes`, an empty text where there is none, and the accuracy over all 500 labels in
#   `rag_accuracy`, made by `share`.
#
# Why may no example come from the field test?

# %% [markdown] tags=["hint"] question="9.1"
# Scores of all 500 labels can be computed at once. For one label and one class you need the numbers of the training labels of that
# class, sorted by their score for the label.

# %% [markdown] tags=["hint"] question="9.1"
# `np.flatnonzero(split.y_train == code)` are the numbers of the training labels of a class, and
# `numbers[np.argsort(-scores[numbers])[:3]]` the best three for a label with these scores.

# %% tags=["solution"] question="9.1"
numbers_of = {code: np.flatnonzero(split.y_train == code) for code in classes}


def requests_for(texts, candidates):
    """Pairs of messages and candidates, each candidate shown with three examples: a list."""
    requests = []
    for text, row, scores in zip(texts, candidates, training_words.scores(texts)):
        blocks = []
        for code in row:
            numbers = numbers_of[code]
            nearest = numbers[np.argsort(-scores[numbers], kind="stable")[:3]]
            blocks.append(candidate_block(classes[code], split.X_train[nearest].tolist()))
        requests.append((make_messages(text, blocks), row))
    return requests


final_requests = requests_for(final["label"].to_list(), final_candidates)
rag = pl.concat([final, pl.DataFrame(ask_all(final_requests, answers_path, ask)).rename({"code": "coded"})], how="horizontal")
rag_codes = rag["coded"].fill_null("").to_numpy()
rag_accuracy = share(rag_codes == final_truth)
first = share(np.array([row[0] for row in final_candidates]) == final_truth)
print(f"RAG with {generator_name()}: {rag_accuracy} coded rightly")
print(f"the first candidate, without asking: {first}")

# %% tags=["check"] question="9.1"
def check(requests_for, final_requests, rag, rag_codes, rag_accuracy, *, final, final_candidates, split, classes, training_words):
    import numpy
    from funathon.course.checking import as_function, as_instance, as_list, as_table, close, equal
    from funathon.measures import Share
    from funathon.rag.asking import fingerprint, generator_name
    from funathon.rag.prompts import candidate_block, isolated

    requests = as_list("final_requests", final_requests, length=len(final))
    assert all(len(pair) == 2 for pair in requests), "`final_requests` should be a list of pairs (messages, candidates)"
    numbers_of = {code: numpy.flatnonzero(split.y_train == code) for code in classes}
    foreign = {isolated(text) for text in final["label"]}
    for place, (text, (messages, shown), row, scores) in enumerate(
        zip(final["label"], requests, final_candidates, training_words.scores(final["label"].to_list()))
    ):
        assert list(shown) == list(row), f"the candidates of `final_requests[{place}]` should be those in `final_candidates`"
        frame, *blocks = messages[1]["content"].split("\n\n### ")
        assert f"<activity>\n{isolated(text)}\n</activity>" in frame, f"the messages of `final_requests[{place}]` should hold the label in that row of `final`"
        assert len(blocks) == len(row), f"the messages of `final_requests[{place}]` should show {len(row)} candidates"
        for code, block in zip(row, blocks):
            notes = candidate_block(classes[code]).removeprefix("### ")
            assert block.startswith(notes), f"the messages of `final_requests[{place}]` should show {code} as `candidate_block` writes it, in the order of the candidates"
            lines = block.removeprefix(notes).strip("\n").split("\n")
            examples = [line.removeprefix("- ") for line in lines[1:]]
            assert lines[0] == "Examples:" and len(examples) == 3, f"in `final_requests[{place}]`, {code} should be shown with three examples"
            own = dict(zip([isolated(label) for label in split.X_train[numbers_of[code]]], scores[numbers_of[code]]))
            for example in examples:
                assert example in own, (
                    f"in `final_requests[{place}]`, {example!r} is shown as an example of {code}; it is "
                    + ("a label of the field test: the system would be told what it is asked" if example in foreign else "no training label of that class")
                )
            given, best = [own[example] for example in examples], numpy.sort(scores[numbers_of[code]])[::-1][:3]
            assert len(set(examples)) == 3 and numpy.allclose(given, best, atol=1e-4), (
                f"in `final_requests[{place}]`, the examples of {code} should be the three training labels of the class with the highest scores for the text, best first"
            )
    few = slice(490, None)
    again = as_function("requests_for", requests_for)(final["label"][few].to_list(), final_candidates[few])
    assert [messages for messages, _ in again] == [messages for messages, _ in requests[few]], "`final_requests` should be what `requests_for` returns for the labels of `final` and `final_candidates`"
    table = as_table("rag", rag, columns=("label", "code", "coded", "confidence", "outcome", "seconds", "tokens_in", "tokens_out", "fingerprint"), rows=len(final))
    assert table["label"].to_list() == final["label"].to_list(), "`rag` should have one row for each label of `final`, in that order"
    for place, (own, (messages, _), code, row) in enumerate(zip(table["fingerprint"], requests, table["coded"], final_candidates)):
        assert own == fingerprint(messages), f"row {place} of `rag` is the answer to another prompt than that of `final_requests[{place}]`: ask with `final_requests`, and keep the order"
        assert code is None or code in row, f"row {place} of `rag` has a code outside its candidates"
    assert list(rag_codes) == table["coded"].fill_null("").to_list(), "`rag_codes` should hold the codes of `rag`, an empty text where there is none"
    value = as_instance("rag_accuracy", rag_accuracy, Share, "Make it with `share`.")
    equal("rag_accuracy.n", value.n, len(final), "all labels")
    close("rag_accuracy.value", value.value, sum(a == b for a, b in zip(table["coded"], final["code"])) / len(final), 1e-9, digits=3)
    first = sum(row[0] == code for row, code in zip(final_candidates, final["code"])) / len(final)
    return f"RAG with {generator_name()}: {value} coded rightly; the first candidate, without asking, is right in {first:.1%}"


# %% [markdown]
# What are the examples worth? Measure it by leaving them out: the same labels, the same candidates, the same model, a prompt with the
# notes alone. (With an endpoint in `.env`, these are 500 more requests.)

# %%
plain_requests = [
    (make_messages(text, [candidate_block(classes[code]) for code in row]), row)
    for text, row in zip(final["label"], final_candidates)
]
plain_codes = pl.DataFrame(ask_all(plain_requests, answers_path, ask))["code"].fill_null("")
print(generator_name())
for name, given in [
    ("the first candidate, without asking", [row[0] for row in final_candidates]),
    ("asked, with the notes alone", plain_codes),
    ("asked, with notes and three examples", rag_codes),
]:
    print(f"{name:40}{share(np.array(given) == final_truth)}")

# %% [markdown]
# With the stand-in, asking with the notes alone is no better than taking the first candidate. A generator has to know better than a
# list that is often right at its first place, and this list was made from 48,000 labels of which that prompt shows nothing. With the
# three nearest examples the generator sees some of them too, and is right about ten points more often than the list. So it is what the
# prompt shows, not that somebody is asked, which makes this generator worth its price. Measure yours in the same way: if it does not
# beat the first candidate, leave it out, or ask it only where the first candidates are close.
#
# With the stand-in, chapter 8 ended at 55 %, with this search and without examples. The second line is the same system: from there to
# it, nothing has changed but the labels (those of the field test are more typical of their class, as chapter 4 showed). Only from the
# second line to the third do the examples count.
#
# And no example may come from the field test because it would carry the answer: whoever shows the texts of a test, with their
# classes, measures how well a system copies.

# %% [markdown] tags=["question"] question="9.2"
# Question 9.2: the supervised model
#
# Load the pretrained model of chapter 4 and code the same labels:
#
# - `load_model(os.environ["PRETRAINED_URL"])`, from `funathon.supervised.pretrained`, verifies its files and loads it;
# - `confidences(model, texts)`, from `funathon.supervised.classifier`, takes a list of texts and returns an array with one row a text
#   and one column a class, in the order of `model.value_encoder.label_encoder.classes_`.
#
# Put the model in `pretrained`, the codes in an array `supervised_codes`, their confidences in `supervised_confidence`, and the
# accuracy in `supervised_accuracy`, made by `share`.
#
# Then count how often both are right, only one is, or none: a dictionary `both` with the keys `"both"`, `"only supervised"`, `"only
# RAG"` and `"none"`.

# %% [markdown] tags=["hint"] question="9.2"
# `argmax(axis=1)` gives the number of the likeliest class and `max(axis=1)` its confidence. With the arrays `a` and `b` of true and
# false, `(a & ~b).sum()` counts where only the first holds.

# %% tags=["solution"] question="9.2"
from funathon.supervised.classifier import confidences
from funathon.supervised.pretrained import load_model

pretrained = load_model(os.environ["PRETRAINED_URL"])
P = confidences(pretrained, final["label"].to_list())
supervised_codes = pretrained.value_encoder.label_encoder.classes_[P.argmax(axis=1)]
supervised_confidence = P.max(axis=1)

supervised_right = supervised_codes == final_truth
rag_right = rag_codes == final_truth
supervised_accuracy = share(supervised_right)
both = {
    "both": int((supervised_right & rag_right).sum()),
    "only supervised": int((supervised_right & ~rag_right).sum()),
    "only RAG": int((~supervised_right & rag_right).sum()),
    "none": int((~supervised_right & ~rag_right).sum()),
}
print(f"supervised {supervised_accuracy}, RAG with {generator_name()} {rag_accuracy}")
print(both)

# %% tags=["check"] question="9.2"
def check(pretrained, supervised_codes, supervised_confidence, supervised_accuracy, both, *, final, rag):
    import numpy
    from funathon.course.checking import as_array, as_dict, as_instance, close, equal
    from funathon.measures import Share
    from funathon.rag.asking import generator_name
    from funathon.supervised.classifier import confidences

    assert hasattr(pretrained, "value_encoder"), "`pretrained` should be the model that `load_model` returns"
    P = confidences(pretrained, final["label"].to_list())
    codes = pretrained.value_encoder.label_encoder.classes_[P.argmax(axis=1)]
    given = as_array("supervised_codes", supervised_codes, shape=(len(final),))
    assert (given == codes).all(), "`supervised_codes` should be the likeliest class of each label, as text"
    trust = as_array("supervised_confidence", supervised_confidence, shape=(len(final),))
    assert numpy.allclose(trust, P.max(axis=1), atol=1e-4), "`supervised_confidence` should be the confidence of the likeliest class"
    good = codes == final["code"].to_numpy()
    value = as_instance("supervised_accuracy", supervised_accuracy, Share, "Make it with `share`.")
    equal("supervised_accuracy.n", value.n, len(final), "all labels")
    close("supervised_accuracy.value", value.value, good.mean(), 1e-9, digits=3)
    other = numpy.array([a == b for a, b in zip(rag["coded"], final["code"])])
    counts = {"both": good & other, "only supervised": good & ~other, "only RAG": ~good & other, "none": ~good & ~other}
    found = as_dict("both", both, keys=counts)
    for name, array in counts.items():
        equal(f"both[{name!r}]", found[name], int(array.sum()))
    return f"supervised {value}; only the supervised model is right on {found['only supervised']} labels, only RAG with {generator_name()} on {found['only RAG']}"


# %% [markdown]
# The labels on which only one of them is right are the interesting ones. Were the two equally good, these would fall either
# way like a coin: `binomtest(both["only RAG"], both["only RAG"] + both["only supervised"]).pvalue`, from `scipy.stats`,
# says how surprising the split would then be (McNemar's test). They also say how much a system that knew whom to believe
# could gain. A simple rule does not choose. It asks both, and codes automatically **when they agree**; the rest goes to
# people.

# %% [markdown] tags=["question"] question="9.3"
# Question 9.3: code when they agree
#
# - Put in `agree` an array that is true where both systems give the same code; its share of the labels, the coverage, in
#   `agree_coverage`, and the share of right codes among them, the precision, in `agree_precision`, both made by `share`.
# - For a fair comparison, let the supervised model alone code the *same number* of labels, those of which it is surest, and put its
#   precision on them in `alone_precision`, made by `share`.

# %% [markdown] tags=["hint"] question="9.3"
# A label without a code from RAG cannot agree. In `rag_codes` it has an empty text, which equals no code.

# %% [markdown] tags=["hint"] question="9.3"
# `np.argsort(-supervised_confidence)[: agree.sum()]` are the numbers of the labels of which the supervised model is surest.

# %% tags=["solution"] question="9.3"
agree = supervised_codes == rag_codes
agree_coverage = share(agree)
agree_precision = share(supervised_right[agree])
surest = np.argsort(-supervised_confidence, kind="stable")[: agree.sum()]
alone_precision = share(supervised_right[surest])
print(f"the supervised model and {generator_name()} agree on {agree_coverage} of the labels, and are then right in {agree_precision}")
print(f"the supervised model alone, on as many: {alone_precision}")

# %% tags=["check"] question="9.3"
def check(agree, agree_coverage, agree_precision, alone_precision, *, supervised_codes, supervised_confidence, rag, final):
    import numpy
    from funathon.course.checking import as_array, as_instance, close, equal
    from funathon.measures import Share
    from funathon.rag.asking import generator_name

    same = numpy.array([a == b for a, b in zip(rag["coded"], supervised_codes)])
    good = supervised_codes == final["code"].to_numpy()
    given = as_array("agree", agree, shape=same.shape)
    assert (given == same).all(), "`agree` should be true where both give the same code, right or wrong"
    for name, value, expected in (("agree_coverage", agree_coverage, same), ("agree_precision", agree_precision, good[same])):
        as_instance(name, value, Share, "Make it with `share`.")
        equal(f"{name}.n", value.n, len(expected))
        close(f"{name}.value", value.value, expected.mean(), 1e-9, digits=3)
    as_instance("alone_precision", alone_precision, Share, "Make it with `share`.")
    equal("alone_precision.n", alone_precision.n, int(same.sum()), "as many labels as they agree on")
    order = numpy.argsort(-numpy.asarray(supervised_confidence), kind="stable")[: same.sum()]
    close("alone_precision.value", alone_precision.value, good[order].mean(), 0.006, "on the labels with the highest confidence", digits=3)
    return f"the supervised model and {generator_name()} agree on {agree_coverage.value:.1%} and are then right in {agree_precision.value:.1%}; the supervised model alone, on as many, in {alone_precision.value:.1%}"


# %% [markdown]
# Nothing was chosen on these labels by their right codes: the rule has no threshold, and that of the model alone was set by a
# number of texts, for which one need not know what is right. So both precisions may be reported from here. Had you picked the
# threshold with the best precision, you would have to measure it on other labels.
#
# Whether agreement beats confidence is a question for your own models and texts. What the rule has on its side is that it
# needs no confidence at all, and that two systems built in different ways do not make all mistakes together. They share
# some, though: count the labels on which they agree and are wrong, `(agree & (supervised_codes != final_truth)).sum()`, and
# set them against all errors of the supervised model, `(supervised_codes != final_truth).sum()`.

# %% [markdown] tags=["question"] question="9.4"
# Question 9.4: what it costs
#
# Time first, like with like: the **wall clock** from texts to codes, the search and the waiting included, divided by the number of
# labels. The function `code_by_rag` below does all of RAG, with nothing read from disk; `code_by_network` does all that the network
# needs. `timed` holds 100 labels of the field test that neither has coded yet.
#
# - Let each code `timed` once, and put the seconds a label in `rag_seconds` and `supervised_seconds`.
# - Services charge for tokens, what goes in and what comes out at different prices. The prices below are **not anybody's**: they are
#   round numbers to make the arithmetic visible. Put the cost of coding one label by RAG in `rag_cost`, in the currency of the
#   prices, from the mean tokens of `rag`.

# %%
from concurrent.futures import ThreadPoolExecutor

from funathon.supervised.classifier import confidences

price_of_a_million_tokens_in = 1.00  # an example, not a price of anybody: put in yours
price_of_a_million_tokens_out = 3.00  # an example too
others = field.filter(~pl.col("label").is_in(final["label"].implode()))
timed = others["label"].sample(100, seed=9).to_list()


def code_by_rag(texts):
    """Codes of texts by RAG: embed, search, find examples, ask, four requests at a time; None where there is none."""
    candidates = search.candidates(texts, embed(texts), K)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda request: ask(*request), requests_for(texts, candidates)))
    return [answer["code"] for answer in answers]


def code_by_network(texts):
    """Codes of texts by the pretrained model, all in one batch."""
    return pretrained.value_encoder.label_encoder.classes_[confidences(pretrained, texts).argmax(axis=1)]


# %% [markdown] tags=["hint"] question="9.4"
# `started = time.perf_counter()` before, and `(time.perf_counter() - started) / len(timed)` after.

# %% [markdown] tags=["hint"] question="9.4"
# `tokens_in` and `tokens_out` of `rag` are counts for one label. Multiply their means by the price of one token.

# %% tags=["solution"] question="9.4"
started = time.perf_counter()
code_by_rag(timed)
rag_seconds = (time.perf_counter() - started) / len(timed)
started = time.perf_counter()
code_by_network(timed)
supervised_seconds = (time.perf_counter() - started) / len(timed)

rag_cost = (
    rag["tokens_in"].mean() * price_of_a_million_tokens_in + rag["tokens_out"].mean() * price_of_a_million_tokens_out
) / 1_000_000
print(f"RAG with {generator_name()}: {rag_seconds * 1000:.1f} ms a label; the network: {supervised_seconds * 1000:.2f} ms")
print(f"a million labels by RAG: {rag_seconds * 1e6 / 3600:,.1f} hours, and {rag_cost * 1_000_000:,.0f} at these example prices")

# %% tags=["check"] question="9.4"
def check(rag_seconds, supervised_seconds, rag_cost, *, rag, timed, code_by_rag, code_by_network, price_of_a_million_tokens_in, price_of_a_million_tokens_out):
    import time

    from funathon.course.checking import as_number, close
    from funathon.rag.asking import generator_name

    def taken(code, texts):
        started = time.perf_counter()
        code(texts)
        return (time.perf_counter() - started) / len(texts)

    given = {"rag_seconds": as_number("rag_seconds", rag_seconds), "supervised_seconds": as_number("supervised_seconds", supervised_seconds)}
    # one machine is busier than another, and one minute than the next: only the order of magnitude can be checked
    for name, expected in (("rag_seconds", taken(code_by_rag, timed[:12])), ("supervised_seconds", taken(code_by_network, timed))):
        assert expected / 15 < given[name] < expected * 15, (
            f"`{name}` should be the seconds for one label, about {expected:.2g} here, not {given[name]:.2g}: the wall clock for all of `timed`, divided by their number"
        )
    for name in ("mean", "median"):
        assert abs(given["rag_seconds"] - getattr(rag["seconds"], name)()) > 1e-9, (
            f"`rag_seconds` is the {name} of the seconds in `rag`, for which one request was under way beside others, the search left out: "
            "take the wall clock around `code_by_rag(timed)`, divided by their number"
        )
    cost = (rag["tokens_in"].mean() * price_of_a_million_tokens_in + rag["tokens_out"].mean() * price_of_a_million_tokens_out) / 1e6
    close("rag_cost", as_number("rag_cost", rag_cost, "It is for one label: take the means."), cost, 1e-9 + cost / 1000, "for one label, with the prices given for a million tokens", digits=6)
    return f"wall clock a label: {given['rag_seconds'] * 1000:.1f} ms for RAG with {generator_name()}, {given['supervised_seconds'] * 1000:.2f} ms for the supervised model; {rag['tokens_in'].mean():,.0f} tokens in and {rag['tokens_out'].mean():,.0f} out"


# %% [markdown]
# The stand-in answers from this machine in milliseconds; a language model may take seconds, and its service may charge for them. But the
# comparison leaves out two costs, perhaps the largest. Both systems stand on tens of thousands of coded labels, which took people
# years in any office that has them: the network was trained on them, and the index holds them. And every text that is not coded, or
# coded wrongly, costs a coder's time or the quality of a statistic.
#
# So there is no winner as such. A register with years of coded texts can have both systems, and send to people what they disagree
# on. An office that starts with a new nomenclature has the labels that the correspondence table converts and those that were coded
# twice (chapter 5); for classes that were split it may have little more than the notes, and with notes alone an accuracy like that of
# chapter 8's first exercise. The labels that people code go into the index as they come, and when there are enough, a network can be
# trained on them. The two systems of this course are two ends of one path.

# %% [markdown]
# ## What you have learnt
#
# - Compare systems on the same labels, with intervals, and count where only one of them is right.
# - What a test is made of may stand in no index and in no prompt.
# - Two systems that agree are a rule for coding automatically, and it needs no confidence.
# - Time is wall clock from text to code, on both sides; money is tokens times price; and the labels are the largest cost of all.
#
# ## Where to go from here
#
# You have built two systems for automatic coding and measured both. Some ways on:
#
# - **Your own texts.** `uv run funathon evaluate FILE` measures the supervised model and `uv run funathon rag evaluate FILE` the
#   pipeline of chapters 7 to 9 on any table with the columns `code` and `label`. A few hundred real texts, drawn at random from
#   those that you will code, and coded by two people who do not see each other's codes, say more than all figures of this course.
#   The second command sends them to the endpoint of `.env`, if there is one, and names its host first: may they go there?
# - **Another generator.** Put an endpoint into `.env`, run chapter 8 again and compare its first exercise. Only the second half of
#   the system changes, and conditional accuracy says by how much.
# - **Another nomenclature or language.** The notes of any classification can take the place of ours. For labels in other languages
#   take an embedding model that has read them; ours has read English.
# - **A real workflow.** Decide with the coders which texts a person should see, let them correct what the machine proposes, and
#   feed the corrections back: as labels for training, as examples in the index. Then measure again, every month, on fresh texts that
#   people have coded without seeing a proposal. Texts change, and no system notices by itself.
#
# And whatever you build, say what it is: a proposal of a machine with a known rate of error. The ruling stays with people.
