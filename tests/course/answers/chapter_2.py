"""Answers to the questions of chapter 2 that differ from the official ones."""

WRONG = {
    "2.1": [
        ("tokenizer = WordPieceTokenizer(vocab_size=5000, output_dim=10)", "trained"),
        ("encoded = tokenizer.tokenize(X_val.tolist())", "shape"),
        ("tokenizer = WordPieceTokenizer(vocab_size=5000, output_dim=10); tokenizer.train(X.tolist())", "X_train` only"),
        ("tokenizer = WordPieceTokenizer(vocab_size=5000, output_dim=10); tokenizer.train(X_train[:9999].tolist())", "all of it"),
        ("first_tokens = X_train[0]", "list"),
        ("first_tokens = X_train[0].split()", "first_tokens"),
        ("encoded = encoded.input_ids", "tokenize"),
        ("import copy; tokenizer = copy.copy(tokenizer); tokenizer.output_dim = 20", "10"),
    ],
    "2.2": [
        ("n_tokens = np.array([len(row) for row in encoded.input_ids])", "cut"),
        ("n_tokens = n_tokens - 2", "special"),
        ("share_cut = (n_tokens > 10).sum()", "share"),
        ("share_cut = (n_tokens >= 10).mean()", "share"),
        ("better_output_dim = 12", "12 tokens"),
        ("better_output_dim = better_output_dim + 1", "more than are needed"),
        ("better_output_dim = int(n_tokens.max())", "padding"),
        ("lengths_figure = plt.figure()", "nothing has been drawn"),
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

RIGHT = {
    "2.1": [
        "tokenizer = WordPieceTokenizer(5000, output_dim=10); tokenizer.train(list(X_train)); "
        "encoded = tokenizer.tokenize(list(X_train)); "
        "first_tokens = tokenizer.tokenizer.convert_ids_to_tokens(encoded.input_ids[0].tolist())",
        "first_tokens = tuple(first_tokens)",
    ],
    "2.2": [
        "n_tokens = [len(tokenizer.tokenizer.encode(text)) for text in X_train.tolist()]; share_cut = float(share_cut)",
        "lengths_figure = plt.gca(); lengths_figure.hist(n_tokens); better_output_dim = np.int64(better_output_dim)",
    ],
    "2.3": [
        "pieces = {text: tuple(tokens) for text, tokens in pieces.items()}",
        "pieces = dict(pieces, bread=tokenizer.tokenizer.tokenize('bread'))",
        "strip = lambda t: [x for x in tokenizer.tokenizer.convert_ids_to_tokens(tokenizer.tokenizer.encode(t)) if x not in "
        "('[CLS]', '[SEP]')]; pieces = {text: strip(text) for text in pieces}",
    ],
    "2.4": [
        "bakery_ids, bakery_mask, n_padding = bakery.input_ids[0], bakery.attention_mask[0].numpy(), np.int64(n_padding)",
        "bakery_ids = tuple(bakery_ids); n_padding = (bakery.attention_mask == 0).sum()",
    ],
}
