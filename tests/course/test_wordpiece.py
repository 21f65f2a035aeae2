"""What chapter 2 says of the tokenizer's training, held to what the library does."""

from collections import Counter
from itertools import pairwise

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

WORDS = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}


def counts() -> tuple[Counter, Counter]:
    """How often each character and each pair of neighbours stands in WORDS."""
    single, pairs = Counter(), Counter()
    for word, times in WORDS.items():
        single.update({letter: times * word.count(letter) for letter in set(word)})
        for pair in pairwise(word):
            pairs[pair] += times
    return single, pairs


def test_the_two_rules_join_different_pairs():
    single, pairs = counts()
    assert pairs.most_common(1) == [(("u", "g"), 20)] and (single["u"], single["g"]) == (36, 20)
    assert max(pairs, key=lambda pair: pairs[pair] / (single[pair[0]] * single[pair[1]])) == ("g", "s")


def test_the_library_learns_word_pieces_by_the_rule_of_byte_pair_encoding():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    letters = {letter for word in WORDS for letter in word} | {f"##{letter}" for word in WORDS for letter in word[1:]}
    trainer = trainers.WordPieceTrainer(vocab_size=len(letters) + 2, special_tokens=["[UNK]"], show_progress=False)
    tokenizer.train_from_iterator([word for word, times in WORDS.items() for _ in range(times)], trainer)
    assert set(tokenizer.get_vocab()) - letters == {"[UNK]", "##ug"}
