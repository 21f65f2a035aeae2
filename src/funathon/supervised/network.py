"""The network of the pretrained model: several weighted means of token embeddings, each with a linear head.

How much a token counts depends on itself and on its neighbours."""

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


class Neighbourhood(nn.Module):
    """What the tokens around a token say about how much it counts: behind *with a small …* or *formerly …* it counts less.

    Each token has a short vector for this alone; a convolution over the BACK tokens before, the token and the AHEAD tokens behind it
    gives the change of the logarithm of its weight, for each view.
    """

    BACK, AHEAD = 6, 2
    LENGTH, HIDDEN = 16, 32

    def __init__(self, tokens: int, views: int) -> None:
        super().__init__()
        self.vectors = nn.Embedding(tokens, self.LENGTH)
        self.around = nn.Conv1d(self.LENGTH, self.HIDDEN, self.BACK + 1 + self.AHEAD)
        self.change = nn.Linear(self.HIDDEN, views)
        nn.init.normal_(self.vectors.weight, std=0.5)
        # at first the neighbours change nothing
        nn.init.zeros_(self.change.weight)
        nn.init.zeros_(self.change.bias)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """The changes of shape (texts, tokens, views) from token ids and mask, both of shape (texts, tokens)."""
        return self._changes(self.vectors(input_ids) * attention_mask[..., None])

    def flat(self, tokens: torch.Tensor, starts: torch.Tensor) -> torch.Tensor:
        """The changes of shape (tokens, views) for texts one after the other, as `WeightedViews.score` takes them."""
        # so many zeros between two texts that neither sees the other
        gap = max(self.BACK, self.AHEAD)
        of_text = torch.bucketize(torch.arange(len(tokens)), starts, right=True) - 1
        places = torch.arange(len(tokens)) + gap * of_text
        spread = self.vectors.weight.new_zeros(len(tokens) + gap * len(starts), self.LENGTH)
        spread[places] = self.vectors(tokens)
        return self._changes(spread[None])[0, places]

    def _changes(self, vectors: torch.Tensor) -> torch.Tensor:
        """The changes from vectors of shape (texts, tokens, LENGTH), zeros where there is no token."""
        hidden = F.relu(self.around(F.pad(vectors.transpose(1, 2), (self.BACK, self.AHEAD))))
        return self.change(hidden.transpose(1, 2))


class WeightedViews(nn.Module):
    """A classifier for `torchTextClassifiers.from_model`.

    The vector of a token is cut into `views` equal parts. Each view takes the mean of its parts over the tokens of the text,
    weighing each token by a weight that is learnt, one of its own times one that its neighbours give it, brings the mean to a fixed
    length and scores the classes with a linear head. The network's scores are the mean over the views.

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
        self.neighbourhood = Neighbourhood(len(vectors), views)
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
        changes = self.neighbourhood(input_ids, attention_mask)
        weights = (self.log_weight(input_ids) + changes).exp() * attention_mask[..., None]
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
        return self._mean_scores(means)

    @torch.no_grad()
    def score(self, tokens: torch.Tensor, starts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The scores that `forward` gives when not training, shape (texts, classes), several times as fast, and the means that they
        are made of, shape (texts, dimensions of all views).

        `tokens` holds the token ids of all texts one after the other, and `starts` where each text starts, shape (texts,). The
        vectors are added up as they are read, so that there is no padding and no array of shape (texts, tokens, dimensions);
        but nothing can be explained by following the gradients, for which `forward` is there.
        """
        weights = (self.log_weight(tokens) + self.neighbourhood.flat(tokens, starts)).exp()
        # row `token * views + view` of this table is the part of a token's vector that a view reads
        table = self.token_embedder.embedding_layer.weight.view(len(self.log_weight.weight) * self.views, -1)
        sums = [
            F.embedding_bag(
                tokens * self.views + view, table, starts, mode="sum", per_sample_weights=weights[:, view].contiguous()
            )
            for view in range(self.views)
        ]
        means = SCALE * F.normalize(torch.stack(sums, dim=1), dim=-1)
        return self._mean_scores(means), means.flatten(1)

    def _mean_scores(self, means: torch.Tensor) -> torch.Tensor:
        """Mean over the views of the scores of their heads, from the views' means: shape (texts, views, dimensions a view)."""
        return torch.addmm(self.bias.mean(dim=0), means.flatten(1), self.heads.flatten(0, 1) / self.views)

    @torch.no_grad()
    def shares(self, tokens: torch.Tensor, target: int) -> torch.Tensor:
        """How much each token of one text adds to the score of the class `target`, shape (tokens,).

        With the lengths of the views' means taken as they are, the score is a sum over the tokens, so that the shares add up to
        what the score is above the bias: nothing is approximated. Each share is given above its mean over all classes, since
        what a token adds to every class alike decides nothing.
        """
        vectors = self.token_embedder.embedding_layer(tokens).view(len(tokens), self.views, -1)
        changes = self.neighbourhood.flat(tokens, torch.tensor([0]))
        weighted = vectors * (self.log_weight(tokens) + changes).exp()[..., None]
        lengths = weighted.sum(dim=0).norm(dim=-1).clamp_min(1e-12)
        above_mean = self.heads[:, :, target] - self.heads.mean(dim=2)
        return SCALE * torch.einsum("tvd,vd,v->t", weighted, above_mean, 1 / lengths) / self.views
