from hypothesis import given
from hypothesis import strategies as st

from funathon.endpoint.embedding import ALIKE, BATCH, batches_of


@given(st.lists(st.integers(2, 256)))
def test_each_text_is_in_one_batch_of_texts_of_like_length(lengths):
    batches = list(batches_of(lengths))
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        chosen = [lengths[i] for i in batch]
        assert len(batch) <= BATCH and min(chosen) >= ALIKE * max(chosen)
    padded = sum(len(batch) * max(lengths[i] for i in batch) for batch in batches)
    assert padded <= sum(lengths) / ALIKE
