"""Answers to the questions of chapter 7 that differ from the official ones."""

WRONG = {
    "7.1": [
        ("query_vector = embed([label])", "first row"),
        ("candidates = [hit.payload['heading'] for hit in hits]", "codes of hits"),
        ("candidates = candidates[::-1]", "nearest first"),
        ("hits = hits[:3]; candidates = candidates[:3]", "five"),
        ("query_vector = embed(['something else'])[0]", "vector of label"),
    ],
    "7.2": [
        (
            "make_messages = lambda label, blocks: [{'role': 'user', 'content': SYSTEM}, {'role': 'user', 'content': label}]",
            "roles",
        ),
        (
            "make_messages = lambda label, blocks: [{'role': 'system', 'content': SYSTEM}, {'role': 'user', "
            "'content': '\\n\\n'.join([f'<activity>\\n{label}\\n</activity>', 'Candidates:', *blocks])}]",
            "closes the frame",
        ),
        (
            "make_messages = lambda label, blocks: [{'role': 'system', 'content': SYSTEM}, {'role': 'user', "
            "'content': '\\n\\n'.join([f'<activity>\\n{label.replace(chr(60), str())}\\n</activity>', 'Candidates:', *blocks])}]",
            "one line",
        ),
        ("messages = messages[1:]", "messages"),
    ],
    "7.3": [
        ("answer = completion.choices[0].message.content", "NaceAnswer"),
        (
            "class NaceAnswer(BaseModel):\n    codable: bool\n    code: str | None\n    confidence: float",
            "confidence of 7",
        ),
        ("completion = completion.choices[0].message.content", "completion"),
        ("answer = NaceAnswer(codable=True, code='01.11', confidence=0.123)", "completion"),
    ],
    "7.4": [
        ("accepted = set(received)", "in a code fence"),
        ("accepted = {'as asked', 'not codable'}", "a group"),
        ("outcomes = {name: read.outcome for name, read in outcomes.items()}", "parse_answer"),
        ("outcomes = {name: parse_answer(content, []) for name, content in received.items()}", "offered"),
    ],
    "7.5": [
        ("attack_candidates = candidates", "attack_candidates"),
        ("obeyed = parse_answer(obeying, [*attack_candidates, '01.11'])", "obeyed"),
        ("import dataclasses; attack_answer = dataclasses.replace(attack_answer, code='01.11')", "outside"),
        ("attack_answer = attack_answer.code", "parse_answer"),
    ],
    "7.6": [
        ("sample_candidates = sample_candidates[::-1]", "does not belong"),
        ("sample = pl.DataFrame({'label': X_train[chosen], 'code': y_train[chosen]})", "test set"),
        ("sample = sample.head(100)", "500"),
        ("sample_candidates = [row[:1] for row in sample_candidates]", "five codes"),
    ],
    "7.7": [
        (
            "def ask(messages, candidates, client=client):\n    return client.chat.completions.create("
            "model=os.environ['CHAT_MODEL'], messages=messages)",
            "raises",
        ),
        ("failed = failed | {'outcome': 'not codable'}", "request failed"),
        (
            "ask = lambda *a, ask=ask, **k: (r := ask(*a, **k)) | {'tokens_in': r['tokens_out'], 'tokens_out': r['tokens_in']}",
            "prompt_tokens",
        ),
        ("failed = None", "failed"),
        ("failed = {key: value for key, value in failed.items() if key != 'detail'}", "detail"),
    ],
    "7.8": [
        ("rows = rows.sort('code')", "order"),
        ("rows = rows.with_columns(coded=pl.col('coded').shuffle(seed=1))", "none of its candidates"),
        ("ask_all = lambda requests, path, workers=4: [ask(*request) for request in requests]", "ask_all"),
        ("rows = rows.drop('tokens_in')", "tokens_in"),
    ],
    "7.9": [
        ("share_coded = share_coded.value", "share"),
        ("share_coded = share(np.array([True, True, False]))", "share_coded"),
        ("outcome_counts = rows['outcome'].n_unique()", "outcome_counts"),
        ("outcome_counts = outcome_counts.with_columns(pl.col('len') // 2)", "add up"),
    ],
    "7.10": [
        ("conditional = share(right)", "is a candidate"),
        ("pipeline = conditional", "all"),
        ("retriever = {k + 1: value for k, value in retriever.items()}", "1 to 5"),
        ("retriever = {k: share(rank <= k) for k in retriever}", "retriever[1]"),
        ("pipeline = right.mean()", "share"),
    ],
    "7.11": [
        ("verdicts = np.where(right, 'right', 'retriever')", "generator"),
        ("verdicts = np.where(rank < K, 'right', 'retriever')", "verdicts"),
        ("verdicts = np.where(right, 'right', 'wrong')", "four texts"),
        ("errors = errors.with_columns(pl.col('len') + 1)", "count"),
    ],
    "7.12": [
        ("by_level = by_level.head(2)", "four levels"),
        ("by_level = by_level.with_columns(pipeline=pl.col('retriever'))", "pipeline"),
        ("by_level = by_level.with_columns(low=pl.lit(0.0), high=pl.lit(1.0))", "95 %"),
        ("by_level = by_level.with_columns(retriever=pl.lit(retriever[5].value))", "retriever"),
    ],
    "7.13": [
        ("median_confidence = {'right': 1.0, 'wrong': 0.0}", "median_confidence"),
        ("curve = curve.with_columns(coverage=pl.col('coverage') * 0.5)", "coverage"),
        ("curve = curve.with_columns(precision=pl.col('precision') * pl.col('coverage'))", "precision"),
        ("curve = curve.filter(pl.col('threshold') > 0.1)", "start at 0"),
    ],
    "7.14": [
        ("recall = recall[:20]", "50"),
        ("recall = np.array([(rank_notes < k).mean() for k in range(1, 51)])", "k=1"),
        ("k_80 = k_80 - 1", "k_80"),
        ("prompt_words = {k: words * 6 for k, words in prompt_words.items()}", "characters"),
    ],
    "7.15": [
        ("fuse = lambda score_arrays, weights: sum(w * s for s, w in zip(score_arrays, weights))", "fuse"),
        (
            "fuse = lambda score_arrays, weights: sum(w / (60 + rankdata(s, axis=1)) for s, w in zip(score_arrays, weights))",
            "fuse",
        ),
        ("bm25_scores = scores", "BM25"),
        ("hybrid = hybrid | {'weighted': hybrid['bm25']}", "weighted"),
        ("words_of = lambda texts: [text.split() for text in texts]", "stem"),
        ("bm25_scores = bm25_scores.T", "shape"),
    ],
    "7.16": [
        ("passages = passages[:-5]", "passages"),
        ("passage_scores = scores", "best passage"),
        ("passage_vectors = passage_vectors[::-1]", "order"),
        ("passage_scores = text_vectors @ passage_vectors.T", "one column a class"),
        ("passages = [(code, text.split(': ')[-1]) for code, text in passages]", "heading"),
    ],
    "7.17": [
        ("examples = list(zip(truth.tolist(), texts.tolist()))", "training set"),
        ("examples = list(zip(y_train[:6510].tolist(), X_train[:6510].tolist()))", "ten"),
        ("example_scores = passage_scores", "best passage or example"),
        ("examples = examples[:650]", "classes"),
        ("example_vectors = example_vectors[::-1]", "order"),
        ("bm25_label_scores = bm25_scores", "notes alone"),
    ],
    "7.18": [
        ("best_method = 'notes'", "best_method"),
        ("field_best = field_plain", "best_method"),
        ("field_scores = field_by_method['examples']", "field_scores"),
        ("field_plain = share(ranks(scores) <= 5)", "field test"),
        ("comparison = comparison.with_columns(at_5=pl.col('at_1'))", "at_5"),
        ("comparison = comparison.filter(pl.col('method') != 'passages')", "passages"),
    ],
    "7.19": [
        ("rag_accuracy = share(rag_codes == final_truth[::-1])", "rag_accuracy"),
        ("rag = rag.sort('code')", "order"),
        ("rag_accuracy = (rag_codes == final_truth).mean()", "share"),
        ("answers_path = Path('/dev/null')", "three training labels"),
        ("rag = rag.with_columns(coded=pl.col('coded').reverse())", "outside its candidates"),
    ],
    "7.20": [
        ("supervised_codes = P.argmax(axis=1)", "text"),
        ("supervised_confidence = P.mean(axis=1)", "confidence"),
        ("supervised_seconds = supervised_seconds * len(final)", "seconds"),
        ("both = both | {'both': both['both'] + both['none']}", "both"),
        ("supervised_accuracy = rag_accuracy", "supervised_accuracy"),
        ("supervised_right = ~supervised_right", "supervised_right"),
    ],
    "7.21": [
        ("agree = supervised_right & rag_right", "right or wrong"),
        ("agree_precision = share(supervised_right)", "agree_precision"),
        ("agree_coverage = agree.mean()", "share"),
        ("alone_precision = supervised_accuracy", "as many"),
    ],
    "7.22": [
        ("rag_cost = rag_cost * 1_000_000", "rag_cost"),
        ("rag_cost = rag['tokens_in'] * 1e-6", "one number"),
        ("summary = summary[::-1]", "rows"),
        ("summary = summary.with_columns(accuracy=pl.col('precision'))", "accuracy"),
    ],
}

RIGHT = {}
