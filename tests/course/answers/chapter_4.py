"""Answers to the questions of chapter 4 that differ from the official ones."""

WRONG = {
    "4.1": [
        ("changed_files = ['tokenizer.pkl']", "checksum"),
        ("changed = lambda folder: []", "differs"),
        ("from_run = pretrained", "from_run"),
        ("changed_files = 0", "list"),
        ("model_folder = Path('.')", "manifest"),
    ],
    "4.2": [
        ("top5 = pretrained.predict(sample)", "top_k"),
        ("sample = X_train[:5]", "X_test"),
        ("top5 = pretrained.predict(X_test[:5], top_k=5)", "sample"),
        ("top5 = top5['prediction']", "dictionary"),
    ],
    "4.3": [
        ("explained = pretrained.predict(np.array([text]))", "explain_with_captum"),
        (
            "words, word_attributions = tokens, token_attributions[is_token].tolist(); words = ['ies'] * len(words)",
            "pretzels",
        ),
        ("word_attributions = word_attributions[:-1]", "same length"),
        ("char_attributions = token_attributions", "character"),
    ],
    "4.4": [
        ("predicted = P_test.argmax(axis=1)", "predicted"),
        ("predicted = classes[P_test.argmax(axis=1)][:, None]", "shape"),
        ("test_accuracy = (predicted == y_test).sum()", "share"),
        ("test_accuracy = (predicted[:, None] == y_test).mean()", "test_accuracy"),
    ],
    "4.5": [
        ("by_level = by_level.with_columns(low=pl.lit(0.0), high=pl.lit(1.0))", "interval"),
        ("by_level = by_level.filter(pl.col('k') == 1)", "12"),
        ("by_level = by_level.with_columns(accuracy=pl.col('accuracy') * 0.9)", "accuracy"),
        ("by_level = by_level.to_pandas()", "polars"),
    ],
    "4.6": [
        ("curve = curve.with_columns(precision=pl.col('precision') * pl.col('coverage'))", "precision"),
        ("curve = curve.with_columns(coverage=1 - pl.col('coverage'))", "coverage"),
        ("ece = np.mean([abs(a - c) for a, c in zip(mean_accuracy, mean_confidence)]) + 0.05", "ece"),
        ("curve = curve.head(10)", "thresholds"),
    ],
    "4.7": [
        ("field_accuracy = test_accuracy", "field_accuracy"),
        ("worst_divisions = worst_divisions.head(5)", "ten"),
        (
            "worst_divisions = field.group_by('division').agg(n=pl.len(), accuracy=pl.col('right').mean()).sort('accuracy').tail(10)",
            "worst_divisions",
        ),
        ("by_register = by_register.head(1)", "by_register"),
    ],
}

RIGHT = {}
