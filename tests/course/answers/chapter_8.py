"""Answers to the questions of chapter 8 that differ from the official ones."""

SHARES = (
    "def three_shares(rows, candidates):\n"
    "    place, right = places_of(rows, candidates), rightness(rows)\n"
    "    {before}\n"
    "    return {{'retriever@1': share(place < 1), 'retriever@5': share({hit}),\n"
    "            'conditional': share({conditional}), 'pipeline': share({pipeline})}}\n"
    "figures = {{name: three_shares(rows, sample_candidates) for name, rows in runs.items()}}"
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
        ("figures = {name: found | {'pipeline': found['conditional']} for name, found in figures.items()}", "all labels"),
        ("figures = {name: {k: v.value for k, v in found.items()} for name, found in figures.items()}", "share"),
        ("figures = list(figures.values())", "figures"),
        ("figures = figures[generator_name()]", "one entry a generator"),
        ("figures = dict.fromkeys(runs, figures[generator_name()])", "recorded-claude"),
    ],
    "8.2": [
        ("verdicts = {name: np.where(rightness(rows), 'right', 'retriever') for name, rows in runs.items()}", "verdicts["),
        ("verdicts = {name: np.where(rightness(rows), 'right', 'wrong') for name, rows in runs.items()}", "four texts"),
        ("verdicts = verdicts[generator_name()]", "a dictionary"),
        ("errors = errors.filter(pl.col('generator') == generator_name())", "has no rows for recorded-claude"),
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
        ("median_confidence = {name: {'right': 1.0, 'wrong': 0.0} for name in runs}", "median_confidence"),
        ("median_confidence = median_confidence[generator_name()]", "one entry a generator"),
        ("curves = {name: t.with_columns(coverage=pl.col('coverage') * 0.5) for name, t in curves.items()}", "coverage"),
        (
            "curves = {name: t.with_columns(precision=pl.col('precision') * pl.col('coverage')) for name, t in curves.items()}",
            "precision",
        ),
        ("curves = {name: t.filter(pl.col('threshold') > 0.1) for name, t in curves.items()}", "start at 0"),
        # a failure has no confidence, and an answer without a code can have one
        (
            "curve_of = lambda rows, of_all=curve_of: of_all(rows.with_columns(coded=pl.col('coded').fill_null('none')))",
            "made-up run",
        ),
        ("curve_of = lambda rows, of_all=curve_of: of_all(rows.filter(pl.col('coded').is_not_null()))", "of all labels"),
        # the same on the rows alone: where the recorded model gives no code, it is sure that there is none
        (
            "sure = runs[generator_name(RECORDED)].with_columns(coded=pl.col('coded').fill_null('none'))\n"
            "curves = curves | {generator_name(RECORDED): curve_of(sure)}",
            "never kept",
        ),
        ("figure, ax = plt.subplots()", "ax"),
        (
            "figure, ax = plt.subplots()\nfor table in curves.values(): ax.plot(table['precision'], table['coverage'])",
            "precision (upwards) against coverage",
        ),
        (
            "figure, ax = plt.subplots(); ax.plot(*(curves[generator_name()][name] for name in ('coverage', 'precision')))",
            "recorded-claude",
        ),
    ],
    "8.4": [
        ("compare = lambda a, b, of=compare: of(a, b) | {'difference': b.mean() - a.mean()}", "less that of the second"),
        # of all labels, not of those that tell the two apart
        (
            "compare = lambda a, b, of=compare: of(a, b) | {'p': binomtest(int((a & ~b).sum()), len(a)).pvalue}",
            "only one of the two",
        ),
        (
            "compare = lambda a, b, of=compare: of(a, b) | {'p': binomtest(int((a & ~b).sum()), int((a ^ b).sum()), "
            "alternative='greater').pvalue}",
            "two-sided",
        ),
        # as if the two had been tried on different labels
        (
            "def compare(a, b, of=compare):\n"
            "    margin = 1.96 * np.sqrt((a.var() + b.var()) / len(a))\n"
            "    d = a.mean() - b.mean()\n"
            "    return of(a, b) | {'low': d - margin, 'high': d + margin}\n"
            "exclusions_in_vectors = compare(first_without, first_with)",
            "kept together",
        ),
        ("compare = lambda a, b, of=compare: of(a, b) | {'only_first': int(a.sum())}", "only_first"),
        ("exclusions_in_vectors = compare(first_with, first_without)", "exclusions_in_vectors"),
        ("exclusions_in_vectors = in_words(exclusions_in_vectors, 'a', 'b')", "a dictionary"),
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
    "8.7": [
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
    "8.8": [
        ("better_candidates = sample_candidates; better_runs = runs; better = figures", "five best"),
        ("better_runs = runs", "another prompt"),
        ("better = figures", "better["),
        ("better_runs = {name: rows.sort('code') for name, rows in better_runs.items()}", "order"),
        ("better_candidates = [row[::-1] for row in better_candidates]", "best first"),
        # equal points in another order than that of the codes
        ("better_candidates = codes[::-1][np.argsort(-better_scores[:, ::-1], axis=1, kind='stable')[:, :K]].tolist()", "stable"),
        ("better_runs = dict.fromkeys(GENERATORS, better_runs[generator_name()])", "other generator"),
        ("better_runs = better_runs[generator_name()]", "better_runs"),
        ("better = better[generator_name()]", "one entry a generator"),
    ],
    "8.9": [
        ("without_exclusions = plain", "shows exclusions"),
        ("unread_rows = read_rows", "no answer of recorded-claude to"),
        # what stands behind the exclusions is lost with them
        (
            "without_exclusions = lambda text, row: make_messages(text, "
            "[candidate_block(classes[code]).split('\\nExcludes:')[0] for code in row])",
            "leaves out more than the exclusions",
        ),
        (
            "without_exclusions = lambda text, row: make_messages(text, [candidate_block(classes[code] "
            "| {'excludes': None, 'includes_also': None}) for code in row])",
            "leaves out more than the exclusions",
        ),
        (
            "unread_rows = answers_to(border_labels, border_candidates, None, without_exclusions)",
            "give `answers_to` the model",
        ),
        ("unread_rows = unread_rows.head(100)", "rows"),
        ("exclusions_read = exclusions_read | {'only_first': 30}", "right only with the exclusions"),
        (
            "exclusions_read = compare(rightness(runs[generator_name(RECORDED)])[borders], rightness(unread_rows))",
            "exclusions_read",
        ),
    ],
}

RIGHT = {
    "8.1": [
        "def three_shares(rows, candidates):\n"
        "    place = [row.index(code) if code in row else 99 for code, row in zip(rows['code'], candidates)]\n"
        "    good = [a == b for a, b in zip(rows['coded'], rows['code'])]\n"
        "    return {'pipeline': share(good), 'conditional': share([g for g, p in zip(good, place) if p < 99]),\n"
        "            'retriever@1': share([p == 0 for p in place]), 'retriever@5': share([p < 5 for p in place])}\n"
        "figures = {name: three_shares(rows, sample_candidates) for name, rows in runs.items()}",
        "figures = {name: dict(reversed(found.items())) for name, found in reversed(figures.items())}",
    ],
    "8.2": [
        "verdicts = {name: found.tolist() for name, found in verdicts.items()}\n"
        "errors = errors.sort('verdict').select('len', 'verdict', 'generator').to_pandas()",
        "def verdicts_of(rows, candidates):\n"
        "    found = []\n"
        "    for row, shown in zip(rows.iter_rows(named=True), candidates):\n"
        "        if row['coded'] == row['code']: found.append('right')\n"
        "        elif row['code'] not in shown: found.append('retriever')\n"
        "        else: found.append('generator: ' + ('another class' if row['coded'] else 'no code'))\n"
        "    return found\n"
        "verdicts = {name: pl.Series(verdicts_of(rows, sample_candidates)) for name, rows in runs.items()}\n"
        "counts = [(name, v, (found == v).sum()) for name, found in verdicts.items() for v in "
        "('right', 'retriever', 'generator: another class', 'generator: no code')]\n"
        "errors = pl.DataFrame(counts, schema=['generator', 'verdict', 'len'], orient='row')",
    ],
    "8.3": [
        "curves = {name: table.select('precision', 'coverage', 'threshold') for name, table in curves.items()}; ax = [ax]",
        "figure, ax = plt.subplots()\n"
        "for table in curves.values(): ax.scatter(100 * table['coverage'], 100 * table['precision'])",
        "figure, axes = plt.subplots(1, 2)\n"
        "for one, table in zip(axes, curves.values()): one.plot(table['coverage'], table['precision'])\n"
        "ax = axes",
        "median_confidence = {name: {k: np.float32(v) for k, v in found.items()} for name, found in median_confidence.items()}\n"
        "ax = figure",
    ],
    "8.4": [
        # a paired bootstrap
        "def compare(first, second):\n"
        "    random = np.random.default_rng(0)\n"
        "    both = np.stack([first, second], axis=1)\n"
        "    shares = np.array([both[random.integers(0, len(both), len(both))].mean(axis=0) for _ in range(1500)])\n"
        "    low, high = np.quantile(shares[:, 0] - shares[:, 1], [0.025, 0.975])\n"
        "    a, b = sum(first > second), sum(second > first)\n"
        "    return {'only_first': a, 'only_second': b, 'p': binomtest(min(a, b), a + b).pvalue,\n"
        "            'difference': first.mean() - second.mean(), 'low': low, 'high': high}\n"
        "exclusions_in_vectors = compare(first_without, first_with)",
        # the interval of Agresti and Min, and the other side of the coin
        "def compare(first, second):\n"
        "    n, b, c = len(first), np.sum(first & ~second), np.sum(~first & second)\n"
        "    middle = (b - c) / (n + 2)\n"
        "    margin = 1.96 * np.sqrt((b + c + 1) - (b - c) ** 2 / (n + 2)) / (n + 2)\n"
        "    return {'difference': (b - c) / n, 'low': middle - margin, 'high': middle + margin,\n"
        "            'only_first': b, 'only_second': c, 'p': binomtest(c, b + c).pvalue}\n"
        "exclusions_in_vectors = compare(first_without, first_with)",
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
        "label_documents = tuple(label_documents); bm25_label_scores = bm25_label_scores.astype(np.float64)",
        "label_documents = [note_text(row) + '\\n' + '\\n'.join(reversed(labels_of[code].split('\\n'))) "
        "for code, row in classes.items()]",
    ],
    "8.7": [
        "comparison = comparison.sort('at_5').to_pandas(); best_method = np.str_(best_method)",
        "all_scores = lambda texts, vectors, first=all_scores: dict(reversed(first(list(texts), vectors).items()))",
    ],
    "8.8": [
        "better_candidates = np.array(better_candidates)",
        "better_runs = {name: rows.select(sorted(rows.columns)) for name, rows in better_runs.items()}\n"
        "better = {name: dict(reversed(found.items())) for name, found in reversed(better.items())}",
        # by hand: sorted pairs of points and numbers
        "better_candidates = [[codes[i] for i in sorted(range(len(codes)), key=lambda i: (-row[i], i))[:5]] for row in better_scores]",
    ],
    "8.9": [
        "def without_exclusions(text, row):\n"
        "    rows = [{name: note for name, note in classes[code].items()} for code in row]\n"
        "    for one in rows: one['excludes'] = ''\n"
        "    return make_messages(text, [candidate_block(one) for one in rows])\n"
        "unread_rows = answers_to(border_labels, border_candidates, RECORDED, without_exclusions)",
        "exclusions_read = {name: float(value) for name, value in exclusions_read.items()}\n"
        "unread_rows = unread_rows.to_pandas()",
        "exclusions_read = compare(np.array(read_rows['coded'] == read_rows['code']), "
        "np.array((unread_rows['coded'] == unread_rows['code']).fill_null(False)))",
    ],
}
