"""Answers to the questions of chapter 1 that differ from the official ones."""

WRONG = {
    "1.1": [
        ("import pandas as pl", "polars"),
        ("env_found = load_dotenv", "env_found"),
        ("env_found = not env_found", "load_dotenv"),
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
        ("labels_per_class = labels_per_class.with_columns(len=pl.lit(len(labels) // n_classes))", "labels_per_class"),
        ("examples = labels.sample(5, seed=1)['label'].to_list()", "one class"),
        ("examples = labels.filter(code='10.71').head(3)['label'].to_list()", "5 texts"),
        ("examples = [examples[0]] * 5", "different"),
        ("histograms = None", "figure"),
        ("histograms = plt.figure()", "nothing has been drawn"),
        ("histograms = left", "two drawings"),
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
        (
            "X_train, X_rest, y_train, y_rest = train_test_split(X, y, test_size=0.3, stratify=y); "
            "X_val, X_test, y_val, y_test = train_test_split(X_rest, y_rest, test_size=0.5, stratify=y_rest)",
            "random_state",
        ),
        (
            "X_val, X_test, y_val, y_test = train_test_split(X_rest, y_rest, test_size=0.5, stratify=y_rest)",
            "random_state",
        ),
        ("X_train = X_train.tolist()", "array"),
        (
            "X_val, X_test, y_val, y_test = X_train[: len(X_val)], X_test, y_train[: len(y_val)], y_test",
            "two of the sets",
        ),
    ],
    "1.6": [
        ("encoder = LabelEncoder()", "fit"),
        ("encoder = LabelEncoder().fit(y_train[:100])", "y_train"),
        ("encoder = LabelEncoder().fit([*y_train, '99.99'])", "y_train"),
        ("unseen_codes = set(y_train)", "unseen_codes"),
        ("unseen_codes = set(y_val) | set(y_test) - set(y_train)", "brackets"),
        ("unseen_codes = {}", "set()"),
        ("unseen_codes = 0", "set"),
    ],
    "1.7": [
        ("value_encoder = encoder", "ValueEncoder"),
        ("value_encoder = ValueEncoder(label_encoder=LabelEncoder())", "fitted"),
        ("value_encoder = ValueEncoder(label_encoder=LabelEncoder().fit(y_train[:50]))", "encoder"),
    ],
}

RIGHT = {
    "1.1": [
        "import polars; pl = polars; env_found = load_dotenv(override=False)",
        "import dotenv; env_found = bool(dotenv.load_dotenv(dotenv.find_dotenv(usecwd=True)))",
    ],
    "1.2": [
        "n_labels = labels.height",
        "n_labels = labels.select(pl.len()).item()",
        "import numpy; labels = labels.select('label', 'name', 'code'); n_labels = numpy.int64(labels.shape[0])",
    ],
    "1.3": [
        "n_classes = len(set(labels['code']))",
        "n_classes = labels.select(pl.col('code').n_unique()).item()",
        "import numpy; n_classes = numpy.int64(len(labels['code'].unique()))",
    ],
    "1.4": [
        "words_per_label = [len(text.split()) for text in labels['label']]; histograms = [left, right]",
        "labels_per_class = labels['code'].value_counts(name='len').sort('code'); examples = tuple(examples)",
        "labels_per_class = labels.to_pandas().groupby('code').size().reset_index(name='len')",
        "words_per_label = (labels['label'].str.count_matches(' ') + 1).to_numpy(); histograms = (left, right)",
    ],
    "1.5": [
        "X_test, X_val, y_test, y_val = train_test_split(X_rest, y_rest, test_size=0.5, random_state=42, stratify=y_rest)",
        (
            "X_train, X_rest, y_train, y_rest = train_test_split(X, y, train_size=0.7, random_state=42, stratify=y); "
            "X_val, X_test, y_val, y_test = train_test_split(X_rest, y_rest, train_size=0.5, random_state=42, stratify=y_rest)"
        ),
        (
            "train, rest = train_test_split(labels.to_pandas(), test_size=0.3, random_state=42, stratify=labels['code']); "
            "val, test = train_test_split(rest, test_size=0.5, random_state=42, stratify=rest['code']); "
            "X_train, y_train, X_val, y_val = (part[c].to_numpy() for part in (train, val) for c in ('label', 'code')); "
            "X_test, y_test = test['label'].to_numpy(), test['code'].to_numpy()"
        ),
    ],
    "1.6": [
        "encoder = LabelEncoder().fit(y_train.tolist()); unseen_codes = set(y_val).union(y_test).difference(y_train)",
        "unseen_codes = {code for code in [*y_val, *y_test] if code not in encoder.classes_[:]}",
        "unseen_codes = []",
    ],
    "1.7": [
        "value_encoder = ValueEncoder(encoder)",
        "value_encoder = ValueEncoder(label_encoder=LabelEncoder().fit(y_train))",
    ],
}
