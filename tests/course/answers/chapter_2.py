"""Answers to the questions of chapter 2 that differ from the official ones."""

WRONG = {
    "2.1": [
        ("tokenizer = WordPieceTokenizer(vocab_size=5000, output_dim=10)", "trained"),
        ("encoded = tokenizer.tokenize(X_val.tolist())", "shape"),
        ("tokenizer = WordPieceTokenizer(vocab_size=5000, output_dim=10); tokenizer.train(X.tolist())", "X_train only"),
        ("first_tokens = X_train[0]", "list"),
        ("first_tokens = X_train[0].split()", "first_tokens"),
        ("import copy; tokenizer = copy.copy(tokenizer); tokenizer.output_dim = 20", "10"),
    ],
    "2.2": [
        ("n_tokens = np.array([len(row) for row in encoded.input_ids])", "cut"),
        ("n_tokens = n_tokens - 2", "special"),
        ("share_cut = (n_tokens > 10).sum()", "share"),
        ("better_output_dim = 12", "12 tokens"),
        ("better_output_dim = int(n_tokens.max())", "padding"),
    ],
    "2.3": [
        ("pieces = list(pieces.values())", "dictionary"),
        ("pieces = {k: v for k, v in pieces.items() if k != 'café'}", "café"),
        ("pieces = {k: ['[SEP]', *v, '[CLS]'] for k, v in pieces.items()}", "special"),
        ("pieces = {k: [k] for k in pieces}", "tokens"),
    ],
    "2.4": [
        ("bakery_ids = tokenizer.tokenize(['cafe']).input_ids[0].tolist()", "bakery_ids"),
        ("bakery_mask = [1] * 10", "bakery_mask"),
        ("n_padding = sum(bakery_mask)", "n_padding"),
    ],
}

RIGHT = {}
