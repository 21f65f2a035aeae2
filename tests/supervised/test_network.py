"""The network: the quick way to score and the plain one give the same, and a token counts by what stands around it."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from funathon.supervised.network import Neighbourhood, WeightedViews

PADDING = 0


def network(tokens=40):
    torch.manual_seed(1)
    made = WeightedViews(torch.randn(tokens, 8), num_classes=5, padding_idx=PADDING, views=2, dropout=0.3)
    for part in (made.log_weight.weight, made.heads, made.bias, made.neighbourhood.change.weight):
        torch.nn.init.normal_(part)
    return made.eval()


ROWS = st.lists(st.lists(st.integers(1, 39), min_size=1, max_size=25), min_size=1, max_size=6)


@settings(deadline=None)
@given(ROWS)
def test_texts_one_after_the_other_score_as_texts_in_padded_rows(rows):
    made = network()
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=PADDING)
    starts = torch.tensor([sum(map(len, rows[:i])) for i in range(len(rows))])
    with torch.no_grad():
        plain = made(ids, (ids != PADDING).float())
        quick, _ = made.score(torch.tensor([token for row in rows for token in row]), starts)
    assert torch.allclose(plain, quick, atol=1e-4)


def test_the_shares_of_the_tokens_add_up_to_the_score_above_the_mean_class():
    made, tokens = network(), torch.tensor([3, 9, 27, 3, 11])
    scores, _ = made.score(tokens, torch.tensor([0]))
    above = (scores[0] - made.bias.mean(dim=0)).detach()
    assert torch.allclose(made.shares(tokens, 2).sum(), above[2] - above.mean(), atol=1e-4)


def test_only_tokens_close_by_change_what_a_token_counts():
    made = network().neighbourhood
    row = torch.arange(1, 31)[None]
    other = row.clone()
    place = 15
    other[0, place] = 39
    with torch.no_grad():
        changed = (made(row, torch.ones(1, 30)) != made(other, torch.ones(1, 30))).any(dim=-1)[0]
    assert changed.nonzero().flatten().tolist() == list(range(place - Neighbourhood.AHEAD, place + Neighbourhood.BACK + 1))
