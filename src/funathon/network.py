"""The network of the pretrained model: several weighted means of token embeddings, each with a linear head."""

import torch
from torch import nn
from torch.nn import functional as F

SCALE = 10.0
"""Length of a text's vector before the head; with length 1 the head could not give confident scores early in training."""


class TokenEmbedder(nn.Module):
    """The embedding table, under the names by which torchTextClassifiers finds it to explain a prediction."""

    def __init__(self, vectors: torch.Tensor, padding_idx: int) -> None:
        super().__init__()
        self.embedding_layer = nn.Embedding.from_pretrained(vectors, freeze=False, padding_idx=padding_idx)


class WeightedViews(nn.Module):
    """A classifier for `torchTextClassifiers.from_model`.

    The vector of a token is cut into `views` equal parts. Each view takes the mean of its parts over the tokens of the text,
    weighing each token by a weight of its own that is learnt, brings the mean to a fixed length and scores the classes with a
    linear head. The network's scores are the mean over the views.

    In training each text is seen by one view only, chosen at random, so that the views learn apart and err apart, as an
    ensemble of networks does (Hansen and Salamon 1990, IEEE PAMI 12).

    `vectors`: where the embeddings start, shape (tokens, dimensions); dimensions must be a multiple of `views`.
    """

    def __init__(self, vectors: torch.Tensor, num_classes: int, padding_idx: int, views: int, dropout: float) -> None:
        super().__init__()
        # what torchTextClassifiers asks of a network
        self.num_classes = num_classes
        self.categorical_variable_net = None
        self.token_embedder = TokenEmbedder(vectors, padding_idx)
        self.views = views
        self.log_weight = nn.Embedding(len(vectors), views)
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.Parameter(torch.zeros(views, vectors.shape[1] // views, num_classes))
        self.bias = nn.Parameter(torch.zeros(views, num_classes))
        nn.init.zeros_(self.log_weight.weight)

    def __setstate__(self, state: dict) -> None:
        super().__setstate__(state)
        # the file holds half precision, in which processors compute slowly
        self.float()

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, categorical_vars: torch.Tensor | None = None, **kwargs
    ) -> torch.Tensor:
        """Scores of shape (texts, classes) from token ids and mask of shape (texts, tokens); `categorical_vars` is unused."""
        texts, tokens = input_ids.shape
        vectors = self.token_embedder.embedding_layer(input_ids).view(texts, tokens, self.views, -1)
        weights = self.log_weight(input_ids).exp() * attention_mask[..., None]
        sums = torch.einsum("ntvd,ntv->nvd", vectors, weights)
        means = SCALE * F.normalize(sums, dim=-1)
        if self.training:
            chosen = torch.randint(self.views, (texts,), device=input_ids.device)
            means = self.dropout(means[torch.arange(texts, device=input_ids.device), chosen])
            # sorting by view lets each head be applied once
            scores = means.new_empty(texts, self.num_classes)
            for view in range(self.views):
                rows = chosen == view
                scores[rows] = means[rows] @ self.heads[view] + self.bias[view]
            return scores
        return (torch.einsum("nvd,vdc->nvc", means, self.heads) + self.bias).mean(dim=1)
