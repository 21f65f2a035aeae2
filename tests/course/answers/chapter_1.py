"""Answers to the questions of chapter 1 that differ from the official ones."""

WRONG = {
    "1.1": [
        ("import pandas as pl", "pl"),
        ("env_found = load_dotenv", "env_found"),
    ],
    "1.2": [
        ("n_labels = labels.count", "n_labels"),
        ("n_labels = labels.select(pl.len())", "whole number"),
        ("n_labels = len(labels) - 1", "n_labels"),
        ("labels = labels.to_pandas(); n_labels = len(labels)", "labels"),
        ("labels = labels.with_columns(pl.col('code').cast(pl.Float64))", "text"),
        ("labels = labels.rename({'label': 'text'})", "label"),
    ],
    "1.3": [
        ("n_classes = len(labels)", "rows"),
        ("n_classes = labels['code'].n_unique", "()"),
        ("n_classes = labels['name'].n_unique() - 1", "n_classes"),
        ("n_classes = str(n_classes)", "n_classes"),
    ],
    "1.4": [
        ("words_per_label = labels['label'].str.len_chars()", "characters"),
        ("words_per_label = labels['label'].str.split(' ')", "words_per_label"),
        ("labels_per_class = labels['code'].n_unique()", "labels_per_class"),
        ("examples = labels.sample(5, seed=1)['label'].to_list()", "one class"),
        ("examples = labels.filter(code='10.71').head(3)['label'].to_list()", "five"),
    ],
    "1.5": [
        ("X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=42)", "15%"),
        ("X_val, X_test, y_val, y_test = train_test_split(X, y, test_size=0.5, random_state=42)", "val"),
        ("y_val = y_val[::-1]", "belong together"),
        (
            "X_train, X_rest, y_train, y_rest = train_test_split(X, y, test_size=0.3, random_state=42); "
            "X_val, X_test, y_val, y_test = train_test_split(X_rest, y_rest, test_size=0.5, random_state=42)",
            "stratify",
        ),
        ("X_train = X_train.tolist()", "numpy"),
        (
            "X_val, X_test, y_val, y_test = X_train[: len(X_val)], X_test, y_train[: len(y_val)], y_test",
            "two of the sets",
        ),
    ],
    "1.6": [
        ("encoder = LabelEncoder()", "fit"),
        ("encoder = LabelEncoder().fit(y_train[:100])", "y_train"),
        ("unseen_codes = set(y_train)", "unseen_codes"),
        ("unseen_codes = 0", "set"),
    ],
    "1.7": [
        ("value_encoder = encoder", "ValueEncoder"),
        ("value_encoder = ValueEncoder(label_encoder=LabelEncoder())", "fitted"),
        ("value_encoder = ValueEncoder(label_encoder=LabelEncoder().fit(y_train[:50]))", "encoder"),
    ],
}

RIGHT = {}
