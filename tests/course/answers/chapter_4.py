"""Answers to the questions of chapter 4 that differ from the official ones."""


def interval(errors: float) -> str:
    """Code that makes the intervals of `by_level` reach so many standard errors to either side."""
    error = f"(pl.col('accuracy') * (1 - pl.col('accuracy')) / len(y_test)).sqrt() * {errors}"
    return f"by_level = by_level.with_columns(low=pl.col('accuracy') - {error}, high=pl.col('accuracy') + {error})"


WRONG = {
    "4.1": [
        ("changed_files = ['tokenizer.pkl']", "checksum"),
        ("changed = lambda folder: []", "differs"),
        (
            "changed = lambda folder: [n for n, f in json.loads((folder / 'manifest.json').read_text())['files'].items() "
            "if (folder / n).stat().st_size != f['bytes']]",
            "differs",
        ),
        ("from_run = pretrained", "from_run"),
        ("changed_files = 0", "set of texts"),
        ("model_folder = Path('.')", "manifest"),
        ("downloaded = model_folder", "your own folder"),
    ],
    "4.2": [
        ("top5 = pretrained.predict(sample)", "top_k"),
        ("sample = X_train[:5]", "X_test"),
        ("sample = X_test[:5]; top5 = pretrained.predict(sample, top_k=5)", "at random"),
        ("sample = X_test[[3, 3, 8, 9, 7]]; top5 = pretrained.predict(sample, top_k=5)", "different"),
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
        ("attribution_figure = plt.figure()", "nothing has been drawn"),
        ("attribution_figure = axes[:2]", "three plots"),
    ],
    "4.4": [
        ("predicted = P_test.argmax(axis=1)", "predicted"),
        ("predicted = classes[P_test.argmax(axis=1)][:, None]", "shape"),
        ("test_accuracy = (predicted == y_test).sum()", "share"),
        ("test_accuracy = (predicted[:, None] == y_test).mean()", "test_accuracy"),
    ],
    "4.5": [
        ("by_level = by_level.with_columns(low=pl.lit(0.0), high=pl.lit(1.0))", "interval"),
        (interval(1.0), "68.27%"),
        (interval(1.645), "90.00%"),
        (interval(2.576), "99.00%"),
        (interval(3.291), "99.90%"),
        ("by_level = by_level.filter(pl.col('k') == 1)", "12"),
        ("by_level = by_level.with_columns(accuracy=pl.col('accuracy') * 0.9)", "accuracy"),
        ("by_level = by_level.to_dict()", "polars"),
    ],
    "4.6": [
        ("curve = curve.with_columns(precision=pl.col('precision') * pl.col('coverage'))", "precision"),
        ("curve = curve.with_columns(coverage=1 - pl.col('coverage'))", "coverage"),
        ("ece = np.mean([abs(a - c) for a, c in zip(mean_accuracy, mean_confidence)])", "weigh"),
        ("ece = ece * 100", "share"),
        ("curve = curve.head(10)", "thresholds"),
        (
            "kept = [confidence >= t for t in thresholds]; curve = curve.with_columns("
            "coverage=pl.Series([k.mean() for k in kept]), precision=pl.Series([right[k].mean() for k in kept]))",
            "on the validation set",
        ),
        ("chosen = 0.5", "lowest threshold"),
        ("chosen = 0.95", "lowest threshold"),
        ("test_precision = float(right[passed].mean())", "share"),
        ("test_precision = share(right_val[confidence_val >= chosen][::2])", "on the test set"),
        ("test_coverage = share(right & passed)", "on the test set"),
        ("curve_figure = first", "two plots"),
    ],
    "4.7": [
        ("field_accuracy = test_accuracy", "field_accuracy"),
        ("worst_divisions = worst_divisions.head(5)", "10 rows"),
        (
            "worst_divisions = field.group_by('division').agg(n=pl.len(), accuracy=pl.col('right').mean()).sort('accuracy').tail(10)",
            "worst_divisions",
        ),
        ("by_register = by_register.head(1)", "by_register"),
    ],
}

RIGHT = {
    "4.1": [
        "changed = lambda folder: {str(Path(folder) / n) for n, f in json.loads((folder / 'manifest.json').read_text())['files'].items() "
        "if hashlib.sha256(open(f'{folder}/{n}', 'rb').read()).hexdigest() != f['sha256']}",
        "model_folder, downloaded, changed_files = str(model_folder), str(downloaded), tuple(changed_files)",
        "from funathon.supervised.pretrained import load_model; pretrained, from_run = load_model(str(model_folder)), "
        "load_model(str(downloaded))",
    ],
    "4.2": [
        "sample = np.random.default_rng(7).choice(X_test, 5, replace=False); top5 = pretrained.predict(sample, top_k=5)",
        "import random; sample = random.sample(list(X_test), 5); top5 = pretrained.predict(np.array(sample), top_k=5)",
        "top5 = dict(top5, prediction=top5['prediction'].tolist())",
    ],
    "4.3": [
        "words, word_attributions, char_attributions = tuple(words), np.array(word_attributions), char_attributions[0]",
        "attribution_figure = axes",
    ],
    "4.4": [
        "predicted = predicted.tolist(); test_accuracy = float(np.mean([a == b for a, b in zip(predicted, y_test)]))",
        "predicted = pretrained.value_encoder.inverse_transform_labels(P_test.argmax(axis=1)); test_accuracy = round(test_accuracy, 3)",
    ],
    "4.5": [
        interval(1.96),
        "import pandas; by_level = by_level.to_pandas().round(4)",
        "bounds = [binomtest(round(a * len(y_test)), len(y_test)).proportion_ci(method='exact') for a in by_level['accuracy']]; "
        "by_level = by_level.with_columns(low=pl.Series([b.low for b in bounds]), high=pl.Series([b.high for b in bounds]))",
    ],
    "4.6": [
        "ece = sum(w * abs(a - (b + 0.5) / 10) for w, a, b in zip(weights, mean_accuracy, filled))",
        "ece = np.float32(round(ece, 3)); curve = curve.to_pandas(); curve_figure = [first, second]",
    ],
    "4.7": [
        "by_register, worst_divisions = by_register.to_pandas(), worst_divisions.with_columns(pl.col('accuracy').round(3))",
        "field_accuracy = float((field['predicted'] == field['code']).mean()); by_register = by_register.sort('register')",
        "field = pl.read_parquet(FIELD_TEST)",
    ],
}
