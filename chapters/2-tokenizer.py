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
# # 2. From text to numbers
#
# *Part 1, supervised learning · chapter 2 of 10 · about 45 minutes · nothing needed before: the first cells rebuild it*
#
# In this chapter you will
#
# - see why a text must become a row of integers, and how;
# - compare three ways to cut it: characters, words and pieces of words;
# - train a WordPiece tokenizer on the labels and choose how long its output should be;
# - find out what it does with words it has never met.

# %% [markdown]
# ## Why numbers
#
# A neural network multiplies and adds. It cannot do either with *bakery*. So a text goes through three steps:
#
# 1. **split** it into small units, the **tokens**;
# 2. **map** each token to an integer, its place in a fixed list, the **vocabulary**;
# 3. **pad** the row of integers to a fixed length, so that many texts fit in one rectangular array.
#
# ![The text "artisan bakeries" is split into the tokens artisan, baker and ##ies between two special tokens, each token
# is mapped to an integer, the row is padded to length eight, and a mask marks the five real
# tokens.](../site/images/tokenizer.svg)
#
# The pieces and integers in the drawing are an example; yours will differ.
#
# ## Three ways to cut
#
# | Unit | *bakeries* becomes | Vocabulary | What goes wrong |
# |---|---|---|---|
# | character | b a k e r i e s | about 100 | long rows; a letter means nothing by itself |
# | word | bakeries | tens of thousands | *bakeries* and *bakery* have nothing in common; a new word is lost |
# | subword | baker ##ies | you choose, say 5,000 | the cuts are not always those of a linguist |
#
# **Subwords** are a compromise that works so well that nearly all language models use it. A frequent word stays whole; a
# rare one is cut into pieces that are frequent. A piece that continues a word starts with `##`.
#
# ## Where the pieces come from
#
# One starts from single characters and joins, again and again, two neighbouring pieces into a new one, until the vocabulary has
# the size you asked for. The methods differ in the pair they join next:
#
# - **byte-pair encoding** (BPE) joins the pair that stands together most often;
# - **WordPiece** joins the pair that makes the texts most likely. A common account of its rule is the score *count of the pair /
#   (count of the first × count of the second)*: two pieces that hardly ever occur apart come first, even if they are rare.
#
# Take the words *hug* (10 times), *pug* (5), *pun* (12), *bun* (4) and *hugs* (5). BPE first joins *u* and *g*, which stand
# together 20 times. WordPiece's score first joins *g* and *s*: 5 / (20 × 5), while *u* and *g* have only 20 / (36 × 20).
#
# Now the surprise: the tokenizer we use is called WordPiece, and yet it learns its pieces **by the rule of BPE**. So does
# everything that is trained with Hugging Face's library, since the makers of WordPiece never published their trainer. What is
# WordPiece about it is the `##`, and how a text is cut once the pieces are known: from the left, always the longest known
# piece.

# %%
from funathon.course.exercise import start

check, hint, solution, catch_up = start("2-tokenizer")

# %% [markdown]
# This cell rebuilds what chapter 1 made: the labels, split by the same rule.

# %%
import os

import fsspec
import numpy as np
import polars as pl
from sklearn.model_selection import train_test_split

with fsspec.open(os.environ["LABELS_URL"], "rb") as file:
    labels = pl.read_parquet(file)
X, y = labels["label"].to_numpy(), labels["code"].to_numpy()
X_train, X_rest, y_train, y_rest = train_test_split(X, y, test_size=0.3, random_state=42, stratify=y)
X_val, X_test, y_val, y_test = train_test_split(X_rest, y_rest, test_size=0.5, random_state=42, stratify=y_rest)
print(f"{len(X_train):,} labels to learn from, for example: {X_train[0]}")

# %% [markdown]
# ## Exercise: train a tokenizer

# %% [markdown] tags=["question"] question="2.1"
# Question 2.1: train it
#
# Make a `WordPieceTokenizer` (from `torchTextClassifiers.tokenizers.WordPiece`) with a vocabulary of 5,000 and rows of 10
# tokens, call it `tokenizer`, and train it on the training texts only. Then tokenize the whole training set into
# `encoded`, and put the tokens of its first row, special ones included, in `first_tokens`, a list of texts.
#
# Why on the training texts only? The vocabulary is fitted too, and chapter 1 said what follows from that.

# %% [markdown] tags=["hint"] question="2.1"
# The arguments are `vocab_size` and `output_dim`. Both `train` and `tokenize` want a list: `X_train.tolist()`.

# %% [markdown] tags=["hint"] question="2.1"
# `encoded.input_ids` is a tensor of shape (texts, 10). The tokenizer of the library wraps one of Hugging Face:
# `tokenizer.tokenizer.convert_ids_to_tokens(…)` turns a row of integers into tokens.

# %% tags=["solution"] question="2.1"
from torchTextClassifiers.tokenizers.WordPiece import WordPieceTokenizer

tokenizer = WordPieceTokenizer(vocab_size=5000, output_dim=10)
tokenizer.train(X_train.tolist())
encoded = tokenizer.tokenize(X_train.tolist())
first_tokens = tokenizer.tokenizer.convert_ids_to_tokens(encoded.input_ids[0])
print(encoded.input_ids.shape)
print(X_train[0])
print(encoded.input_ids[0].tolist())
print(first_tokens)

# %% tags=["check"] question="2.1"
def check(tokenizer, encoded, first_tokens, *, X_train):
    from torchTextClassifiers.tokenizers.WordPiece import WordPieceTokenizer

    from funathon.course.checking import as_array, as_instance, as_list, equal

    as_instance("tokenizer", tokenizer, WordPieceTokenizer)
    assert tokenizer.trained, "`tokenizer` is not trained yet: call `tokenizer.train` on the training texts."
    equal("tokenizer.vocab_size", tokenizer.vocab_size, 5000)
    equal("tokenizer.output_dim", tokenizer.output_dim, 10, "the length of a row")
    ours = WordPieceTokenizer(vocab_size=5000, output_dim=10)
    ours.train(X_train.tolist())
    foreign = sorted(set(tokenizer.tokenizer.get_vocab()) - set(ours.tokenizer.get_vocab()))
    # two trainings on the same texts give the same pieces, but for a few on the last rank if their counts tie
    assert len(foreign) < 60, f"`tokenizer` has {len(foreign)} pieces that the training texts do not give, {foreign[0]!r} among them: train it on `X_train` only, and on all of it."
    assert hasattr(encoded, "input_ids"), "`encoded` should be what `tokenizer.tokenize` returns."
    as_array("encoded.input_ids", encoded.input_ids, (len(X_train), 10), "Tokenize the whole of `X_train`.")
    expected = tokenizer.tokenizer.convert_ids_to_tokens(encoded.input_ids[0])
    equal("first_tokens", as_list("first_tokens", first_tokens, "text"), expected, "the tokens of the first row of `encoded.input_ids`")
    return f"{len(X_train):,} texts became rows of 10 integers"


# %% [markdown]
# Two things to notice. Every row carries **special tokens**: one at its start and one at its end, and `[PAD]` where the
# text is shorter than the row. By custom a text starts with `[CLS]` and ends with `[SEP]`; this version of the library
# has them the other way round. It does no harm, since the model learns from whatever it gets, but do not be surprised.
#
# And if you train the tokenizer twice, you get the same pieces, but about one in twenty of them under another number. Many
# pairs stand together equally often, and the implementation takes them in no fixed order, whatever seed you set. Texts are
# cut alike, but a network that has learnt what number 1204 means cannot read the other numbering. To use a model, keep its
# tokenizer with it.

# %% [markdown] tags=["question"] question="2.2"
# Question 2.2: how long should a row be?
#
# Rows of 10 tokens, two of them special, leave 8 for the text. Tokens beyond the last are simply **cut**, and the model
# never sees them. Count the tokens of each training label when nothing is cut, special tokens included, in `n_tokens`; put
# the share of labels that 10 tokens cut in `share_cut`; and put in `better_output_dim` the smallest length that cuts at most
# 1 label in 50. Draw a histogram of `n_tokens` and keep its figure in `lengths_figure`.

# %% [markdown] tags=["hint"] question="2.2"
# The wrapped tokenizer does not cut unless told to: `tokenizer.tokenizer(X_train.tolist())["input_ids"]` is a list of
# lists of different lengths.

# %% [markdown] tags=["hint"] question="2.2"
# With `n_tokens` as a numpy array, `(n_tokens > 10).mean()` is a share, and `np.quantile(n_tokens, 0.98, method="higher")`
# is the length that 98 % of the labels do not exceed. `lengths_figure = plt.figure()` starts a figure.

# %% tags=["solution"] question="2.2"
#| fig-alt: Histogram of the number of tokens of a label, with a line at 10 tokens and one at the length chosen instead.
import matplotlib.pyplot as plt

n_tokens = np.array([len(ids) for ids in tokenizer.tokenizer(X_train.tolist())["input_ids"]])
share_cut = (n_tokens > 10).mean()
better_output_dim = int(np.quantile(n_tokens, 0.98, method="higher"))
print(f"10 tokens cut {share_cut:.0%} of the labels, {better_output_dim} cut {(n_tokens > better_output_dim).mean():.1%}")

lengths_figure = plt.figure(figsize=(7, 3), layout="constrained")
plt.hist(n_tokens, bins=range(1, n_tokens.max() + 2))
plt.axvline(10.5, color="tab:red", label="10 tokens")
plt.axvline(better_output_dim + 0.5, color="tab:green", label=f"{better_output_dim} tokens")
plt.xlabel("tokens of a label")
plt.ylabel("labels")
plt.legend()
plt.show()

# %% tags=["check"] question="2.2"
def check(n_tokens, share_cut, better_output_dim, lengths_figure, *, tokenizer, X_train):
    import numpy

    from funathon.course.checking import as_array, as_int, as_share, close, drawn

    lengths = numpy.array([len(ids) for ids in tokenizer.tokenizer(X_train.tolist())["input_ids"]])
    counted = as_array("n_tokens", n_tokens, lengths.shape, "One number for each label of `X_train`.")
    assert counted.max() > 10, "`n_tokens` never exceeds 10, so it was counted after cutting; count before."
    assert (counted == lengths).all(), "`n_tokens` should count all tokens of a label, the two special ones included."
    close("share_cut", as_share("share_cut", share_cut), (lengths > 10).mean(), 0.0005, "the share of labels with more than 10 tokens")
    chosen = as_int("better_output_dim", better_output_dim)
    cut = (lengths > chosen).mean()
    assert cut <= 0.02, f"{chosen} tokens still cut {cut:.1%} of the labels; at most 2 % should be cut."
    fewer = (lengths > chosen - 1).mean()
    assert fewer > 0.02, f"{chosen} tokens are more than are needed: {chosen - 1} cut {fewer:.1%}. In longer rows there is more padding."
    drawn("lengths_figure", lengths_figure)
    return f"10 tokens cut {(lengths > 10).mean():.0%} of the labels, {chosen} cut {cut:.1%}"


# %% [markdown]
# Long rows cost time, because the network works on padding too. Short rows cost accuracy, because the cut words are often
# the ones that decide: in *"family firm in the old town that since 1987 has repaired clocks"* the last two words are what
# matters. Look at the distribution, then choose; that is all there is to it.
#
# Here the tail is of one kind: the descriptions, in which organisations tell much else besides. Chapter 3 will cut them at 36 tokens,
# as most labels are far shorter and short rows train fast. The pretrained model of chapter 4 reads 128.

# %% [markdown] tags=["question"] question="2.3"
# Question 2.3: words it has not met
#
# Real texts hold misspelt words, foreign words, accents and emoji. Look at the tokens (without special ones) of each of
# these four texts, and put them in a dictionary `pieces`, from text to list of tokens:
#
# - `"bakkery"`, misspelt;
# - `"blockchainification"`, a word that no training label contains;
# - `"café"`, with an accent;
# - `"🥐"`, an emoji.

# %% [markdown] tags=["hint"] question="2.3"
# `tokenizer.tokenizer.tokenize(text)` gives the tokens of one text, without special tokens.

# %% tags=["solution"] question="2.3"
pieces = {text: tokenizer.tokenizer.tokenize(text) for text in ["bakkery", "blockchainification", "café", "🥐"]}
for text, tokens in pieces.items():
    print(f"{text:20} {tokens}")

# %% tags=["check"] question="2.3"
def check(pieces, *, tokenizer):
    from funathon.course.checking import as_dict, as_list, equal

    texts = ("bakkery", "blockchainification", "café", "🥐")
    found = as_dict("pieces", pieces, texts)
    for text in texts:
        tokens = as_list(f"pieces[{text!r}]", found[text], "text")
        assert "[CLS]" not in tokens and "[SEP]" not in tokens, f"`pieces[{text!r}]` should not hold special tokens."
        equal(f"pieces[{text!r}]", tokens, tokenizer.tokenizer.tokenize(text), "the tokens that `tokenizer` gives")
    return "a new word falls into known pieces; only what has no known piece at all becomes [UNK]"


# %% [markdown]
# A misspelt word falls into known pieces, so nothing is lost without a trace. If it shares a piece with the right word, the
# network has something to hold on to. See whether it does here: what does your tokenizer make of `"bakery"`? The accent is
# gone: this tokenizer puts everything in lower case and strips accents, so *café* and *cafe* are the same. The emoji is not
# made of any known piece and becomes `[UNK]`, *unknown*: all unknown things look alike. The same happens to a text in Greek
# or Chinese letters, since the labels are in English. A register in Greek needs a tokenizer trained on Greek.

# %% [markdown] tags=["question"] question="2.4"
# Question 2.4: padding and the mask
#
# Tokenize the single text `"bakery"` with your tokenizer. Put its row of integers in `bakery_ids` (a list), the number of
# `[PAD]` in it in `n_padding`, and its **attention mask** in `bakery_mask` (a list): 1 where there is a token, 0 where there is
# only padding.

# %% [markdown] tags=["hint"] question="2.4"
# `tokenizer.tokenize(["bakery"])` has `input_ids` and `attention_mask`, both of one row; `.tolist()` makes a list of a row.
# The integer of `[PAD]` is `tokenizer.padding_idx`.

# %% tags=["solution"] question="2.4"
bakery = tokenizer.tokenize(["bakery"])
bakery_ids = bakery.input_ids[0].tolist()
bakery_mask = bakery.attention_mask[0].tolist()
n_padding = bakery_ids.count(tokenizer.padding_idx)
print(tokenizer.tokenizer.convert_ids_to_tokens(bakery_ids))
print(bakery_mask, n_padding)

# %% tags=["check"] question="2.4"
def check(bakery_ids, bakery_mask, n_padding, *, tokenizer):
    from funathon.course.checking import as_int, as_list, equal

    expected = tokenizer.tokenize(["bakery"])
    ids, mask = expected.input_ids[0].tolist(), expected.attention_mask[0].tolist()
    equal("bakery_ids", as_list("bakery_ids", bakery_ids, "whole number", len(ids)), ids, "the row of integers of 'bakery'")
    equal("bakery_mask", as_list("bakery_mask", bakery_mask, "whole number", len(mask)), mask, "the attention mask of 'bakery'")
    equal("n_padding", as_int("n_padding", n_padding), mask.count(0), "the number of `[PAD]` in the row")
    return f"{mask.count(1)} real tokens and {n_padding} of padding"


# %% [markdown]
# The mask lets the next layers ignore the padding. Chapter 3 takes the mean of what the tokens of a text stand for; without the
# mask the padding would count too, and a short text would be watered down, the more so the longer the row.

# %% [markdown]
# ## What you have learnt
#
# - A tokenizer splits a text, maps the pieces to integers and pads the row; a mask marks what is real.
# - Subwords keep frequent words whole and cut rare ones into known pieces, so a new word is seldom lost. The name of a method
#   does not always tell what a library does.
# - The length of a row is a choice to be made from the data: too short cuts what matters, too long wastes time.
# - The tokenizer is part of the model: fitted on the training set, kept with the model.
#
# Next, in [chapter 3](3-training.ipynb), a network learns from these integers.
