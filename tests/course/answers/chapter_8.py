"""Answers to the questions of chapter 8 that differ from the official ones."""

SHARES = (
    "def three_shares(rows, candidates):\n"
    "    place, right = places_of(rows, candidates), rightness(rows)\n"
    "    {before}\n"
    "    return {{'retriever@1': share(place < 1), 'retriever@5': share({hit}),\n"
    "            'conditional': share({conditional}), 'pipeline': share({pipeline})}}\n"
    "figures = three_shares(rows, sample_candidates)"
)
NORMAL = {"before": "pass", "hit": "place < 5", "conditional": "right[place < 5]", "pipeline": "right"}
CODED = "coded = rows['coded'].is_not_null().to_numpy()"

WRONG = {
    "8.1": [
        (SHARES.format(**NORMAL | {"conditional": "right"}), "is a candidate"),
        # answers without a code taken out of the denominators: the stand-in's rows do not show it, made-up ones do
        (
            SHARES.format(**NORMAL | {"before": CODED, "conditional": "right[coded & (place < 5)]"}),
            "with a code or without",
        ),
        (SHARES.format(**NORMAL | {"before": CODED, "pipeline": "right[coded]"}), "also those without a code"),
        (SHARES.format(**NORMAL | {"before": CODED, "hit": "(place < 5)[coded]"}), "retriever@5"),
        (SHARES.format(**NORMAL | {"hit": "place < 4"}), "retriever@5"),
        ("figures = figures | {'pipeline': figures['conditional']}", "all labels"),
        ("figures = {name: value.value for name, value in figures.items()}", "share"),
        ("figures = list(figures.values())", "figures"),
    ],
    "8.2": [
        ("verdicts = np.where(rightness(rows), 'right', 'retriever')", "verdicts["),
        ("verdicts = np.where(rightness(rows), 'right', 'wrong')", "four texts"),
        (
            "verdicts_of = lambda rows, candidates: np.select([rightness(rows), rows['coded'].is_null().to_numpy(), "
            "places_of(rows, candidates) == 99], ['right', 'generator: no code', 'retriever'], 'generator: another class')",
            "made-up run",
        ),
        (
            "verdicts_of = lambda rows, candidates: np.select([rightness(rows), places_of(rows, candidates) == 99], "
            "['right', 'retriever'], 'generator: another class')",
            "made-up run",
        ),
        ("errors = errors.with_columns(pl.col('len') + 1)", "count"),
        ("errors = errors.filter(pl.col('verdict') != 'right')", "each verdict"),
    ],
    "8.3": [
        ("median_confidence = {'right': 1.0, 'wrong': 0.0}", "median_confidence"),
        ("curve = curve.with_columns(coverage=pl.col('coverage') * 0.5)", "coverage"),
        ("curve = curve.with_columns(precision=pl.col('precision') * pl.col('coverage'))", "precision"),
        ("curve = curve.filter(pl.col('threshold') > 0.1)", "start at 0"),
        # a failure has no confidence, and an answer without a code can have one
        (
            "curve_of = lambda rows, of_all=curve_of: of_all(rows.with_columns(coded=pl.col('coded').fill_null('none')))",
            "made-up run",
        ),
        ("curve_of = lambda rows, of_all=curve_of: of_all(rows.filter(pl.col('coded').is_not_null()))", "of all labels"),
        ("figure, axes = plt.subplots(1, 2)", "axes"),
        (
            "figure, axes = plt.subplots(1, 2); axes[0].boxplot([[0, 1]])\naxes[1].plot(curve['precision'], curve['coverage'])",
            "precision (upwards) against coverage",
        ),
        ("figure, axes = plt.subplots(1, 2); axes[0].plot([1, 2]); axes[1].scatter([0, 1], [0, 1])", "figures of `curve`"),
    ],
    "8.4": [
        ("recall = recall[:20]", "50"),
        ("recall = np.array([(rank_notes < k).mean() for k in range(1, 51)])", "k = 1"),
        ("k_80 = k_80 - 1", "k_80"),
        ("recall = 100 * recall", "recall"),
        ("figure, ax = plt.subplots()", "ax"),
        # off by one: matplotlib counts from 0 when it is given no x
        ("figure, ax = plt.subplots(); ax.plot(recall)", "against k, from 1 to 50"),
        ("figure, ax = plt.subplots(); ax.scatter(recall, range(1, 51))", "against k, from 1 to 50"),
    ],
    "8.5": [
        ("fuse = lambda score_arrays, weights, constant=60: sum(w * s for s, w in zip(score_arrays, weights))", "fuse"),
        (
            "fuse = lambda score_arrays, weights, constant=60: "
            "sum(w / (constant + rankdata(s, axis=1)) for s, w in zip(score_arrays, weights))",
            "place 1",
        ),
        (
            "fuse = lambda score_arrays, weights, constant=60: "
            "sum(w / (60 + rankdata(-s, axis=1)) for s, w in zip(score_arrays, weights))",
            "constant",
        ),
        # classes without any of the words must not get places by their order in the table
        (
            "fuse = lambda score_arrays, weights, constant=60: sum(w / (constant + rankdata(-s, axis=1, method='ordinal')) "
            "for s, w in zip(score_arrays, weights))",
            "equal scores",
        ),
        ("bm25_scores = scores", "BM25"),
        ("bm25_scores = bm25([row['heading'] for row in classes.values()], texts)", "note_text"),
        ("hybrid = hybrid | {'weighted': hybrid['bm25']}", "weighted"),
        ("bm25_scores = bm25_scores.T", "shape"),
        (
            "own = bm25_scores[np.arange(len(texts)), [column_of[code] for code in truth]]\n"
            "hybrid = hybrid | {'bm25': share((bm25_scores > own[:, None]).sum(axis=1) < 5)}",
            "bm25",
        ),
    ],
    "8.6": [
        ("passages = passages[:-5]", "lacks"),
        ("passage_scores = scores", "best passage"),
        ("passage_vectors = passage_vectors[::-1]", "order"),
        ("passage_scores = text_vectors @ passage_vectors.T", "one column a class"),
        ("passages = [(code, text.split(': ')[-1]) for code, text in passages]", "heading"),
        (
            "starts = np.searchsorted([column_of[code] for code, _ in passages], range(len(codes)))\n"
            "best_of_class = lambda similarities, owners: np.maximum.reduceat(similarities, starts, axis=1)",
            "need not stand together",
        ),
    ],
    "8.7": [
        ("examples = list(zip(truth.tolist(), texts.tolist()))", "training set"),
        ("examples = list(zip(split.y_train[:3255].tolist(), split.X_train[:3255].tolist()))", "classes"),
        ("example_scores = passage_scores", "best passage or example"),
        ("examples = list(training.group_by('code').head(4).select('code', 'label').iter_rows())", "five"),
        ("example_vectors = example_vectors[::-1]", "order"),
        ("bm25_label_scores = bm25_scores", "notes alone"),
        (
            "leak = dict(zip(truth, texts))\n"
            "label_documents = [f'{text}\\n{leak[code]}' if code in leak else text for code, text in zip(classes, label_documents)]\n"
            "bm25_label_scores = bm25(label_documents, texts)",
            "no training label",
        ),
        ("label_documents = list(labels_of.values())", "note_text"),
        ("label_documents = [note_text(row) for row in classes.values()]", "lacks its training label"),
    ],
    "8.8": [
        ("best_method = 'notes'", "best_method"),
        ("field_best = field_plain", "field_best"),
        ("field_plain = share(ranks(scores) <= 5)", "field test"),
        ("comparison = comparison.with_columns(at_5=pl.col('at_1'))", "at_5"),
        ("comparison = comparison.filter(pl.col('method') != 'passages')", "passages"),
        # labels of the field test in the index: 99 % of them are found
        (
            "of_field = dict(field.group_by('code').agg(pl.col('label').str.join('\\n')).iter_rows())\n"
            "leaky = [f'{text}\\n{of_field.get(code, str())}' for code, text in zip(classes, label_documents)]\n"
            "def all_scores(texts, vectors, clean=all_scores):\n"
            "    found = clean(texts, vectors)\n"
            "    found['bm25 with labels'] = bm25(leaky, texts)\n"
            "    found[best_method] = fuse([found['passages'], found['bm25 with labels']], [1, 1], constant=10)\n"
            "    return found\n"
            "field_by_method = all_scores(field['label'].to_list(), embed(field['label'], keep='field'))\n"
            "field_best = share(ranks(field_by_method[best_method], field['code']) <= 5)",
            "other labels",
        ),
        ("field_best = share(np.ones(len(field), dtype=bool))", "field_best"),
    ],
    "8.9": [
        ("better_candidates = sample_candidates; better_rows = rows; better = figures", "five best"),
        ("better_rows = rows", "another prompt"),
        ("better = figures", "better["),
        ("better_rows = better_rows.sort('code')", "order"),
        ("better_candidates = [row[::-1] for row in better_candidates]", "best first"),
    ],
}

RIGHT = {
    "8.1": [
        "def three_shares(rows, candidates):\n"
        "    place = [row.index(code) if code in row else 99 for code, row in zip(rows['code'], candidates)]\n"
        "    good = [a == b for a, b in zip(rows['coded'], rows['code'])]\n"
        "    return {'pipeline': share(good), 'conditional': share([g for g, p in zip(good, place) if p < 99]),\n"
        "            'retriever@1': share([p == 0 for p in place]), 'retriever@5': share([p < 5 for p in place])}\n"
        "figures = three_shares(rows, sample_candidates)",
        "figures = dict(reversed(figures.items()))",
    ],
    "8.2": [
        "verdicts = verdicts.tolist(); errors = errors.sort('verdict').select('len', 'verdict')",
        "def verdicts_of(rows, candidates):\n"
        "    found = []\n"
        "    for row, shown in zip(rows.iter_rows(named=True), candidates):\n"
        "        if row['coded'] == row['code']: found.append('right')\n"
        "        elif row['code'] not in shown: found.append('retriever')\n"
        "        else: found.append('generator: ' + ('another class' if row['coded'] else 'no code'))\n"
        "    return found\n"
        "verdicts = pl.Series(verdicts_of(rows, sample_candidates))",
    ],
    "8.3": [
        "curve = curve.select('precision', 'coverage', 'threshold'); axes = list(axes)",
        "figure, axes = plt.subplots(1, 2); axes[0].boxplot([[0, 1]])\n"
        "axes[1].scatter(100 * curve['coverage'], 100 * curve['precision'])",
        "median_confidence = {name: np.float32(value) for name, value in median_confidence.items()}; axes = figure",
    ],
    "8.4": [
        "recall = recall.tolist(); k_80 = np.int64(k_80)",
        "figure, ax = plt.subplots(); ax.step(range(1, 51), recall, where='post'); recall = pl.Series(recall)",
        "figure, ax = plt.subplots(); ax.scatter(range(1, 51), 100 * recall)",
        "figure, ax = plt.subplots(); ax.bar(range(1, 51), recall)",
    ],
    "8.5": [
        "def fuse(score_arrays, weights, constant=60):\n"
        "    points = np.zeros(score_arrays[0].shape)\n"
        "    for scores, weight in zip(score_arrays, weights):\n"
        "        points += weight * (1 / (constant + rankdata(-scores, axis=1, method='average')))\n"
        "    return points",
        "bm25_scores = bm25_scores.astype(np.float64); hybrid = dict(reversed(hybrid.items()))",
    ],
    "8.6": [
        "passages = [list(pair) for pair in passages]",
        "best_of_class = lambda similarities, owners: np.array("
        "[similarities[:, np.array(owners) == code].max(axis=1) for code in codes]).T",
        "order = np.random.default_rng(1).permutation(len(passages))\n"
        "passages = [passages[i] for i in order]; passage_vectors = passage_vectors[order]",
    ],
    "8.7": [
        "examples = [list(pair) for pair in examples]; label_documents = tuple(label_documents)",
        "label_documents = [note_text(row) + '\\n' + '\\n'.join(reversed(labels_of[code].split('\\n'))) "
        "for code, row in classes.items()]",
    ],
    "8.8": [
        "comparison = comparison.sort('at_5').to_pandas(); best_method = np.str_(best_method)",
        "all_scores = lambda texts, vectors, first=all_scores: dict(reversed(first(list(texts), vectors).items()))",
    ],
    "8.9": [
        "better_candidates = np.array(better_candidates)",
        "better_rows = better_rows.select(sorted(better_rows.columns)); better = dict(reversed(better.items()))",
    ],
}
